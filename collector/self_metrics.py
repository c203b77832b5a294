"""The collector's own numbers, served at /metrics."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series a counter, which nobody reads


class SelfMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter(
            "ninelives_accepted_items", "Spans or data points acknowledged.", ["signal"], registry=registry
        )
        self.rejected = Counter(
            "ninelives_rejected_items", "Spans or data points left out as invalid.", ["signal"], registry=registry
        )
        self.refused = Counter(
            "ninelives_refused_requests", "Requests refused, by reason.", ["signal", "reason"], registry=registry
        )
        self.insert_seconds = Histogram(
            "ninelives_insert_seconds", "Time of one insert into ClickHouse.", ["signal"], registry=registry
        )
        self._spool_bytes = Gauge(
            "ninelives_spool_bytes", "Acknowledged bytes that wait for the database.", ["signal"], registry=registry
        )

    def watch(self, signal: str, waiting_bytes: Callable[[], int]) -> None:
        """Read the spool's size of *signal* whenever the metrics are scraped."""
        self._spool_bytes.labels(signal).set_function(waiting_bytes)
