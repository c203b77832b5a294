"""The way in over HTTP: alarms, stages, volumes and telemetry checks, as the typed client reads them."""

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from api import models as m
from api.app import build_app
from api.client import ApiClient
from api.context import Context, TickStatus
from ninelives.cli import main
from storage.client import Database
from storage.ingest_stats import StageReport, save_reports
from storage.slo_catalog import SloCatalog

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)


def report(at, **changes):
    """Return a calm report with 100 items received and stored."""
    found = StageReport(
        collector="a:4318", signal="traces", at=at, started_at=at - timedelta(hours=1), received_items=100,
        accepted_items=100, rejected_items=0, repeated_items=0, refused_items=0, refused_requests={}, found_items=0,
        waiting_items=0, stored_items=100, put_aside_items=0, unaccounted_items=0, dead_letters=0, damaged_requests=0,
        spool_bytes=0, spool_fill=0.0, spool_oldest_s=0.0, shedding_level=0, breaker="closed", breaker_s=10.0,
        last_stored_at=at, last_error="",
    )  # fmt: skip
    return replace(found, **changes)


@contextmanager
def serving(database, folder, **parts):
    tick = lambda: TickStatus(datetime.now(UTC), "")  # noqa: E731 -- what a running evaluator would say
    context = Context(
        database, SloCatalog([folder]), CollectorRegistry(), "1.2.3", {"otlp_http": "http://otlp"}, tick=tick, **parts
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(context), log_config=None, access_log=False))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture
def now():
    return datetime.now(UTC).replace(microsecond=0)


def test_an_empty_database_is_calm(database, tmp_path):
    with serving(database, tmp_path) as url, ApiClient(url, timeout_s=30) as api:
        found = api.ingest()
        assert (found.alarms, found.stages, found.series, found.services, found.error) == ([], [], [], [], "")
        checks = api.checks()
        assert checks.items == []
        assert len(checks.checks) >= 14


def test_stages_alarms_and_rates_of_all_collectors_are_read(database, tmp_path, now):
    earlier = now - MINUTE
    save_reports(
        database,
        [report(earlier, received_items=40, stored_items=40), report(now, started_at=earlier - timedelta(hours=1))],
    )
    save_reports(database, [report(now, collector="b:4318", signal="metrics", dead_letters=2)])
    save_reports(database, [report(now - timedelta(minutes=20), collector="c:4318")])
    with serving(database, tmp_path) as url, ApiClient(url, timeout_s=30) as api:
        found = api.ingest(window_s=600)
    assert [(stage.signal, stage.collector, stage.received_items) for stage in found.stages] == [
        ("metrics", "b:4318", 100),
        ("traces", "a:4318", 100),
        ("traces", "c:4318", 100),
    ]
    assert [(alarm.alarm, alarm.collector) for alarm in found.alarms] == [
        ("dead_letters", "b:4318"),
        ("silent", "c:4318"),
    ]
    assert sum(point.received for point in found.series if point.signal == "traces") == 60
    assert found.step_s == 10


def test_what_is_stored_is_told_by_service_and_signal(database, store, otlp, tmp_path):
    store(database, otlp.traces(*(otlp.span() for _ in range(7)), service="shop"))
    store(database, otlp.traces(otlp.span(), service="cart"))
    store(database, otlp.counter("hits", 3, service="shop"), signal="metrics")
    with serving(database, tmp_path) as url, ApiClient(url, timeout_s=30) as api:
        found = {(volume.service, volume.signal): volume for volume in api.ingest().services}
    assert {key: volume.items for key, volume in found.items()} == {
        ("shop", "traces"): 7,
        ("cart", "traces"): 1,
        ("shop", "metrics"): 1,
    }
    assert all(datetime.now(UTC) - volume.last_at < 3 * MINUTE for volume in found.values())


def test_while_the_database_is_down_the_own_process_still_tells(tmp_path, now):
    down = Database("http://127.0.0.1:9/never", create=False)
    own = [report(now, breaker="open", breaker_s=75.0, last_error="connection refused")]
    letter = m.DeadLetter(signal="traces", at=now, items=3, size_bytes=10, reason="unreadable", file="traces-1-0.pb")
    with (
        serving(down, tmp_path, reports=lambda: own, dead_letters=lambda: [letter]) as url,
        ApiClient(url, timeout_s=30) as api,
    ):
        found = api.ingest()
    assert [alarm.alarm for alarm in found.alarms] == ["breaker_open"]
    assert [stage.breaker for stage in found.stages] == ["open"]
    assert found.error
    assert found.dead_letters == [letter]


def test_findings_are_given_by_service_and_kept_for_a_minute(database, store, otlp, tmp_path):
    store(database, otlp.traces(*(otlp.span(kind=1) for _ in range(20)), service="job", version="1"))
    with serving(database, tmp_path) as url, ApiClient(url, timeout_s=30) as api:
        (found,) = api.checks(service="job").items
        assert (found.check, found.severity, found.evidence["spans"]) == ("no_request_spans", "warning", 20)
        assert api.checks(service="shop").items == []
        store(database, otlp.traces(*(otlp.span(kind=1) for _ in range(20)), service="job", version="1"))
        assert api.checks(service="job").items == [found]


def test_the_doctor_tells_alarms_and_findings_with_their_remedies(database, store, otlp, tmp_path, now):
    store(database, otlp.traces(*(otlp.span(start_ns=0) for _ in range(20)), service="job", version="1"))
    save_reports(database, [report(now, damaged_requests=2, dead_letters=1)])
    with serving(database, tmp_path) as url:
        done = CliRunner().invoke(main, ["doctor", "--api", url.removeprefix("http://")])
        as_json = CliRunner().invoke(main, ["doctor", "--json", "--api", url.removeprefix("http://")])
    assert done.exit_code == 1
    assert "! traces at a:4318: 2 acknowledged requests damaged" in done.output
    assert "smartctl" in done.output
    assert "job in prod:\n  critical: 20 of 20 spans have a time that cannot be true" in done.output
    assert "start_time_unix_nano" in done.output
    assert '"check": "quarantined_times"' in as_json.output


def test_the_doctor_does_not_fail_for_advice(database, store, otlp, tmp_path):
    store(database, otlp.traces(*(otlp.span(attributes={"http.method": "GET"}) for _ in range(20)), version="1"))
    with serving(database, tmp_path) as url:
        done = CliRunner().invoke(main, ["doctor", "--api", url.removeprefix("http://")])
    assert done.exit_code == 0, done.output
    assert "info: 20 of 20 spans use replaced names (http.method)" in done.output
