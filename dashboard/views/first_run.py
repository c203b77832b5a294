"""What a user without data copies into a terminal: where to send spans, and a program that sends one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from api import models as m
from dashboard.views import units

_DEFAULT_OTLP_HTTP = "http://127.0.0.1:4318"


@dataclass(frozen=True, slots=True)
class Snippet:
    title: str
    language: str
    code: str
    note: str = ""


def has_data(status: m.Status) -> bool:
    return status.spans_stored > 0


def otlp_http(addresses: Mapping[str, str]) -> str:
    """Return the address that takes OTLP over HTTP, as a URL."""
    given = addresses.get("otlp_http") or addresses.get("otlp/http") or _DEFAULT_OTLP_HTTP
    return given.rstrip("/") if "://" in given else f"http://{given}"


def container_url(url: str) -> str:
    """Return *url* as a container sees it: a loopback name there is the container itself.

    >>> container_url("http://127.0.0.1:4318"), container_url("http://10.0.0.5:4318")
    ('http://host.docker.internal:4318', 'http://10.0.0.5:4318')
    """
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1", "0.0.0.0"):  # noqa: S104  a name compared, not bound
        return url
    return f"{parts.scheme}://host.docker.internal:{parts.port or 4318}"


def snippets(addresses: Mapping[str, str]) -> list[Snippet]:
    """Return what to copy, simplest first."""
    url = otlp_http(addresses)
    return [
        Snippet("Any OpenTelemetry SDK", "bash", _environment(url)),
        Snippet(
            "One span from Python", "python", _python(url), "pip install opentelemetry-sdk opentelemetry-exporter-otlp"
        ),
        Snippet(
            "From a container",
            "bash",
            f"docker run --network host -e OTEL_EXPORTER_OTLP_ENDPOINT={url} your-image\n"
            f"# Docker Desktop: -e OTEL_EXPORTER_OTLP_ENDPOINT={container_url(url)}\n",
            "Inside a container 127.0.0.1 is the container itself: share the host's network, or on Docker Desktop use "
            "host.docker.internal, which reaches the host's loopback.",
        ),
        Snippet("No service at hand", "bash", "ninelives up --demo\n", "Starts a demo shop with traffic."),
    ]


def waiting(status: m.Status, now: datetime) -> str:
    """Return one line, in Markdown, about what has arrived so far."""
    arrived = sum(item.accepted_items for item in status.ingest)
    if not arrived:
        return f"Waiting for the first span on `{otlp_http(status.addresses)}` (up for {_up(status, now)})."
    return f"✓ {units.count(arrived)} items arrived; the first spans are being stored."


def _up(status: m.Status, now: datetime) -> str:
    return units.length(max((now - status.started_at).total_seconds(), 0))


def _environment(url: str) -> str:
    return (
        f"export OTEL_EXPORTER_OTLP_ENDPOINT={url}\n"
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        "export OTEL_SERVICE_NAME=my-service\n"
        "export OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=dev\n"
    )


def _python(url: str) -> str:
    return f"""from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider(resource=Resource({{"service.name": "my-service"}}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter("{url}/v1/traces")))
tracer = provider.get_tracer("first-span")
with tracer.start_as_current_span("hello", kind=trace.SpanKind.SERVER):
    pass
provider.shutdown()
"""
