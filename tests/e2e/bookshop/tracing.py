"""The set-up of OpenTelemetry that its own documentation shows; where spans go and who sends them, OTEL_* says."""

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def trace_app(app: FastAPI) -> None:
    """Record the requests that *app* serves, and those that it makes with httpx."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    HTTPXClientInstrumentor().instrument()
    FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"])
