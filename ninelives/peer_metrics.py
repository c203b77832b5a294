"""How Alertmanagers and the heartbeat take it, at /metrics."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from evaluator.heartbeat import HeartbeatSender, HeartbeatState
from evaluator.liveness import Liveness
from evaluator.peers import Peers


class PeerMetrics(Collector):
    """Reads the state of the peers and of the heartbeat whenever the metrics are scraped. A time of 0 is "never"."""

    def __init__(
        self,
        peers: Peers,
        heartbeat: HeartbeatSender,
        liveness: Liveness,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._peers = peers
        self._heartbeat = heartbeat
        self._liveness = liveness
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        alive = self._liveness.alive_at(self._clock()) is not None
        text = "1 while evaluation and delivery work; at 0 the watchdog and the heartbeat are withheld."
        yield GaugeMetricFamily("ninelives_evaluation_alive", text, value=float(alive))
        yield from self._of_peers()
        yield from self._of_heartbeat()

    def _of_heartbeat(self) -> Iterator[Metric]:
        """Yield nothing of a heartbeat that nobody has asked for."""
        state = self._heartbeat.state
        if state == HeartbeatState():
            return
        prefix = "ninelives_heartbeat"
        last = "When the heartbeat last arrived."
        yield GaugeMetricFamily(f"{prefix}_last_success_timestamp_seconds", last, value=_seconds(state.last_ok))
        yield CounterMetricFamily(f"{prefix}_errors", "Heartbeats that failed.", value=state.errors)

    def _of_peers(self) -> Iterator[Metric]:
        prefix, labels = "ninelives_alertmanager", ("peer",)
        last = GaugeMetricFamily(
            f"{prefix}_last_success_timestamp_seconds", "When the Alertmanager was last told.", labels=labels
        )
        alerts = GaugeMetricFamily(f"{prefix}_alerts", "Alerts that it was told then.", labels=labels)
        refused = GaugeMetricFamily(f"{prefix}_refused_alerts", "Alerts that it refused then.", labels=labels)
        sent = CounterMetricFamily(f"{prefix}_alerts_sent", "Alerts told, each time counted.", labels=labels)
        errors = CounterMetricFamily(f"{prefix}_errors", "Times that it could not be told.", labels=labels)
        for state in self._peers.states:
            last.add_metric((state.name,), _seconds(state.last_ok))
            alerts.add_metric((state.name,), state.alerts)
            refused.add_metric((state.name,), len(state.refused))
            sent.add_metric((state.name,), state.sent)
            errors.add_metric((state.name,), state.errors)
        yield from (last, alerts, refused, sent, errors)


def _seconds(time: datetime | None) -> float:
    return 0.0 if time is None else time.timestamp()
