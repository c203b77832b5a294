"""What the fault daemon tells Prometheus: Toxiproxy's own metrics (its METRICS.md), and the faults on the board."""

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from chaos.daemon.world import World
from chaos.wire import FaultState

METRICS_TYPE = CONTENT_TYPE_LATEST

LABELS = ("direction", "proxy", "listener", "upstream")


def metrics_text(world: World, faults: Sequence[FaultState]) -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Metrics(world, faults))
    return generate_latest(registry)


class _Metrics:
    def __init__(self, world: World, faults: Sequence[FaultState]) -> None:
        self._world = world
        self._faults = faults

    def collect(self) -> Iterator[Metric]:
        received = CounterMetricFamily(
            "toxiproxy_proxy_received_bytes", "Bytes received on a link of a proxy.", labels=LABELS
        )
        sent = CounterMetricFamily("toxiproxy_proxy_sent_bytes", "Bytes sent on a link of a proxy.", labels=LABELS)
        for proxy in self._world:
            for stream, traffic in proxy.traffic.items():
                link = (stream, proxy.name, str(proxy.listen), str(proxy.upstream))
                received.add_metric(link, traffic.received)
                sent.add_metric(link, traffic.sent)
        faults = GaugeMetricFamily("chaos_faults", "Faults that are not reverted yet.", labels=("kind", "phase"))
        counted = Counter((fault.kind, fault.phase) for fault in self._faults if fault.phase != "reverted")
        for labels, count in sorted(counted.items()):
            faults.add_metric(labels, count)
        yield from (received, sent, faults)
