"""The collector's own numbers, served at /metrics: read from their sources when they are asked for."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.admission.admission import Admission
from collector.lane import SignalStatus

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series a counter, which nobody reads

ITEMS = "spans, data points or log records"
COUNTERS = {
    "received_items": f"{ITEMS.capitalize()} in requests that could be read.",
    "accepted_items": f"{ITEMS.capitalize()} on disk before they were acknowledged.",
    "accepted_requests": "Requests on disk before they were acknowledged.",
    "rejected_items": f"{ITEMS.capitalize()} left out as invalid.",
    "repeated_items": f"{ITEMS.capitalize()} acknowledged again and not stored twice.",
    "refused_items": f"{ITEMS.capitalize()} in requests that were refused after they had been read.",
    "stored_items": f"{ITEMS.capitalize()} stored in the database.",
    "damaged_requests": "Acknowledged requests found damaged on disk, and put aside.",
}
GAUGES = {
    "dead_letters": ("dead_letters", "Requests in the dead-letter folder."),
    "spool_bytes": ("spool_bytes", "Acknowledged bytes that wait for the database."),
    "spool_segments": ("spool_segments", "Segments that wait for the database."),
    "spool_fill": ("spool_fill_ratio", "Share of the spool's limit that is used."),
    "spool_oldest_s": ("spool_oldest_seconds", "For how long the oldest segment has been waiting."),
    "shedding_level": ("shedding_level", "Priorities refused now: 0 none, 1 low, 2 all but critical, 3 all."),
}
BREAKER_STATES = ("closed", "open", "half-open")


class SelfMetrics(Collector):
    """Turns the status of the intake into metrics at every scrape; only insert times are observed as they happen."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.insert_seconds = Histogram(
            "ninelives_insert_seconds", "Time of one insert into ClickHouse.", ["signal"], registry=registry
        )
        self._status: Callable[[], list[SignalStatus]] = list
        self._admission: Admission | None = None
        self._connections: dict[str, Callable[[], int]] = {}
        registry.register(self)

    def watch(self, status: Callable[[], list[SignalStatus]], admission: Admission) -> None:
        """Offer what an intake and its admission say."""
        self._status, self._admission = status, admission

    def watch_connections(self, transport: str, count: Callable[[], int]) -> None:
        """Offer how many connections *transport* ("otlp_http", ...) has open."""
        self._connections[transport] = count

    def collect(self) -> Iterator[Metric]:
        lanes = self._status()
        for name, text in COUNTERS.items():
            yield _by_signal(CounterMetricFamily, name, text, lanes, name)
        for field, (name, text) in GAUGES.items():
            yield _by_signal(GaugeMetricFamily, name, text, lanes, field)
        if lanes:
            yield _breaker(lanes[0].breaker)
        if self._admission is not None:
            yield from _admission(self._admission)
        yield _connections(self._connections)


def _by_signal(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    name: str,
    text: str,
    lanes: list[SignalStatus],
    field: str,
) -> Metric:
    family = kind(f"ninelives_{name}", text, labels=["signal"])
    for lane in lanes:
        family.add_metric([lane.signal], getattr(lane, field))
    return family


def _breaker(state: str) -> Metric:
    family = GaugeMetricFamily(
        "ninelives_breaker_state", "The circuit breaker before the database: 1 for its state.", labels=["state"]
    )
    for name in BREAKER_STATES:
        family.add_metric([name], float(name == state))
    return family


def _admission(admission: Admission) -> Iterator[Metric]:
    refused = CounterMetricFamily(
        "ninelives_refused_requests", "Requests refused, by reason.", labels=["signal", "reason"]
    )
    for (signal, reason), count in admission.refused.copy().items():
        refused.add_metric([signal, reason], count)
    yield refused
    budget, pressure = admission.budget, admission.sampler.current
    for name, text, value in (
        ("inflight_bytes", "Memory of the requests in progress.", budget.used_bytes),
        ("inflight_limit_bytes", "What the requests in progress may take.", budget.limit_bytes),
        ("cpu_pressure_ratio", "Busy share of the machine, over about 5 s.", pressure.cpu),
        ("memory_pressure_ratio", "Memory used, of that and what is still free.", pressure.memory),
    ):
        yield GaugeMetricFamily(f"ninelives_{name}", text, value=value)


def _connections(counts: dict[str, Callable[[], int]]) -> Metric:
    family = GaugeMetricFamily("ninelives_connections", "Open connections.", labels=["transport"])
    for transport, count in counts.items():
        family.add_metric([transport], count())
    return family
