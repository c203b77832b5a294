"""Telemetry checks over what was ingested: each fault is found with its numbers, and a sound service is left alone.

One database holds a service for each fault; they are stored and checked once.
"""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from storage import telemetry_checks as module
from storage.migrate import migrate
from storage.series_limits import limit_series
from storage.telemetry_checks import telemetry_checks
from storage.telemetry_finding import CHECKS

pytestmark = pytest.mark.slow

SERVER, CLIENT, INTERNAL = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL
AGO_NS = 5 * 60 * 1_000_000_000
REMOTE, LOCAL = 0x300, 0x100
OLD_NAMES = {"http.method": "GET", "http.status_code": 200}
CALLEE_BY = {
    "service.peer.name": "cart-0",
    "peer.service": "cart-1",
    "server.address": "cart-2.prod.svc",
    "net.peer.name": "cart-3",
}
SAMPLING = {
    "elastic": {"trace_state": "es=s:0.1"},
    "honeycomb": {"attributes": {"SampleRate": 20}},
    "jaeger": {"attributes": {"sampler.type": "probabilistic", "sampler.param": 0.25}},
    "weighted": {"trace_state": "ot=th:c,es=s:0.25"},
    "all-sampled": {"attributes": {"sampler.type": "probabilistic", "sampler.param": 1.0}},
    "other-vendor": {"trace_state": "yes=s:0.1"},
}
NAMES = {
    "numbers": lambda i: f"GET /users/{1000 + i}",
    "uuids": lambda i: f"job 4bf92f35-77b3-4da6-a3ce-{i:012x}",
    "hex": lambda i: f"load {i:024x}7",
    "versions": lambda i: f"GET /v{i % 3 + 10}/{'abcdefghijklmnopqrstuvwxyzabcd'[i]}",
}
ENVIRONMENTS = {
    "prod-production": ["prod", "production"],
    "prod-Prod": ["prod", "Prod"],
    "prod-staging": ["prod", "staging"],
    "prod-none": ["prod", ""],
}


def ago_ns():
    return time.time_ns() - AGO_NS


def sound(otlp, count=20, **fields):
    """Return spans of a service that does everything right."""
    return [otlp.span(start_ns=ago_ns(), **fields) for _ in range(count)]


def chains(otlp, count, *, attributes=None, flags=0):
    """Return *count* calls and the server spans that continue them."""
    pairs = []
    for _ in range(count):
        trace, parent = os.urandom(16), os.urandom(8)
        call = otlp.span(kind=CLIENT, start_ns=ago_ns(), trace_id=trace, span_id=parent, attributes=attributes)
        pairs.append((call, otlp.span(start_ns=ago_ns(), trace_id=trace, parent=parent, flags=flags)))
    return [call for call, _ in pairs], [server for _, server in pairs]


def traces(otlp):
    """Yield the requests of all services: one name, one story."""

    def of(service, *spans, version="1", **identity):
        return otlp.traces(*spans, service=service, version=version, **identity)

    calls, served = chains(otlp, 30, attributes={"server.address": "sound-callee"})
    yield of("sound", *calls, *sound(otlp))
    yield of("sound-callee", *served)
    yield of("all-internal", *sound(otlp, kind=INTERNAL))
    yield of("only-calls", *sound(otlp, kind=CLIENT, attributes={"server.address": "api.stripe.com"}))
    yield of("", *sound(otlp))
    yield of("no-version", *sound(otlp), version="")
    yield of("no-environment", *sound(otlp), environment="")
    for service, environments in ENVIRONMENTS.items():
        yield from (of(service, *sound(otlp), environment=environment) for environment in environments)
    for service, flags in (("remote-orphans", REMOTE), ("local-orphans", LOCAL)):
        calls, served = chains(otlp, 45)
        yield of(service, *chains(otlp, 15, flags=flags)[1], *calls, *served)
    late = [otlp.span(start_ns=otlp.ago_ns(seconds=30), parent=os.urandom(8)) for _ in range(50)]
    yield of("late-parents", *late)
    for number, (key, address) in enumerate(CALLEE_BY.items()):
        calls, served = chains(otlp, 20, attributes={key: address})
        broken = sound(otlp, 40, kind=CLIENT, attributes={key: address})
        yield of(f"caller-{number}", *calls, *broken, *sound(otlp))
        yield of(f"cart-{number}", *served, *sound(otlp, 40))
    for service, name in NAMES.items():
        yield of(service, *(otlp.span(name(i), start_ns=ago_ns()) for i in range(30)), *sound(otlp))
    for service, fields in SAMPLING.items():
        yield of(service, *sound(otlp, **fields))
    ahead = [otlp.span(start_ns=time.time_ns() + 7200 * 10**9) for _ in range(3)]
    yield of("ahead", *sound(otlp, 100), *ahead)
    yield of("no-start", *sound(otlp, 5), *(otlp.span(start_ns=0) for _ in range(5)))
    yield of("old-names", *sound(otlp, attributes=OLD_NAMES), *sound(otlp))
    yield of("cut", *sound(otlp, 18), *sound(otlp, 2, dropped_attributes_count=3, dropped_events_count=1))
    yield of("ancient", *(otlp.span(start_ns=otlp.ago_ns(hours=2), kind=INTERNAL) for _ in range(20)))


def histogram(otlp, name, counts, bounds, *, temporality=2, points=2):
    """Return a request with *points* of one histogram of seconds; cumulative ones grow to *counts*."""
    request, metrics = otlp.metrics_request(service="measured")
    metric = metrics.add(name=name, unit="s")
    metric.histogram.aggregation_temporality = temporality
    for place in range(points):
        part = counts if temporality == 1 or place == points - 1 else [count // 2 for count in counts]
        metric.histogram.data_points.add(
            time_unix_nano=otlp.ago_ns(minutes=9 - place), count=sum(part), sum=1.0, bucket_counts=part,
            explicit_bounds=bounds,
        )  # fmt: skip
    return request.SerializeToString()


def metrics(otlp):
    yield histogram(otlp, "seconds", [0, 990, 10, 0, 0, 0], [0.0, 5.0, 10.0, 25.0, 50.0])
    yield histogram(otlp, "delta", [0, 0, 60], [1.0, 2.0], temporality=1, points=3)
    yield histogram(otlp, "spread", [10, 300, 300, 390], [0.1, 0.5, 1.0])
    yield histogram(otlp, "rare", [0, 40], [1.0])
    yield otlp.counter("clicks", 5, service="measured", attributes={"user": "a"})
    yield otlp.counter("clicks", 9, service="measured", attributes={"otel.metric.overflow": True})


def too_many(otlp, users):
    """Yield requests with two metrics, most of whose series are of the first."""
    for user in users:
        yield otlp.counter("clicks", 5, service="ids-in-metrics", attributes={"user": user})
        yield otlp.counter("logins", 5, service="ids-in-metrics", attributes={"user": user // 6})


@pytest.fixture(scope="module")
def findings(_chdb, store, otlp):
    """Return all findings about all services."""
    database = _chdb.database()
    migrate(database)
    store(database, *traces(otlp))
    store(database, *metrics(otlp), signal="metrics")
    store(database, *too_many(otlp, range(12)), signal="metrics")
    assert limit_series(database, limit=11, now=datetime.now(UTC)) == ["ids-in-metrics"]
    store(database, *too_many(otlp, range(6, 30)), signal="metrics")
    yield telemetry_checks(database, now=datetime.now(UTC))
    _chdb.drop(database)


@pytest.fixture
def of(findings):
    """Return a function that gives a service's findings by check; each check may speak once of an environment."""

    def find(service, *, environment="prod"):
        own = [item for item in findings if item.service == service and item.environment in {environment, ""}]
        by_check = {item.check: item for item in own}
        assert len(by_check) == len(own), own
        return by_check

    return find


def test_every_finding_has_a_known_check_a_text_and_a_remedy(findings):
    assert {item.check for item in findings} == set(CHECKS)
    assert all(item.finding and item.remedy and "{" not in item.finding for item in findings)


def test_the_worst_come_first(findings):
    ranks = [("critical", "warning", "info").index(item.severity) for item in findings]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    "service",
    [
        "sound",
        "sound-callee",
        "prod-staging",
        "late-parents",
        "versions",
        "weighted",
        "all-sampled",
        "other-vendor",
        "ancient",
    ],
)
def test_a_service_without_fault_in_the_last_hour_is_left_alone(of, service):
    assert of(service) == {}


def test_a_service_whose_spans_are_all_internal_is_told_how_to_send_requests(of):
    found = of("all-internal")["no_request_spans"]
    assert found.severity == "warning"
    assert found.evidence == {"spans": 20, "internal_spans": 20, "outgoing_spans": 0}
    assert "SpanKind.SERVER" in found.remedy


def test_a_service_that_only_calls_others_may_be_a_job_and_strangers_say_nothing_about_propagation(of):
    assert {check: found.severity for check, found in of("only-calls").items()} == {"no_request_spans": "info"}


@pytest.mark.parametrize(
    ("service", "check", "severity", "remedy"),
    [
        ("unknown_service", "missing_service_name", "critical", "OTEL_SERVICE_NAME"),
        ("no-version", "missing_service_version", "info", "service.version="),
        ("no-environment", "missing_environment", "warning", "deployment.environment.name="),
    ],
)
def test_what_a_resource_lacks_is_found(of, service, check, severity, remedy):
    (found,) = of(service).values()
    assert (found.check, found.severity) == (check, severity)
    assert remedy in found.remedy


@pytest.mark.parametrize("service", ["prod-production", "prod-Prod", "prod-none"])
def test_one_environment_under_two_names_is_found(of, service):
    found = of(service)["mixed_environments"]
    assert sorted(found.examples) == sorted(name for name in ENVIRONMENTS[service] if name)
    assert "2 environments" in found.finding


@pytest.mark.parametrize(
    ("service", "remote", "remedy"),
    [("remote-orphans", 15, "the caller export"), ("local-orphans", 0, "OTEL_BSP_MAX_QUEUE_SIZE")],
)
def test_spans_whose_parent_never_arrived_are_orphans_and_a_remote_parent_is_told_apart(of, service, remote, remedy):
    found = of(service)["orphan_spans"]
    assert found.severity == "critical"
    assert found.evidence == {"orphans": 15, "children": 60, "orphan_ratio": 0.25, "remote": remote}
    assert remedy in found.remedy
    assert len(found.examples) == 3


@pytest.mark.parametrize("number", range(len(CALLEE_BY)))
def test_calls_that_the_callee_does_not_continue_are_broken_propagation(of, number):
    found = of(f"caller-{number}")["broken_propagation"]
    assert found.severity == "critical"
    assert found.evidence == {"calls": 60, "continued": 20, "new_traces": 40}
    assert f"cart-{number}" in found.finding
    assert "traceparent" in found.remedy


@pytest.mark.parametrize("service", ["numbers", "uuids", "hex"])
def test_ids_in_span_names_are_found(of, service):
    found = of(service)["ids_in_span_names"]
    assert found.evidence == {"names": 31, "names_with_ids": 30, "templates": 1}
    assert found.examples[0] == NAMES[service](0)


@pytest.mark.parametrize(("service", "ratio"), [("elastic", 0.1), ("honeycomb", 0.05), ("jaeger", 0.25)])
def test_spans_that_tell_of_sampling_in_other_words_lack_weight(of, service, ratio):
    found = of(service)["sampling_without_weights"]
    assert found.evidence == pytest.approx({"sampled": 20, "mean_ratio": ratio})


def test_times_that_cannot_be_true_are_found_with_the_skew(of):
    found = of("ahead")["quarantined_times"]
    assert found.severity == "warning"
    assert found.evidence == pytest.approx(
        {"quarantined": 3, "spans": 103, "without_time": 0, "median_skew_s": 7200}, abs=120
    )
    assert "ahead" in found.finding


def test_spans_without_a_start_time_are_told_apart_from_a_wrong_clock(of):
    found = of("no-start")["quarantined_times"]
    assert (found.severity, found.evidence) == ("critical", {"quarantined": 5, "spans": 10, "without_time": 5})
    assert "start_time_unix_nano" in found.remedy


def test_replaced_attribute_names_are_mentioned(of):
    found = of("old-names")["old_semantic_conventions"]
    assert (found.severity, found.examples) == ("info", ["http.method", "http.status_code"])
    assert found.evidence == {"spans": 40, "with_old_names": 20}


def test_what_the_sdk_dropped_is_counted(of):
    found = of("cut")["dropped_by_the_sdk"]
    assert found.evidence == {"spans": 20, "cut_spans": 2, "attributes_lost": 6, "events_lost": 2}
    assert "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" in found.remedy


def test_histograms_whose_values_lie_in_one_bucket_are_unusable_and_seconds_have_their_own_remedy(findings):
    found = {item.examples[0]: item for item in findings if item.check == "unusable_histogram_bounds"}
    assert set(found) == {"seconds", "delta"}
    assert found["seconds"].evidence == {"observations": 1000, "in_one_bucket_ratio": 0.99, "buckets": 6}
    assert "above 0 up to 5 s" in found["seconds"].finding
    assert "explicit_bucket_boundaries_advisory" in found["seconds"].remedy
    assert found["delta"].evidence["observations"] == 180
    assert "View" in found["delta"].remedy


def test_a_metric_that_overflowed_in_its_sdk_is_found(findings):
    (found,) = [item for item in findings if item.check == "cardinality_overflow"]
    assert found.evidence == {"series": 2, "overflows": 1}
    assert found.examples == ["clicks", "otel.metric.overflow", "user"]


def test_a_service_beyond_its_limit_of_series_is_told_which_metric_has_most(of):
    found = of("ids-in-metrics")["too_many_series"]
    assert (found.severity, found.examples) == ("warning", ["clicks", "logins"])
    assert found.evidence == {"series": 14, "overflowing_metrics": 2}
    assert "14 in the last hour, most of them of clicks): new ones of 2 metrics are stored together" in found.finding
    assert "out of the attributes of clicks" in found.remedy
    assert "NINELIVES_SERIES_LIMIT" in found.remedy


def test_an_empty_database_has_no_findings(database):
    assert telemetry_checks(database, now=datetime.now(UTC)) == []


def test_findings_can_be_asked_for_one_service(database, store, otlp):
    for service in ("a", "b"):
        store(database, otlp.traces(*sound(otlp, attributes=OLD_NAMES), service=service, version="1"))
    assert [item.service for item in telemetry_checks(database, now=datetime.now(UTC), service="b")] == ["b"]


def test_a_busy_hour_is_read_only_as_far_as_the_limit(database, store, otlp, monkeypatch):
    """With a limit of 50 spans the older half of the hour is not looked at, and of one busy minute only a part."""
    old = [otlp.span(start_ns=otlp.ago_ns(minutes=30), attributes=OLD_NAMES) for _ in range(40)]
    new = [otlp.span(start_ns=otlp.ago_ns(minutes=3)) for _ in range(40)]
    store(database, otlp.traces(*old, *new, version="1"))
    now = datetime.now(UTC)
    assert [item.check for item in telemetry_checks(database, now=now)] == ["old_semantic_conventions"]
    monkeypatch.setattr(module, "MOST_ATTRIBUTED", 50)
    assert telemetry_checks(database, now=now) == []
    assert module._reach(database, now, 10) == (now - timedelta(seconds=15), 10)


def test_names_beyond_the_limit_of_the_rollup_are_an_overflow(database, store, otlp):
    store(
        database, otlp.traces(*sound(otlp), *(otlp.span("__other__", start_ns=ago_ns()) for _ in range(5)), version="1")
    )
    (found,) = telemetry_checks(database, now=datetime.now(UTC))
    assert (found.check, found.evidence) == ("cardinality_overflow", {"spans": 25, "folded_spans": 5})
