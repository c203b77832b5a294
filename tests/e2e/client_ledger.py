"""What a client handed to its exporters, noted on the way."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from client_items import Item, exemplars, logs, points, spans
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter

KINDS_OF_ITEMS = ("spans", "points", "exemplars", "logs")
ENCODERS = {"spans": encode_spans, "points": encode_metrics, "logs": encode_logs}
READERS = {"spans": spans, "points": points, "logs": logs}
EXPORTERS = {
    "spans": (HttpSpanExporter, GrpcSpanExporter),
    "points": (HttpMetricExporter, GrpcMetricExporter),
    "logs": (HttpLogExporter, GrpcLogExporter),
}


class Ledger:
    """Everything that the OTLP exporters of this process were given, and how often they said that it failed."""

    def __init__(self) -> None:
        self.items: dict[str, list[Item]] = {kind: [] for kind in KINDS_OF_ITEMS}
        self.failures = 0
        for kind, exporters in EXPORTERS.items():
            for exporter in exporters:
                exporter.export = self._noting(kind, exporter.export)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({**self.items, "failures": self.failures}))

    def _noting(self, kind: str, export: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(export)
        def noting(exporter: Any, batch: Any, *args: Any, **options: Any) -> Any:
            request = ENCODERS[kind](batch)
            self.items[kind] += READERS[kind](request)
            self.items["exemplars"] += exemplars(request) if kind == "points" else []
            outcome = export(exporter, batch, *args, **options)
            self.failures += outcome.name != "SUCCESS"
            return outcome

        return noting
