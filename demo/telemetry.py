"""Traces and metrics of one service of the shop, as OTLP/HTTP protobuf."""

import threading
import time
from dataclasses import dataclass

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from demo.shop import NAMESPACE, VERSION

SPAN_DELAY_MS = 1000
METRIC_INTERVAL_MS = 10_000
SPAN_QUEUE = 8192
UNUSED_INSTRUMENTS = ("http.*.request.body.size", "http.*.response.body.size")


def resource(service: str, environment: str, instance: int = 1) -> Resource:
    """Return what describes `service` and the number of its instance in every span and metric, live or historical."""
    return Resource.create(
        {
            "service.name": service,
            "service.namespace": NAMESPACE,
            "service.version": VERSION,
            "service.instance.id": f"{service}-{instance}",
            "deployment.environment.name": environment,
        },
    )


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The two providers of one service."""

    service: str
    traces: TracerProvider
    metrics: MeterProvider

    @property
    def tracer(self) -> Tracer:
        return self.traces.get_tracer(f"shop.{self.service}", VERSION)

    @property
    def meter(self) -> Meter:
        return self.metrics.get_meter(f"shop.{self.service}", VERSION)

    def instrument(self, app: FastAPI) -> None:
        """Trace the requests of `app`, without the spans of single ASGI messages that would drown the others."""
        FastAPIInstrumentor.instrument_app(
            app,
            tracer_provider=self.traces,
            meter_provider=self.metrics,
            excluded_urls="healthz",
            exclude_spans=["receive", "send"],
        )

    def shut_down(self, timeout_s: float) -> None:
        """Send what is queued, for at most `timeout_s`: an unreachable collector must not keep a service alive."""
        flushers = [threading.Thread(target=provider.shutdown, daemon=True) for provider in (self.traces, self.metrics)]
        for flusher in flushers:
            flusher.start()
        deadline = time.monotonic() + timeout_s
        for flusher in flushers:
            flusher.join(max(0.0, deadline - time.monotonic()))


def start_telemetry(service: str, environment: str, endpoint: str, instance: int = 1) -> Telemetry:
    """Start the exporters of one instance of `service` towards the OTLP/HTTP base URL `endpoint`."""
    described = resource(service, environment, instance)
    traces = TracerProvider(resource=described, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    traces.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=SPAN_QUEUE, schedule_delay_millis=SPAN_DELAY_MS),
    )
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics"),
        export_interval_millis=METRIC_INTERVAL_MS,
    )
    unused = [View(instrument_name=name, aggregation=DropAggregation()) for name in UNUSED_INSTRUMENTS]
    metrics = MeterProvider([reader], resource=described, views=unused, shutdown_on_exit=False)
    return Telemetry(service, traces, metrics)


def record_failure(span: Span, error: Exception) -> None:
    """Leave `error` on the span as OpenTelemetry asks for it: an exception event and the status ERROR."""
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
