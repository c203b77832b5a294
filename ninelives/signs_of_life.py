"""What is told to those who watch from outside: Alertmanagers, and the receiver of the heartbeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.alertmanager import Alertmanager
from alerts.heartbeat import Heartbeat
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
    """Two jobs of the scheduler, and how they go."""

    peers: Peers
    heartbeat: HeartbeatSender | None
    metrics: PeerMetrics

    def beat(self, now: datetime) -> None:
        """Send the heartbeat, if there is one."""
        if self.heartbeat is not None:
            self.heartbeat.beat(now)


def build_signs_of_life(
    database: Database, last_tick: LastTime, links: Links, *, alertmanagers: Sequence[str] = (), heartbeat_url: str = ""
) -> SignsOfLife:
    """Return what tells *alertmanagers* and *heartbeat_url*; nothing is sent before the scheduler runs its jobs.

    Args:
        database: where alerts and silences are.
        last_tick: returns when evaluation and the decision on deliveries last succeeded, both.
        links: where links lead.
        alertmanagers: the address of every peer.
        heartbeat_url: "" for none.

    Raises:
        InvalidAlert: an address is none.
    """
    liveness = Liveness({"evaluation": last_tick})
    peers = Peers(
        [Alertmanager(url) for url in alertmanagers],
        stored_transitions(database),
        describe_with(links),
        liveness,
        silenced=silenced_in(database),
        url=links.dashboard_url,
    )
    heartbeat = HeartbeatSender(Heartbeat(heartbeat_url), liveness) if heartbeat_url else None
    return SignsOfLife(peers, heartbeat, PeerMetrics(peers, heartbeat, liveness))
