"""The last hours of a small shop as OTLP spans: checkouts that fail in payments, mostly in one version of it."""

import random
import time

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

HOURS = 6
DAYS = 12  # before these hours: a few minutes of each day, for the trend
DAY_MINUTES = 10
A_MINUTE = 6
SERVICES = ("storefront", "payments", "search")
BAD_VERSION = "2.0.2"
GROUPED = """apiVersion: openslo/v1
kind: SLO
metadata: {name: storefront-routes, displayName: Storefront by route}
spec:
  service: storefront
  description: Every route of the shop answers.
  indicator:
    metadata: {name: storefront-routes}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: spans, spec: {environment: prod, group_by: [http.route], good: not error}}}
        total: {metricSource: {type: spans, spec: {environment: prod, group_by: [http.route]}}}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.95}]
"""


def events(days: int) -> int:
    """Return how many requests of payments there are in these hours and *days* days; others have as many or more."""
    return (HOURS * 60 + days * DAY_MINUTES) * A_MINUTE


def send(url: str) -> None:
    """Send the shop's last hours to the OTLP/HTTP receiver at *url*; a seed makes them the same each time."""
    chance = random.Random(7)
    now_s = int(time.time()) // 60 * 60
    with httpx.Client(timeout=30, trust_env=False) as client:
        hours = [(hour, hour * 3600, 60) for hour in range(HOURS, 0, -1)]
        days = [(day * 24, day * 86400, DAY_MINUTES) for day in range(DAYS, 0, -1)]
        for hours_ago, ago_s, minutes in days + hours:
            body = _traffic(chance, range(now_s - ago_s, now_s - ago_s + minutes * 60, 60), hours_ago)
            headers = {"Content-Type": "application/x-protobuf"}
            client.post(f"{url}/v1/traces", content=body, headers=headers).raise_for_status()


def _traffic(chance: random.Random, minutes: range, hours_ago: int) -> bytes:
    request = ExportTraceServiceRequest()
    scopes: dict[tuple[str, str], ScopeSpans] = {}

    def scope(service: str, version: str) -> ScopeSpans:
        if (service, version) not in scopes:
            resource = request.resource_spans.add()
            named = {"service.name": service, "service.version": version, "deployment.environment.name": "prod"}
            for key, value in named.items():
                resource.resource.attributes.add(key=key).value.string_value = value
            scopes[service, version] = resource.scope_spans.add()
        return scopes[service, version]

    for minute in minutes:
        for number in range(A_MINUTE):
            at_ns = minute * 10**9 + number * (60 // A_MINUTE) * 10**9 + chance.randrange(10**9)
            version = BAD_VERSION if hours_ago <= 3 and number % 3 == 0 else "2.0.1"
            fails = chance.random() < (0.4 if version == BAD_VERSION else 0.005)
            _checkout(chance, scope("storefront", "5.1.0"), scope("payments", version), at_ns, fails=fails)
            _request(chance, scope("storefront", "5.1.0"), "GET", "/products/{id}", at_ns=at_ns + 10**9)
            _request(chance, scope("search", "1.4.0"), "GET", "/search", at_ns=at_ns + 2 * 10**9)
    return request.SerializeToString()


def _checkout(chance: random.Random, front: ScopeSpans, payments: ScopeSpans, at_ns: int, *, fails: bool) -> None:
    """Add a checkout and the charge below it; a failing one fails in payments."""
    root = _request(chance, front, "POST", "/checkout", at_ns=at_ns, took_ms=120, fails=fails)
    call = _span(
        chance, front, "POST", at_ns=at_ns + 10**7, took_ms=100, parent=root, kind=Span.SPAN_KIND_CLIENT, fails=fails
    )
    charge = _span(
        chance,
        payments,
        "POST /charge",
        at_ns=at_ns + 2 * 10**7,
        took_ms=80,
        parent=call,
        kind=Span.SPAN_KIND_SERVER,
        fails=fails,
    )
    _routed(charge, "POST", "/charge", fails=fails)
    if fails:
        event = charge.events.add(name="exception", time_unix_nano=charge.end_time_unix_nano)
        event.attributes.add(key="exception.type").value.string_value = "CardGatewayTimeout"


def _request(
    chance: random.Random, scope: ScopeSpans, method: str, route: str, *, at_ns: int, took_ms: int = 20,
    fails: bool = False,
) -> Span:  # fmt: skip
    span = _span(
        chance,
        scope,
        f"{method} {route}",
        at_ns=at_ns,
        took_ms=took_ms,
        parent=None,
        kind=Span.SPAN_KIND_SERVER,
        fails=fails,
    )
    _routed(span, method, route, fails=fails)
    return span


def _span(
    chance: random.Random, scope: ScopeSpans, name: str, *, at_ns: int, took_ms: int, parent: Span | None,
    kind: Span.SpanKind.ValueType = Span.SPAN_KIND_SERVER, fails: bool,
) -> Span:  # fmt: skip
    span = scope.spans.add(
        trace_id=parent.trace_id if parent else chance.randbytes(16),
        span_id=chance.randbytes(8),
        parent_span_id=parent.span_id if parent else b"",
        name=name,
        kind=kind,
        start_time_unix_nano=at_ns,
        end_time_unix_nano=at_ns + took_ms * 10**6,
    )
    if fails:
        span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="the card gateway did not answer"))
    return span


def _routed(span: Span, method: str, route: str, *, fails: bool) -> None:
    for key, value in {"http.request.method": method, "http.route": route}.items():
        span.attributes.add(key=key).value.string_value = value
    span.attributes.add(key="http.response.status_code").value.int_value = 500 if fails else 200
