"""The alarms of the way in become alerts: the same conditions as on the Ingest page, over the real engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evaluator.ingest_losses import IngestLossSource
from storage.ingest_alarms import ALARMS, ingest_alarms
from storage.ingest_stats import StageReport, save_reports

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CALM = StageReport(
    collector="here:4318",
    signal="traces",
    at=datetime(2026, 3, 1, tzinfo=UTC),
    started_at=datetime(2026, 3, 1, tzinfo=UTC),
    received_items=1000,
    accepted_items=1000,
    rejected_items=0,
    repeated_items=0,
    refused_items=0,
    refused_requests={},
    found_items=0,
    waiting_items=0,
    stored_items=1000,
    put_aside_items=0,
    unaccounted_items=0,
    dead_letters=0,
    damaged_requests=0,
    spool_bytes=0,
    spool_fill=0.0,
    spool_oldest_s=0.0,
    shedding_level=0,
    breaker="closed",
    breaker_s=900.0,
    last_stored_at=None,
    last_error="",
)
STATES = {
    "lost": {"unaccounted_items": 7},
    "breaker_open": {"breaker": "open", "breaker_s": 61.0},
    "spool_filling": {"spool_fill": 0.8},
    "spool_old": {"spool_oldest_s": 61.0, "waiting_items": 4200},
    "damaged": {"damaged_requests": 2},
    "dead_letters": {"dead_letters": 3},
}


@pytest.fixture
def now():
    return datetime.now(UTC).replace(microsecond=0)


def minutes(now, count=5, **changes):
    """Return reports every 10 s of the last *count* minutes."""
    started = now - timedelta(hours=3)
    steps = range(count * 6, -1, -1)
    return [replace(CALM, at=now - timedelta(seconds=10 * step), started_at=started, **changes) for step in steps]


def met(signals):
    return {signal.rule for signal in signals if signal.met}


def test_calm_collectors_are_clear_of_everything(database, now):
    save_reports(database, minutes(now))
    signals = IngestLossSource(database).signals(now)
    assert {signal.rule for signal in signals if signal.clear} == {
        *(f"ingest/{what}/here:4318" for what in ALARMS),
        "ingest/silent/every collector",
    }
    assert met(signals) == set()


def test_without_any_collector_there_is_nothing_to_say(database, now):
    assert IngestLossSource(database).signals(now) == []


@pytest.mark.parametrize("what", STATES)
def test_an_alarm_of_the_ingest_page_is_an_alert_with_its_words(database, now, what):
    reports = minutes(now, **STATES[what])
    save_reports(database, reports)
    signals = IngestLossSource(database).signals(now)
    assert met(signals) == {f"ingest/{what}/here:4318"}
    (signal,) = [signal for signal in signals if signal.met]
    (alarm,) = ingest_alarms(reports, now)
    assert signal.firing_summary() == f"collector here:4318: traces: {alarm.text} ({alarm.remedy})"
    assert (signal.severity == "page") == (alarm.severity == "critical")


def test_refusals_of_several_reasons_and_signals_are_one_alert(database, now):
    calm = minutes(now)[:-1]
    worse = replace(minutes(now)[-1], refused_requests={"Overloaded": 40, "TooLarge": 2})
    logs = [replace(report, signal="logs") for report in calm]
    save_reports(database, [*calm, worse, *logs, replace(worse, signal="logs", refused_requests={"RateLimited": 1})])
    (signal,) = [signal for signal in IngestLossSource(database).signals(now) if signal.met]
    assert signal.rule == "ingest/refusing/here:4318"
    for part in ("logs: 1 request refused", "traces: 40 requests refused", "traces: 2 requests refused"):
        assert part in signal.firing_summary()


def test_a_collector_that_says_nothing_is_silent_and_what_it_had_raised_stays_open(database, now):
    dead, alive = minutes(now - 3 * MINUTE), minutes(now)
    save_reports(database, [*dead, *(replace(report, collector="there:4318") for report in alive)])
    signals = {signal.rule: (signal.met, signal.clear) for signal in IngestLossSource(database).signals(now)}
    assert signals["ingest/silent/here:4318"] == (True, False)
    assert signals["ingest/refusing/here:4318"] == (False, False)
    assert signals["ingest/refusing/there:4318"] == (False, True)
    assert signals["ingest/silent/every collector"] == (False, True)


def test_that_nobody_reports_pages_and_an_orderly_stop_does_not(database, now):
    reports = minutes(now - 3 * MINUTE)
    save_reports(database, reports)
    source = IngestLossSource(database)
    assert met(source.signals(now)) == {"ingest/silent/here:4318", "ingest/silent/every collector"}
    save_reports(database, [replace(reports[-1], final=True, at=now - 2 * MINUTE)])
    assert all(signal.clear for signal in source.signals(now))


def test_a_collector_that_is_gone_for_a_day_raises_nothing_any_more(database, now):
    save_reports(database, minutes(now - DAY - MINUTE, dead_letters=3))
    signals = IngestLossSource(database).signals(now)
    assert len(signals) == len(ALARMS) + 1
    assert all(signal.clear for signal in signals)
    assert IngestLossSource(database).signals(now + 2 * DAY) == []


def test_spans_of_wrong_times_are_told_of_their_service(database, store, otlp, now):
    hour_ns = 3600 * 10**9
    wrong = [otlp.span(start_ns=otlp.ago_ns() + 30 * hour_ns) for _ in range(3)]
    store(database, otlp.traces(*wrong, otlp.span(), service="skewed"))
    store(database, otlp.traces(otlp.span(), service="right"))
    signals = {signal.rule: signal for signal in IngestLossSource(database).signals(now)}
    assert signals["ingest/quarantined/right/prod"].clear
    skewed = signals["ingest/quarantined/skewed/prod"]
    assert skewed.met
    assert skewed.firing_summary().startswith("skewed in prod: 3 spans came with times that cannot be believed")


def test_of_a_service_that_sends_nothing_it_is_not_known_whether_its_clock_is_right(database, store, otlp, now):
    store(database, otlp.traces(otlp.span(), service="right"))
    later = now + 10 * MINUTE
    (signal,) = IngestLossSource(database).signals(later)
    assert (signal.rule, signal.met, signal.clear) == ("ingest/quarantined/right/prod", False, False)
    assert IngestLossSource(database).signals(now + 2 * DAY) == []
