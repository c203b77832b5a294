"""What is told to those who watch from outside: Alertmanagers, and the receiver of the heartbeat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerts.config import AlertingConfig
from alerts.group_message import Sign
from alerts.message import Links
from alerts.peers import describe_with
from evaluator.heartbeat import HeartbeatSender
from evaluator.liveness import LastTime, Liveness
from evaluator.peers import Peers, stored_transitions
from evaluator.silenced import silenced_in
from ninelives.peer_metrics import PeerMetrics
from storage.client import Database


@dataclass(frozen=True, slots=True)
class SignsOfLife:
    """What the scheduler runs, and how it goes."""

    peers: Peers
    heartbeat: HeartbeatSender
    metrics: PeerMetrics


def build_signs_of_life(
    database: Database, config: Callable[[], AlertingConfig], parts: Mapping[str, LastTime], links: Links, sign: Sign
) -> SignsOfLife:
    """Return what tells peers and the heartbeat's receiver; nothing is sent before the scheduler runs it.

    Args:
        database: where alerts and silences are.
        config: returns what is in force, asked each time.
        parts: by name, what returns when evaluation and delivery last succeeded; one that stalls stops the signs.
        links: where links lead.
        sign: signs those of evidence.
    """
    liveness = Liveness(parts)

    def heartbeat_address() -> str:
        found = config().heartbeat
        return found.secret_value("url") if found else ""

    peers = Peers(
        lambda: config().alertmanagers,
        stored_transitions(database),
        describe_with(links, sign),
        liveness,
        silenced=silenced_in(database),
        url=links.dashboard_url,
    )
    heartbeat = HeartbeatSender(heartbeat_address, liveness)
    return SignsOfLife(peers, heartbeat, PeerMetrics(peers, heartbeat, liveness))
