"""What /metrics says about Alertmanagers and the heartbeat, read back with Prometheus' own parser."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from evaluator.heartbeat import HeartbeatState
from evaluator.liveness import Liveness
from evaluator.peers import PeerState
from ninelives.peer_metrics import PeerMetrics

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Peers:
    states: list[PeerState] = field(default_factory=list)


@dataclass
class Sender:
    state: HeartbeatState


def scrape(peers, heartbeat, *, last=NOW):
    registry = CollectorRegistry()
    liveness = Liveness({"evaluation": lambda: last})
    registry.register(PeerMetrics(peers, heartbeat, liveness, clock=lambda: NOW))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, s.labels.get("peer", "")): s.value for family in families for s in family.samples}


def test_each_peer_and_the_heartbeat_tell_when_they_last_succeeded():
    well = PeerState("am-1:9093", NOW, "", alerts=3, sent=30, errors=1, refused=("x: 400",))
    heartbeat = Sender(HeartbeatState(NOW, "", "", 5, 2))
    assert scrape(Peers([well, PeerState("am-2:9093", errors=4)]), heartbeat) == {
        ("ninelives_evaluation_alive", ""): 1,
        ("ninelives_alertmanager_last_success_timestamp_seconds", "am-1:9093"): NOW.timestamp(),
        ("ninelives_alertmanager_last_success_timestamp_seconds", "am-2:9093"): 0,
        ("ninelives_alertmanager_alerts", "am-1:9093"): 3,
        ("ninelives_alertmanager_alerts", "am-2:9093"): 0,
        ("ninelives_alertmanager_refused_alerts", "am-1:9093"): 1,
        ("ninelives_alertmanager_refused_alerts", "am-2:9093"): 0,
        ("ninelives_alertmanager_alerts_sent_total", "am-1:9093"): 30,
        ("ninelives_alertmanager_alerts_sent_total", "am-2:9093"): 0,
        ("ninelives_alertmanager_errors_total", "am-1:9093"): 1,
        ("ninelives_alertmanager_errors_total", "am-2:9093"): 4,
        ("ninelives_heartbeat_last_success_timestamp_seconds", ""): NOW.timestamp(),
        ("ninelives_heartbeat_errors_total", ""): 2,
    }


def test_without_peers_and_heartbeat_it_still_tells_whether_evaluation_works():
    assert scrape(Peers(), Sender(HeartbeatState()), last=NOW - timedelta(minutes=1)) == {
        ("ninelives_evaluation_alive", ""): 0
    }
