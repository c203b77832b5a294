"""A service that uses all of the SDK: every kind of value, instrument, span and log record. Run as a program."""

import logging
import math
import os
import random
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from client_ledger import Ledger
from client_providers import Providers, Route
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk.metrics import (
    Counter,
    Histogram,
    MeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    UpDownCounter,
)
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    TraceState,
    set_span_in_context,
)

INSTRUMENTS = (Counter, Histogram, ObservableCounter, ObservableGauge, ObservableUpDownCounter, UpDownCounter)
DELTA = dict.fromkeys(INSTRUMENTS, AggregationTemporality.DELTA)
CUMULATIVE = dict.fromkeys(INSTRUMENTS, AggregationTemporality.CUMULATIVE)
VIEWS = [
    View(instrument_name="*.exponential", aggregation=ExponentialBucketHistogramAggregation(max_size=40)),
    View(instrument_name="orders", attribute_keys={"country"}),  # what is left out goes to the exemplars
]
EVERY_KIND = {
    "bool.true": True,
    "bool.false": False,
    "int.zero": 0,
    "int.beyond_a_double": 2**53 + 1,
    "int.smallest": -(2**63),
    "double": 0.1,
    "double.whole": 3.0,
    "double.tiny": 5e-324,
    "double.infinite": math.inf,
    "double.nan": math.nan,
    "text": 'naïve 日本 🐈 \t"quoted" \\ \'; DROP TABLE spans; --',
    "text.empty": "",
    "text.long": "x" * 500,
    "bytes": bytes(range(256)),
    "list.texts": ["a", "", "ß"],
    "list.ints": [1, 2**53 + 1, -1],
    "list.doubles": [0.5, 2.0],
    "list.bools": [True, False],
    "list.mixed": ["a", 1, None, 2.5, [True]],
    "list.empty": [],
    "map": {"a": 1, "b": {"c": [1, {"d": b"\x00\xff"}]}, "empty": {}},
    "nothing": None,
}


def send_spans(tracer: Tracer) -> None:
    """Send a trace with every kind of span, and one that a remote parent began, with a trace state."""
    with tracer.start_as_current_span("GET /orders/{id}", kind=SpanKind.SERVER, attributes=EVERY_KIND) as root:
        root.add_event("cache miss", EVERY_KIND)
        root.add_event("without attributes")
        for kind in (SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER):
            with tracer.start_as_current_span(f"a {kind.name} span", kind=kind):
                tracer.start_span("its child").end()
        well = tracer.start_span("went well")
        well.set_status(Status(StatusCode.OK))
        well.end()
        _fail(tracer)
    remote = SpanContext(
        random.getrandbits(128),
        random.getrandbits(64),
        is_remote=True,
        trace_flags=TraceFlags(1),
        trace_state=TraceState([("vendor", "a:b;c"), ("other", "1")]),
    )
    parent = set_span_in_context(NonRecordingSpan(remote))
    links = [Link(root.get_span_context(), {"why": "retry", "times": 3}), Link(remote, EVERY_KIND)]
    tracer.start_span("POST /orders", parent, SpanKind.SERVER, links=links).end()


def send_many(tracer: Tracer, count: int) -> None:
    """Send *count* spans in traces of 1,000."""
    for first in range(0, count, 1000):
        with tracer.start_as_current_span("import orders", kind=SpanKind.CONSUMER) as root:
            for index in range(first + 1, min(first + 1000, count)):
                attributes = {"index": index, "half": index / 2, "even": index % 2 == 0, "text": f"order {index}"}
                tracer.start_span("import order", attributes=attributes).end()
            root.set_attribute("first", first)


def _fail(tracer: Tracer) -> None:
    with suppress(ValueError), tracer.start_as_current_span("fails"):
        raise ValueError("no such order: ☠")


def send_metrics(meter: Meter, tracer: Tracer, provider: MeterProvider) -> None:
    """Record with every instrument, twice, so that delta and cumulative points differ."""
    orders = meter.create_counter("orders", "{order}", "Orders taken.")
    huge = meter.create_counter("huge", "By")
    queue = meter.create_up_down_counter("queue.length", "{item}", "Items that wait.")
    level = meter.create_gauge("level", "Cel", "A temperature.")
    duration = meter.create_histogram(
        "duration", "s", "How long it took.", explicit_bucket_boundaries_advisory=[0.01, 0.1, 1]
    )
    exponential = meter.create_histogram("duration.exponential", "s", "The same in fine steps.")
    meter.create_observable_gauge("observed", [_observe], "%", "Seen when asked.")
    for step in range(2):
        with tracer.start_as_current_span(f"measured {step}"):
            for country, amount in (("DE", 3), ("FR", 4 + step)):
                orders.add(amount, {"country": country, "customer": 17})
            huge.add(2**53 + 1)
            queue.add(5 - 7 * step, {"queue": "mail", "priority": 1, "urgent": True, "share": 2.0})
            level.set(-1.5 - step, {"probe": "north"})
            for value in (0.0, 0.005, 0.01, 0.05, 3.0, 0.25 * step):
                duration.record(value, {"route": "/orders"})
                exponential.record(value, {"route": "/orders"})
        if not provider.force_flush():
            raise RuntimeError("the points could not be exported")


def _observe(_: CallbackOptions) -> Iterator[Observation]:
    yield Observation(12.5, {"core": 0})
    yield Observation(7, {"core": 1})


def send_logs(provider: LoggerProvider, tracer: Tracer) -> None:
    """Log by way of the standard library, and records with every kind of body."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's handler is about to move
        handler = LoggingHandler(logger_provider=provider)
    standard = logging.getLogger("shop.orders")
    standard.setLevel(logging.DEBUG)
    standard.propagate = False
    standard.addHandler(handler)
    with tracer.start_as_current_span("logs"):
        standard.warning("order %s is late by %d min", "A-17", 12, extra={"order.id": 2**53 + 1, "vip": True})
        try:
            {}["A-18"]
        except KeyError:
            standard.exception("no such order")
        standard.debug("")
    standard.critical({"a": [1, 2.5, {"b": None}]})
    logger = provider.get_logger("shop.audit", "1.2", "https://opentelemetry.io/schemas/1.30.0", {"team": "payments"})
    now = time.time_ns()
    for number, body in enumerate(["text", 2**53 + 1, 2.0, True, b"\x00\xff", ["a", 1, {"b": 2}], {"k": {"n": 1.5}}]):
        record = LogRecord(
            timestamp=now + number,
            observed_timestamp=now + 1_000_000,
            severity_text="NOTICE",
            severity_number=SeverityNumber.INFO2,
            body=body,
            attributes=EVERY_KIND,
            event_name="order.audited",
        )
        logger.emit(record)


def main() -> None:
    service, way, target, ledger_path, more = sys.argv[1:]
    os.environ["OTEL_METRICS_EXEMPLAR_FILTER"] = "always_on"
    ledger = Ledger()
    route = Route(way, target)
    identity = {"service.name": service, "service.version": "1.2.3", "deployment.environment.name": "test"}
    resource = Resource.create(identity | {"resource.list": ["a", "b"], "resource.int": 2**53 + 1})
    readers = [route.reader(preferred_temporality=DELTA), route.reader(preferred_temporality=CUMULATIVE)]
    providers = Providers(route, resource, readers=readers, views=VIEWS)
    schema = "https://opentelemetry.io/schemas/1.30.0"
    tracer = providers.traces.get_tracer("shop", "4.5", schema, {"scope.kind": "test"})
    send_spans(tracer)
    send_many(tracer, int(more))
    send_metrics(providers.metrics.get_meter("shop", "4.5", schema, {"scope.kind": "test"}), tracer, providers.metrics)
    send_logs(providers.logs, tracer)
    providers.finish()
    ledger.save(Path(ledger_path))


if __name__ == "__main__":
    main()
