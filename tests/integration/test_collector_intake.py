"""The way of a request through check, admission and spool, and what the collector says about it."""

import asyncio
import json
import re
import time
from contextlib import contextmanager
from dataclasses import asdict

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api import models as m
from collector.admission.admission import Admission
from collector.admission.pressure import Pressure, PressureSampler, Priority
from collector.errors import BadPayload, Overloaded
from collector.intake import SIGNALS, Intake
from collector.self_metrics import SelfMetrics
from storage.client import Database

NOWHERE = "http://127.0.0.1:9/never"
SPOOL_LIMIT = 1 << 20


class Collector:
    """An intake and what it offers at /metrics."""

    def __init__(self, intake, registry):
        self.intake, self.registry = intake, registry

    def send(self, *bodies, signal="traces", as_json=False):
        """Send *bodies* at the same time and return what was accepted of each."""

        async def one(body):
            with self.intake.admission.enter(None, signal) as entry:
                entry.take(len(body))
                return await self.intake.accept(signal, body, entry, as_json=as_json)

        async def every():
            return await asyncio.gather(*(one(body) for body in bodies))

        return asyncio.run(every())

    def status(self, signal="traces"):
        return next(lane for lane in self.intake.status() if lane.signal == signal)

    def sample(self, name, **labels):
        return self.registry.get_sample_value(name, labels)

    def balance(self):
        """Return whether every item that was received is accounted for."""
        lane = self.status()
        parts = (lane.accepted_items, lane.rejected_items, lane.repeated_items, lane.refused_items)
        return lane.received_items == sum(parts)


@contextmanager
def collecting(database, folder, *, load=None, spool_limit=SPOOL_LIMIT, writing=False, **options):
    """Run an intake under *load*; what it accepts stays in the spool unless it is *writing*."""
    sampler = PressureSampler(lambda: load or Pressure())
    sampler.current = load or Pressure()
    registry = CollectorRegistry()
    admission = Admission(sampler=sampler, **options)
    intake = Intake(database, folder, SelfMetrics(registry), spool_limit_bytes=spool_limit, admission=admission)
    if writing:
        intake.start()
    try:
        yield Collector(intake, registry)
    finally:
        if writing:
            intake.close(5)
        for lane in intake._lanes.values():
            lane.spool.close()


@pytest.fixture(autouse=True)
def _sealed_soon(monkeypatch):
    monkeypatch.setattr("collector.spool.spool.SEAL_AFTER_S", 0.05)


@pytest.fixture
def collector(tmp_path):
    with collecting(Database(NOWHERE, create=False), tmp_path) as found:
        yield found


def wait_for(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def fill_up(collector, otlp, service="shop"):
    """Send spans of *service* until they are refused, and return how many were accepted and the refusal."""
    accepted = 0
    for _ in range(1000):
        try:
            accepted += collector.send(otlp.traces(*(otlp.span() for _ in range(10)), service=service))[0].accepted
        except Overloaded as refusal:
            return accepted, refusal
    return pytest.fail("nothing was refused")


def log_request(text):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=time.time_ns())
    record.body.string_value = text
    return request.SerializeToString()


def json_request(*spans):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode()


def json_span(**fields):
    return {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "GET /", **fields}


def test_what_is_accepted_is_stored_and_every_stage_counts_it(database, otlp, tmp_path):
    with collecting(database, tmp_path, writing=True) as collector:
        body = otlp.traces(otlp.span(), otlp.span(span_id=b"bad"), otlp.span())
        (checked,) = collector.send(body)
        assert (checked.accepted, checked.rejected) == (2, 1)
        assert collector.send(otlp.counter("requests", 5), signal="metrics")[0].accepted == 1
        assert collector.send(log_request("it works"), signal="logs")[0].accepted == 1
        wait_for(lambda: [lane.stored_items for lane in collector.intake.status()] == [2, 1, 1])
        wait_for(lambda: collector.status().spool_segments == 0)
        found = collector.status()
        assert (found.received_items, found.accepted_items, found.rejected_items) == (3, 2, 1)
        assert (found.accepted_requests, found.spool_bytes, found.spool_oldest_s) == (1, 0, 0)
        assert (found.breaker, found.last_error) == ("closed", "")
        assert found.last_stored_at is not None
        assert collector.sample("ninelives_stored_items_total", signal="traces") == 2
        assert collector.sample("ninelives_insert_seconds_count", signal="traces") == 1
    assert database.command("SELECT count() FROM spans") == 2
    assert database.command("SELECT count() FROM logs") == 1


def test_a_database_that_is_down_fills_the_spool_and_shows_it(tmp_path, otlp):
    with collecting(Database(NOWHERE, create=False), tmp_path, writing=True) as collector:
        assert collector.send(otlp.traces(otlp.span()))[0].accepted == 1
        wait_for(lambda: collector.status().breaker == "open")
        found = collector.status()
        assert found.last_error
        assert found.spool_segments == 1
        assert found.spool_bytes > 0
        assert 0 < found.spool_fill < 0.01
        wait_for(lambda: collector.status().spool_oldest_s > 0.2)
        assert (found.stored_items, found.last_stored_at) == (0, None)
        states = ("closed", "open", "half-open")
        shown = {name: collector.sample("ninelives_breaker_state", state=name) for name in states}
        assert sum(shown.values()) == 1
        assert shown["closed"] == 0


def test_beyond_the_spools_limit_requests_are_refused_as_retryable_and_counted(tmp_path, otlp):
    with collecting(Database(NOWHERE, create=False), tmp_path, spool_limit=20_000) as collector:
        accepted, refusal = fill_up(collector, otlp)
        assert (refusal.http, refusal.retry_after_s) == (503, 1)
        found = collector.status()
        assert accepted == found.accepted_items > 10
        assert found.refused_requests == {"Overloaded": 1}
        assert found.shedding_level == 2, "normal services are refused before the spool is full"
        assert collector.balance()
        assert collector.intake.admission.budget.used_bytes == 0
        assert collector.send(otlp.counter("requests", 5), signal="metrics")[0].accepted == 1


def test_critical_services_may_fill_the_spool_to_its_end(tmp_path, otlp):
    options = {"spool_limit": 20_000, "priorities": {"pay": Priority.CRITICAL}}
    with collecting(Database(NOWHERE, create=False), tmp_path, **options) as collector:
        assert "normal priority" in str(fill_up(collector, otlp, "shop")[1])
        full_for_others = collector.status().spool_fill
        accepted, refusal = fill_up(collector, otlp, "pay")
        assert accepted >= 0
        assert "the spool is full" in str(refusal)
        assert 0.9 <= full_for_others <= collector.status().spool_fill <= 1


def test_a_retry_is_acknowledged_again_and_counted_apart(collector, otlp):
    body = otlp.traces(otlp.span(), otlp.span())
    for _ in range(3):
        assert collector.send(body)[0].accepted == 2
    found = collector.status()
    assert (found.received_items, found.accepted_items, found.repeated_items, found.accepted_requests) == (6, 2, 4, 1)
    assert collector.balance()


def test_the_same_body_twice_at_the_same_time_is_counted_once(collector, otlp):
    body = otlp.traces(otlp.span())
    assert [checked.accepted for checked in collector.send(body, body, body)] == [1, 1, 1]
    found = collector.status()
    assert (found.accepted_items, found.repeated_items) == (1, 2)


def test_what_a_client_does_not_wait_for_is_counted_all_the_same(collector, otlp):
    """A gRPC client's deadline cancels its call; what was on its way to the disk arrives there."""

    async def send_and_leave():
        with collector.intake.admission.enter(None, "traces") as entry:
            sending = asyncio.create_task(collector.intake.accept("traces", otlp.traces(otlp.span()), entry))
            await asyncio.sleep(0)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        while not collector.status().accepted_items:  # noqa: ASYNC110 -- the counter is no event
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(send_and_leave(), 10))
    assert collector.status().accepted_items == 1
    assert collector.status().spool_bytes > 0
    assert collector.balance()


def test_a_service_that_overflows_is_stored_whole_and_warned_and_no_other(collector, otlp):
    collector.intake.overflowing = frozenset({"leaky"})
    leaky, calm = collector.send(otlp.traces(otlp.span(), service="leaky"), otlp.traces(otlp.span(), service="calm"))
    assert (leaky.accepted, leaky.rejected, calm.message) == (1, 0, "")
    assert "put ids into attributes, not into names" in leaky.message


def test_a_service_with_too_many_series_is_warned_with_its_metrics_and_nothing_else(collector, otlp):
    collector.intake.overflowing_series = frozenset({"leaky"})
    leaky, calm = collector.send(
        otlp.counter("clicks", 1, service="leaky"), otlp.counter("clicks", 1, service="calm"), signal="metrics"
    )
    assert (leaky.accepted, leaky.rejected, calm.message) == (1, 0, "")
    assert "'leaky' sends too many metric series" in leaky.message
    assert "take ids out of its metrics' attributes" in leaky.message
    (traces,) = collector.send(otlp.traces(otlp.span(), service="leaky"))
    assert traces.message == ""


def test_an_empty_request_is_acknowledged_and_stores_nothing(collector):
    assert collector.send(b"")[0].accepted == 0
    assert collector.status().received_items == 0
    assert collector.status().accepted_requests == 0
    assert collector.status().spool_bytes == 0


def test_json_and_protobuf_go_the_same_way(collector):
    (checked,) = collector.send(json_request(json_span()), as_json=True)
    assert (checked.accepted, checked.rejected, checked.message) == (1, 0, "")
    assert checked.services == {"unknown_service"}


def test_spans_that_are_invalid_in_json_and_spans_with_invalid_ids_are_rejected_together(collector):
    spans = (json_span(), json_span(spanId="zz"), json_span(kind=True), json_span(traceId="0" * 32))
    (checked,) = collector.send(json_request(*spans), as_json=True)
    assert (checked.accepted, checked.rejected) == (1, 3)
    assert checked.message
    assert collector.status().rejected_items == 3
    assert collector.balance()


def test_json_in_which_nothing_is_valid_is_a_bad_request(collector):
    with pytest.raises(BadPayload):
        collector.send(json_request(json_span(spanId="zz"), json_span(kind=True)), as_json=True)
    with pytest.raises(BadPayload):
        collector.send(json_request(json_span(spanId="zz"), json_span(traceId="0" * 32)), as_json=True)
    with pytest.raises(BadPayload):
        collector.send(b"", as_json=True)
    assert collector.status().refused_requests == {"BadPayload": 3}
    assert collector.intake.admission.budget.used_bytes == 0


def test_memory_in_flight_covers_what_json_becomes(tmp_path):
    body = json_request(*(json_span(spanId=f"{number:016x}") for number in range(1, 50)))
    with collecting(Database(NOWHERE, create=False), tmp_path, inflight_limit_bytes=len(body) + 100) as collector:
        with pytest.raises(Overloaded, match="in flight"):
            collector.send(body, as_json=True)
        assert collector.intake.admission.budget.used_bytes == 0
        assert collector.status().refused_requests == {"Overloaded": 1}


def test_low_priority_is_shed_under_load_and_the_rest_is_accepted(tmp_path, otlp):
    database = Database(NOWHERE, create=False)
    options = {"load": Pressure(cpu=0.95), "priorities": {"batch": Priority.LOW}}
    with collecting(database, tmp_path, **options) as collector:
        with pytest.raises(Overloaded, match="the CPU is 95 % busy"):
            collector.send(otlp.traces(otlp.span(), otlp.span(), service="batch"))
        assert collector.send(otlp.traces(otlp.span(), service="shop"))[0].accepted == 1
        found = collector.status()
        assert (found.shedding_level, found.refused_items, found.accepted_items) == (1, 2, 1)
        assert found.refused_requests == {"Overloaded": 1}
        assert collector.balance()
        assert collector.sample("ninelives_shedding_level", signal="traces") == 1
        assert collector.sample("ninelives_cpu_pressure_ratio") == 0.95


def test_requests_in_progress_are_seen_while_they_last(collector):
    with collector.intake.admission.enter(None, "traces") as entry:
        entry.take(12_345)
        assert collector.sample("ninelives_inflight_bytes") == 12_345
    assert collector.sample("ninelives_inflight_bytes") == 0
    assert collector.sample("ninelives_inflight_limit_bytes") == 256 << 20


def test_after_closing_requests_are_refused_as_retryable(tmp_path, otlp):
    with collecting(Database(NOWHERE, create=False), tmp_path, writing=True) as collector:
        collector.send(otlp.traces(otlp.span()))
        assert not collector.intake.close(0.2), "the database never answered"
        with pytest.raises(Overloaded, match="shutting down"):
            collector.send(otlp.traces(otlp.span()))


def test_the_metrics_are_named_typed_and_explained_as_prometheus_wants(collector, otlp):
    collector.send(otlp.traces(otlp.span()))
    with pytest.raises(BadPayload):
        collector.send(b"nonsense")
    collector.intake.metrics.watch_connections("otlp_http", lambda: 3)
    text = generate_latest(collector.registry).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for family in families.values():
        assert re.fullmatch(r"ninelives_[a-z_]+", family.name)
        assert family.documentation
        assert not re.search(r"_(ms|mb|kb|total|count)$", family.name), "base units, and _total only in samples"
        for sample in family.samples:
            assert family.type != "counter" or sample.name.endswith("_total")
    signals = {sample.labels["signal"] for sample in families["ninelives_accepted_items"].samples}
    assert signals == set(SIGNALS)
    assert collector.sample("ninelives_refused_requests_total", signal="traces", reason="BadPayload") == 1
    assert collector.sample("ninelives_connections", transport="otlp_http") == 3
    assert "_created" not in text


def test_the_api_shows_all_of_the_status(collector, otlp):
    collector.send(otlp.traces(otlp.span()))
    lane = collector.status()
    shown = m.IngestStatus.model_validate(lane, from_attributes=True).model_dump()
    assert shown == asdict(lane)


def test_one_entry_point_serves_many_requests_at_once(collector, otlp):
    bodies = [otlp.traces(otlp.span(kind=Span.SPAN_KIND_CLIENT), otlp.span()) for _ in range(200)]
    assert sum(checked.accepted for checked in collector.send(*bodies)) == 400
    assert collector.status().accepted_items == 400
    assert collector.status().accepted_requests == 200
