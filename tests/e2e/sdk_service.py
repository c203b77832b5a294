"""A service that is not the demo's, instrumented with the plain SDK. Run as a program by test_sdk.py."""

import sys
import time

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode


def main() -> None:
    mode, target, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if mode == "grpc":
        exporter = GrpcExporter(endpoint=target, insecure=True)
    else:
        exporter = HttpExporter(endpoint=f"http://{target}/v1/traces")
    provider = TracerProvider(resource=Resource.create({"service.name": "invoices"}))
    processor = BatchSpanProcessor(exporter, max_queue_size=count + 1, max_export_batch_size=1000)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("invoices")
    start = (time.time_ns() // 60_000_000_000 - 2) * 60_000_000_000 if mode == "past" else time.time_ns()
    for index in range(count):
        span = tracer.start_span("GET /invoices/{id}", kind=SpanKind.SERVER, start_time=start + index * 1000)
        span.set_attribute("http.response.status_code", 500 if index % 50 == 0 else 200)
        if index % 50 == 0:
            span.set_status(Status(StatusCode.ERROR, "no such table"))
        span.end(end_time=start + index * 1000 + (300_000_000 if index % 10 == 1 else 20_000_000))
    assert processor.force_flush(120_000)
    provider.shutdown()


if __name__ == "__main__":
    main()
