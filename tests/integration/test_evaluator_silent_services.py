"""Silent and retired services over the real engine: spans, metrics, and a way in that was closed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.silent_service import NoDataRule
from evaluator.silent_services import SilentServiceSource, way_in_was_open
from storage.ingest_stats import StageReport, save_reports

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC).replace(second=30, microsecond=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OPEN = StageReport(
    collector="here:4318",
    signal="traces",
    at=NOW,
    started_at=NOW - DAY,
    received_items=0,
    accepted_items=0,
    rejected_items=0,
    repeated_items=0,
    refused_items=0,
    refused_requests={},
    found_items=0,
    waiting_items=0,
    stored_items=0,
    put_aside_items=0,
    unaccounted_items=0,
    dead_letters=0,
    damaged_requests=0,
    spool_bytes=0,
    spool_fill=0.0,
    spool_oldest_s=0.0,
    shedding_level=0,
    breaker="closed",
    breaker_s=0.0,
    last_stored_at=None,
    last_error="",
)


def reports(*, now=NOW, minutes=14, **changes):
    return [replace(OPEN, at=now - timedelta(seconds=20 * step), **changes) for step in range(minutes * 3)]


@pytest.fixture
def sent(database, store, otlp):
    """Return a function that stores spans of a service at times before NOW."""

    def send(service, *before, environment="prod"):
        spans = [otlp.span(start_ns=otlp.ns(NOW - ago)) for ago in before]
        store(database, otlp.traces(*spans, service=service, environment=environment))
        return database

    return send


def week(*, until=timedelta(0), days=8):
    """Return times before NOW: every five minutes of four hours a day, at this time of the day."""
    around = [timedelta(minutes=minutes) for minutes in range(-120, 121, 5)]
    found = [day * DAY + ago for day in range(days) for ago in around if day * DAY + ago > until]
    return [*found, 20 * DAY] if days > 7 else found


def told(signals):
    return {(signal.service, signal.environment): (signal.met, signal.clear) for signal in signals}


def test_who_stops_in_usual_hours_is_missed_and_who_never_sends_now_is_not(database, sent):
    save_reports(database, reports())
    sent("stopped", *week(until=20 * MINUTE))
    sent("stopped", *week(until=MINUTE), environment="test")
    sent("sends", *week(until=MINUTE))
    sent("elsewhen", *(ago + 8 * HOUR for ago in week()))
    sent("born", *week(until=20 * MINUTE, days=1))
    found = SilentServiceSource(database, NoDataRule()).signals(NOW)
    assert told(found) == {
        ("stopped", "prod"): (True, False),
        ("stopped", "test"): (False, True),
        ("sends", "prod"): (False, True),
        ("elsewhen", "prod"): (False, False),
        ("born", "prod"): (False, False),
    }
    (fired,) = [signal for signal in found if signal.met]
    assert f"no spans and no metrics since {NOW - 25 * MINUTE:%Y-%m-%d %H:}" in fired.firing_summary()
    assert SilentServiceSource(database, NoDataRule(enabled=False)).signals(NOW) == []


def test_metrics_are_a_sign_of_life(database, sent, store, otlp):
    save_reports(database, reports())
    sent("idle", *week(until=20 * MINUTE))
    point = otlp.point(otlp.ns(NOW - MINUTE), as_double=1.0)
    store(database, otlp.metric("cpu", "gauge", point, service="idle"), signal="metrics")
    assert told(SilentServiceSource(database, NoDataRule()).signals(NOW)) == {("idle", "prod"): (False, True)}


def test_who_sends_again_is_heard_of_at_the_next_tick(database, sent):
    save_reports(database, reports())
    sent("stopped", *week(until=20 * MINUTE))
    source = SilentServiceSource(database, NoDataRule())
    assert told(source.signals(NOW)) == {("stopped", "prod"): (True, False)}
    sent("stopped", MINUTE)
    sent("new", MINUTE)
    assert told(source.signals(NOW + timedelta(seconds=90))) == {
        ("stopped", "prod"): (False, True),
        ("new", "prod"): (False, True),
    }


@pytest.mark.parametrize(
    "disturbed",
    [
        [],
        reports(minutes=5),
        [report for report in reports() if not 3 < (NOW - report.at) / MINUTE < 6],
        reports(spool_oldest_s=90.0),
        [*reports(), replace(OPEN, at=NOW - 5 * MINUTE, breaker="open")],
        reports(signal="logs"),
    ],
    ids=["no collector", "a late start", "a gap", "a spool that waits", "an open breaker", "nothing but logs"],
)
def test_a_silence_of_our_own_is_held_against_nobody(database, sent, disturbed):
    save_reports(database, disturbed)
    sent("stopped", *week(until=20 * MINUTE))
    assert told(SilentServiceSource(database, NoDataRule()).signals(NOW)) == {("stopped", "prod"): (False, False)}


def test_the_way_in_was_open_while_any_collector_reported():
    first, second = reports(collector="a", minutes=6), reports(collector="b", now=NOW - 5 * MINUTE, minutes=9)
    assert way_in_was_open([*first, *second], NOW - 10 * MINUTE, NOW)
    assert not way_in_was_open(first, NOW - 10 * MINUTE, NOW)


def test_who_is_silent_for_a_week_is_retired_and_its_ticket_ends(database, sent, store, otlp):
    save_reports(database, reports())
    sent("gone", 8 * DAY, 9 * DAY)
    sent("paused", 6 * DAY)
    sent("lives", MINUTE)
    source = SilentServiceSource(database, NoDataRule())
    assert source.retired(NOW) == {("gone", "prod")}
    assert source.retirement("gone", "prod") == f"gone in prod was retired: nothing since {NOW - 8 * DAY:%Y-%m-%d}"
    (signal,) = [signal for signal in source.signals(NOW) if signal.service == "gone"]
    assert (signal.met, signal.clear) == (False, True)
    assert signal.resolved_summary() == source.retirement("gone", "prod")
    assert source.retired(NOW + 2 * DAY) == {("gone", "prod"), ("paused", "prod")}
    assert source.retired(NOW + 37 * DAY) == {("lives", "prod")}


def test_a_service_of_metrics_only_retires_by_when_its_series_were_seen(database, store, otlp):
    store(database, otlp.metric("cpu", "gauge", otlp.point(otlp.ns(NOW), as_double=1.0)), signal="metrics")
    database.command("TRUNCATE TABLE arrivals")  # which are kept for three days only
    later = NOW + 8 * DAY
    assert SilentServiceSource(database, NoDataRule()).retired(later) == {("shop", "prod")}


def test_a_span_that_comes_late_shows_when_the_service_was_alive(database, sent):
    save_reports(database, reports())
    source = SilentServiceSource(database, NoDataRule())
    sent("gone", 9 * DAY)
    assert source.retired(NOW) == {("gone", "prod")}
    sent("gone", 2 * DAY)
    assert source.retired(datetime.now(UTC) + MINUTE) == set()
