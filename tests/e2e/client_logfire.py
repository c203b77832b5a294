"""A service that is instrumented with logfire and sends to nobody but the given address. Run as a program."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ORDERS = 20
ENVIRONMENT = {"OTEL_EXPORTER_OTLP_TIMEOUT": "60"}
# whatever it asked of another machine would fail
ENVIRONMENT |= {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}


@dataclass
class Order:
    number: int
    positions: list[str]


def configure(service: str, address: str, way: str) -> None:
    """Export spans as OTEL_* says ("environment"), or by a processor like logfire's own, which knows pending spans."""
    signals = {"TRACES", "METRICS", "LOGS"} if way == "environment" else {"METRICS", "LOGS"}
    for signal in signals:
        os.environ[f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"] = f"http://{address}/v1/{signal.lower()}"
    import logfire
    from logfire._internal.exporters.dynamic_batch import DynamicBatchSpanProcessor
    from logfire._internal.exporters.remove_pending import RemovePendingSpansExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = RemovePendingSpansExporter(OTLPSpanExporter(endpoint=f"http://{address}/v1/traces"))
    logfire.configure(
        send_to_logfire=False,
        console=False,
        inspect_arguments=False,
        service_name=service,
        environment="test",
        additional_span_processors=[DynamicBatchSpanProcessor(exporter)] if way == "pending" else None,
    )


def take_orders() -> None:
    import logfire

    taken = logfire.metric_counter("orders.taken", unit="{order}", description="Orders taken.")
    size = logfire.metric_histogram("order.size", unit="{position}")
    order = Order(2**53 + 1, ["tea", "naïve 🐈"])
    for number in range(ORDERS):
        with logfire.span("take order {number}", number=number, order=order, nested={"a": [1, {"b": None}], "c": 2.0}):
            logfire.info("checked {ok=}", ok=True, ratio=0.1, none=None)
            with logfire.span("pay"):
                taken.add(1, {"country": "DE"})
                size.record(number, {"country": "DE"})
            if number % 10 == 0:
                logfire.error("out of {what}", what={"kind": "tea", "left": 0})
    try:
        with logfire.span("a long one that fails"):
            logfire.force_flush()  # as if it took so long: what is pending goes out
            [].pop()
    except IndexError:
        logfire.exception("could not take the order")


def main() -> None:
    service, address, way, ledger_path = sys.argv[1:]
    os.environ.update(ENVIRONMENT)
    from client_ledger import Ledger

    ledger = Ledger()
    configure(service, address, way)
    import logfire
    from opentelemetry._logs import LogRecord, SeverityNumber, get_logger

    take_orders()
    record = LogRecord(timestamp=time.time_ns(), body={"k": [1, "two"]}, attributes={"n": 1})
    record.severity_number = SeverityNumber.WARN
    get_logger("shop").emit(record)
    if not (logfire.force_flush() and logfire.shutdown()):
        raise RuntimeError("logfire could not export everything")
    ledger.save(Path(ledger_path))


if __name__ == "__main__":
    main()
