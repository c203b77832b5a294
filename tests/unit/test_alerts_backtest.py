"""Precision, recall, pages a week and the worst day of an objective over the past."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alerts.backtest import AFTERMATH, RecordedTrouble, backtest
from slo.draft import drafts
from slo.minute_history import MinuteHistory
from slo.model import EventCounts
from slo.policy import AlertPolicy, ObjectiveBreach

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DELAY = timedelta(seconds=10)
BREACH = AlertPolicy("objective-breach", (ObjectiveBreach(5 * MINUTE, MINUTE, "page"),))
SLO = replace(drafts("checkout", "prod")[0], target=Decimal("0.9"), policy=BREACH)
FINE, BAD = EventCounts(20, 20), EventCounts(2, 20)
DAYS = 7
OUTAGES = ((60, 70), (2000, 2010))  # minutes after the start


def outcome(*incidents, slo=SLO, days=DAYS):
    def level(minute):
        return BAD if any(first <= minute < last for first, last in OUTAGES) else FINE

    minutes = [(START + minute * MINUTE, level(minute)) for minute in range(days * 24 * 60)]
    history = MinuteHistory(minutes, START, START + days * DAY)
    return backtest(slo, history, incidents, START, START + days * DAY, delay=DELAY)


def incident(start, end, source="annotation"):
    return RecordedTrouble(source, "trouble", START + start * MINUTE, None if end is None else START + end * MINUTE)


def test_without_incidents_on_record_every_alert_is_false_and_recall_is_not_known():
    found = outcome()
    assert len(found.alerts) == 2
    assert (found.precision, found.recall) == (0.0, None)


def test_without_alerts_precision_is_not_known_and_every_incident_is_missed():
    trouble = incident(60, 70)
    found = outcome(trouble, slo=replace(SLO, policy=AlertPolicy("none")))
    assert (found.precision, found.recall, found.missed) == (None, 0.0, (trouble,))
    assert found.pages_per_week == 0


def test_an_alert_during_an_incident_is_true_and_the_incident_is_told():
    known, unknown = incident(55, 75), incident(5000, 5010, "chaos run")
    found = outcome(known, unknown)
    assert [alert.incidents for alert in found.alerts] == [(known,), ()]
    assert (found.precision, found.recall) == (0.5, 0.5)
    assert found.missed == (unknown,)


@pytest.mark.parametrize(
    ("start", "end", "is_true"),
    [
        (50, 61 - AFTERMATH // MINUTE, False),  # over so long that the alert of minute 60 is about something else
        (50, 62 - AFTERMATH // MINUTE, True),
        (70, 90, True),
        (72, 90, False),  # the alert was over when it began
        (60, None, True),
    ],
)
def test_how_near_an_alert_must_be_to_tell_of_an_incident(start, end, is_true):
    (first, _) = outcome(incident(start, end)).alerts
    assert (first.episode.fired.at, first.episode.resolved.at) == (
        START + 61 * MINUTE + DELAY,
        START + 71 * MINUTE + DELAY,
    )
    assert bool(first.incidents) == is_true


def test_incidents_outside_of_the_time_are_not_counted():
    assert outcome(incident(-90, 0), incident(DAYS * 24 * 60, None)).incidents == ()


def test_pages_a_week_counts_pages_only():
    assert outcome().pages_per_week == 2
    assert outcome(days=14).pages_per_week == 1
    breach = replace(BREACH, conditions=(replace(BREACH.conditions[0], severity="ticket"),))
    assert outcome(slo=replace(SLO, policy=breach)).pages_per_week == 0


def test_pages_a_week_are_those_of_the_time_with_data():
    found = outcome(days=14)
    assert replace(found, first_minute=START + 7 * DAY).pages_per_week == 2
    assert replace(found, first_minute=START - DAY).pages_per_week == 1
    assert replace(found, first_minute=found.end - MINUTE).pages_per_week == 14, "a rate of less than a day is none"


def test_the_worst_day_is_the_one_with_the_lowest_share_of_good_events():
    day, counts = outcome().worst_day
    assert day == datetime(2026, 3, 1, tzinfo=UTC)  # half a day of traffic: the same outage weighs more
    assert (counts.bad, counts.total) == (180, 12 * 60 * 20)


def test_the_sli_is_that_of_the_whole_time():
    found = outcome()
    assert (found.counts.bad, found.counts.total) == (2 * 180, DAYS * 24 * 60 * 20)
    assert found.first_minute == START
