"""The SDK's providers as a service sets them up, over any of the ways that OTLP can travel. For child processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from client_json import JsonSession
from client_ledger import (
    GrpcLogExporter,
    GrpcMetricExporter,
    GrpcSpanExporter,
    HttpLogExporter,
    HttpMetricExporter,
    HttpSpanExporter,
)
from grpc import Compression as GrpcCompression
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

WAIT_MS = 60_000
EXPORT_S = 60  # a busy machine is slow: an export that is sent again would be counted as repeated
NEVER_MS = 600_000  # points are exported when the reader is flushed, so that their number is known
GRPC = {"grpc": GrpcCompression.NoCompression, "grpc-gzip": GrpcCompression.Gzip}
HTTP = {
    "http": Compression.NoCompression,
    "http-gzip": Compression.Gzip,
    "http-deflate": Compression.Deflate,
    "json": Compression.NoCompression,
}


@dataclass(frozen=True)
class Route:
    """How OTLP travels: `way` is a key of GRPC or HTTP, `target` is host:port."""

    way: str
    target: str

    def exporter(self, signal: str, **options: Any) -> Any:
        """Return the SDK's own exporter of "traces", "metrics" or "logs"."""
        options["timeout"] = EXPORT_S
        if self.way in GRPC:
            kind = {"traces": GrpcSpanExporter, "metrics": GrpcMetricExporter, "logs": GrpcLogExporter}[signal]
            return kind(endpoint=self.target, insecure=True, compression=GRPC[self.way], **options)
        kind = {"traces": HttpSpanExporter, "metrics": HttpMetricExporter, "logs": HttpLogExporter}[signal]
        session = JsonSession() if self.way == "json" else None
        endpoint = f"http://{self.target}/v1/{signal}"
        return kind(endpoint=endpoint, compression=HTTP[self.way], session=session, **options)

    def reader(self, **options: Any) -> MetricReader:
        return PeriodicExportingMetricReader(
            self.exporter("metrics", **options), export_interval_millis=NEVER_MS, export_timeout_millis=WAIT_MS
        )


class Providers:
    """A tracer, a meter and a logger provider of one service that export over *route*."""

    def __init__(
        self, route: Route, resource: Resource, *, readers: Sequence[MetricReader] = (), views: Sequence[View] = ()
    ) -> None:
        self.traces = TracerProvider(resource=resource)
        self.metrics = MeterProvider(readers or [route.reader()], resource, views=views)
        self.logs = LoggerProvider(resource=resource)
        self._spans = BatchSpanProcessor(route.exporter("traces"), max_queue_size=1 << 16, max_export_batch_size=1000)
        self.traces.add_span_processor(self._spans)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(route.exporter("logs"), max_queue_size=1 << 16))

    def finish(self) -> None:
        """Export everything."""
        for provider in (self.traces, self.metrics, self.logs):
            if not provider.force_flush(WAIT_MS):
                raise RuntimeError(f"{provider} could not export everything in {WAIT_MS} ms")
            provider.shutdown()
