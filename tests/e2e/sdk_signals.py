"""A service that sends traces, metrics with exemplars and logs with the plain SDK. Run as a program."""

import logging
import sys
import time

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind


def main() -> None:
    url, seconds = sys.argv[1], float(sys.argv[2])
    resource = Resource.create({"service.name": "billing", "deployment.environment.name": "prod"})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/v1/metrics"), export_interval_millis=1000)
    metrics = MeterProvider(resource=resource, metric_readers=[reader])
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(f"{url}/v1/logs")))
    logger = logging.getLogger("billing")
    logger.setLevel(logging.INFO)
    logger.addHandler(LoggingHandler(logger_provider=logs))
    duration = metrics.get_meter("billing").create_histogram("invoice.duration", unit="ms", description="Making one")
    tracer = traces.get_tracer("billing")
    number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        number += 1
        with tracer.start_as_current_span(f"GET /invoices/{1000 + number}", kind=SpanKind.SERVER):
            duration.record(5 + number * 7 % 90, {"region": "eu" if number % 2 else "us"})
            logger.info("invoice %d made", number)
            if number % 10 == 0:
                logger.error("the card was declined", extra={"customer.id": number})
        time.sleep(0.05)
    for provider in (traces, metrics, logs):
        provider.shutdown()


if __name__ == "__main__":
    main()
