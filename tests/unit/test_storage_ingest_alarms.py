"""Alarms of the way in: what sounds, what does not, and that a moment's imbalance is no loss."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.ingest_alarms import ALARMS, REFUSAL_REMEDIES, SEVERITIES, ingest_alarms
from storage.ingest_stats import StageReport

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
STARTED = NOW - timedelta(hours=3)
CALM = StageReport(
    collector="here:4318",
    signal="traces",
    at=NOW,
    started_at=STARTED,
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
    last_stored_at=NOW,
    last_error="",
)


def minutes(count, *, every_s=10, **changes):
    """Return the reports of the last *count* minutes; *changes* hold in all of them."""
    steps = range(int(count * 60 / every_s), -1, -1)
    return [replace(CALM, at=NOW - timedelta(seconds=every_s * step), **changes) for step in steps]


def sounding(reports):
    return [alarm.alarm for alarm in ingest_alarms(reports, NOW)]


def test_a_calm_collector_and_none_at_all_raise_nothing():
    assert sounding(minutes(5)) == []
    assert sounding([]) == []


@pytest.mark.parametrize(
    ("changes", "alarm", "says"),
    [
        ({"unaccounted_items": 7}, "lost", "7 acknowledged items"),
        ({"breaker": "open", "breaker_s": 61.0, "last_error": "refused"}, "breaker_open", "for 61 s: refused"),
        ({"breaker": "half-open", "breaker_s": 300.0}, "breaker_open", "for 300 s"),
        ({"spool_fill": 0.8}, "spool_filling", "80% full"),
        ({"spool_oldest_s": 61.0, "waiting_items": 4200}, "spool_old", "4,200 items wait"),
        ({"damaged_requests": 2}, "damaged", "2 acknowledged requests"),
        ({"dead_letters": 3}, "dead_letters", "3 requests"),
    ],
)
def test_each_state_raises_its_alarm_with_its_numbers_and_a_remedy(changes, alarm, says):
    (found,) = ingest_alarms(minutes(5, **changes), NOW)
    assert (found.alarm, found.collector, found.signal) == (alarm, "here:4318", "traces")
    assert says in found.text
    assert len(found.remedy) > 20


@pytest.mark.parametrize(
    "changes",
    [
        {"breaker": "open", "breaker_s": 60.0},
        {"breaker": "closed", "breaker_s": 9000.0},
        {"spool_oldest_s": 60.0},
        {"spool_fill": 0.79},
        {"waiting_items": 10_000, "spool_oldest_s": 1.0},
        {"repeated_items": 50},
        {"refused_requests": {"Overloaded": 9}, "refused_items": 90, "rejected_items": 4},
    ],
)
def test_what_passes_within_a_minute_or_lies_long_ago_raises_nothing(changes):
    assert sounding(minutes(5, **changes)) == []


def test_items_that_miss_in_some_reports_only_are_on_their_way_and_not_lost():
    reports = minutes(5, unaccounted_items=500)
    reports[-3] = replace(reports[-3], unaccounted_items=0)
    assert sounding(reports) == []


def test_a_loss_is_the_least_that_missed_during_the_last_minute():
    reports = minutes(5, unaccounted_items=500)
    reports[-2] = replace(reports[-2], unaccounted_items=20)
    (found,) = ingest_alarms(reports, NOW)
    assert found.text.startswith("20 ")


def test_half_a_minute_is_too_short_for_a_loss_but_a_last_report_is_not():
    short = minutes(0.5, unaccounted_items=5)
    assert sounding(short) == []
    assert sounding([*short[:-1], replace(short[-1], final=True)]) == ["lost"]


def test_refusals_are_counted_over_the_last_minutes_and_each_reason_has_its_remedy():
    reports = minutes(10, refused_requests={"Overloaded": 4, "BadPayload": 1})
    reports[-1] = replace(reports[-1], refused_requests={"Overloaded": 10, "BadPayload": 1, "RateLimited": 2})
    found = ingest_alarms(reports, NOW)
    assert [alarm.text for alarm in found] == [
        "6 requests refused in the last 5 min (Overloaded)",
        "2 requests refused in the last 5 min (RateLimited)",
    ]
    assert [alarm.remedy for alarm in found] == [REFUSAL_REMEDIES["Overloaded"], REFUSAL_REMEDIES["RateLimited"]]


def test_refusals_of_a_young_process_count_from_its_start():
    started = NOW - timedelta(seconds=20)
    reports = minutes(0.1, started_at=started, refused_requests={"Unauthenticated": 3}, rejected_items=8)
    assert [alarm.text for alarm in ingest_alarms(reports, NOW)] == [
        "3 requests refused in the last 5 min (Unauthenticated)",
        "8 items were left out as invalid in the last 5 min",
    ]


def test_counters_of_the_process_before_a_restart_do_not_count():
    before = minutes(5, refused_requests={"Overloaded": 900}, unaccounted_items=9, dead_letters=1)
    after = replace(CALM, at=NOW + timedelta(seconds=1), started_at=NOW)
    assert sounding([*before, after]) == []


def test_a_collector_that_went_silent_is_named_once_unless_it_stopped_in_order():
    gone = [replace(CALM, at=NOW - timedelta(minutes=7), signal=signal) for signal in ("traces", "metrics", "logs")]
    (found,) = ingest_alarms(gone, NOW)
    assert (found.alarm, "420 s" in found.text) == ("silent", True)
    assert sounding([replace(report, final=True) for report in gone]) == []


def test_the_worst_come_first_and_collectors_are_kept_apart():
    there = minutes(5, collector="there:4318", dead_letters=1)
    here = minutes(5, unaccounted_items=1, dead_letters=2)
    found = ingest_alarms([*there, *here], NOW)
    assert [(alarm.alarm, alarm.collector) for alarm in found] == [
        ("lost", "here:4318"),
        ("dead_letters", "here:4318"),
        ("dead_letters", "there:4318"),
    ]


def test_alarms_do_not_depend_on_the_order_of_the_reports():
    reports = minutes(5, unaccounted_items=3, refused_requests={"TooLarge": 1})
    assert ingest_alarms(reports[::-1], NOW) == ingest_alarms(reports, NOW)


def test_every_alarm_has_a_name_that_the_metrics_know():
    changes = {"unaccounted_items": 1, "breaker": "open", "breaker_s": 99.0, "spool_fill": 1.0, "spool_oldest_s": 99.0,
               "damaged_requests": 1, "dead_letters": 1}  # fmt: skip
    found = ingest_alarms(minutes(5, **changes), NOW)
    assert {alarm.alarm for alarm in found} == set(ALARMS) - {"refusing", "rejecting", "silent"}
    assert [SEVERITIES.index(alarm.severity) for alarm in found] == sorted(SEVERITIES.index(a.severity) for a in found)


def test_each_refusal_of_the_collector_has_a_remedy():
    from collector import errors

    names = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.Refused)}
    assert names - {"Refused", "WrongMethod"} == set(REFUSAL_REMEDIES)
