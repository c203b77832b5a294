from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode, format_span_id, format_trace_id

from chaos.errors import ChaosError

TIMEOUT_S = 5


class SpanLostError(ChaosError):
    """The receiver did not take the span of a run."""


class RunSpan:
    """The root span of a run, with the names of attributes that Chaos Toolkit's own tracing control uses.

    Args:
        endpoint: base URL of an OTLP/HTTP receiver, for example `http://127.0.0.1:4318`.
        run_id: what the run is called in the API.
        title: the experiment's.
        token: sent to the receiver, if not empty.
    """

    def __init__(self, endpoint: str, *, run_id: str, title: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else None
        exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", headers=headers, timeout=TIMEOUT_S)
        self._exporter = _Remembering(exporter)
        self._provider = TracerProvider(resource=Resource.create({"service.name": "chaos"}), shutdown_on_exit=False)
        self._provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.run_id = run_id
        self.span = self._provider.get_tracer("ninelives.chaos").start_span(
            "experiment", attributes={"chaostoolkit.experiment.title": title, "chaos.run": run_id}
        )

    def headers(self) -> dict[str, str]:
        """Return the W3C headers of a call that belongs to this run."""
        context = self.span.get_span_context()
        trace, span = format_trace_id(context.trace_id), format_span_id(context.span_id)
        return {"traceparent": f"00-{trace}-{span}-01", "baggage": f"chaos.run={self.run_id}"}

    def end(self, status: str, *, deviated: bool) -> None:
        """End the span with what came of the run, and send it.

        Raises:
            SpanLostError: the receiver did not take it.
        """
        self.span.set_attributes(
            {"chaostoolkit.experiment.status": status, "chaostoolkit.experiment.deviated": deviated}
        )
        if status != "completed":
            self.span.set_status(Status(StatusCode.ERROR, f"the run was {status}"))
        self.span.end()
        self._provider.shutdown()
        if not self._exporter.delivered:
            raise SpanLostError("no OTLP receiver took it")


class _Remembering(SpanExporter):
    """Tells apart what the SDK only logs: whether spans arrived."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.delivered = False

    def export(self, spans: "tuple[ReadableSpan, ...]") -> SpanExportResult:  # type: ignore[override]
        result = self._exporter.export(spans)
        self.delivered = result is SpanExportResult.SUCCESS
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
