"""Silence: whose is worth a ticket, and whose is a night, a weekend or a quiet hour."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.decide import decide
from alerts.silent_service import MEMORY, Heard, NoDataRule, SilenceSignal, hour_of
from alerts.timing import AlertTiming

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AFTER = timedelta(minutes=10)
SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)  # midnight


def heard(sends, until, *, age=timedelta(days=30)):
    """Return what is remembered at *until* of a service that sends in the minutes of which *sends* is true."""
    moment, hours, last = until - min(age, MEMORY + HOUR), {}, None
    while moment < until:
        if sends(moment):
            hours[hour_of(moment)] = hours.get(hour_of(moment), 0) | 1 << moment.minute
            last = moment
        moment += MINUTE
    oldest = hour_of(until - MEMORY)
    kept = {hour: minutes for hour, minutes in hours.items() if hour >= oldest}
    return Heard(until - age, last or until - age, kept)


def missed_at(sends, died, now, **options):
    """Return whether a service that sent as *sends* says until *died*, and then nothing, is missed at *now*."""
    found = heard(lambda moment: moment < died and sends(moment), now, **options)
    return now - found.last > AFTER + MINUTE and found.misses(now - AFTER, now)


def always(_moment):
    return True


def at_night(moment):
    return 1 <= moment.hour < 5


def on_weekdays(moment):
    return moment.weekday() < 5


def in_office_hours(moment):
    return moment.weekday() < 5 and 8 <= moment.hour < 18


def every_half_hour(moment):
    return moment.minute in {3, 33}


def for_two_hours(moment):
    return moment.hour in {2, 3}


def at(day, hour, minute=0):
    """Return a time in the week that begins on Sunday: 0 is Sunday, 1 Monday ..."""
    return SUNDAY + day * DAY + hour * HOUR + minute * MINUTE


MISSED = {  # who, died at, asked at, missed
    "who always sends, after 12 minutes": (always, at(3, 12), at(3, 12, 12), True),
    "who always sends, after 9 minutes": (always, at(3, 12), at(3, 12, 9), False),
    "who always sends, a day later": (always, at(3, 12), at(4, 12), True),
    "who always sends, at the weekend": (always, at(6, 12), at(6, 13), True),
    "a nightly job that dies in the night": (at_night, at(3, 2, 30), at(3, 2, 45), True),
    "a nightly job that never begins": (at_night, at(3, 0), at(3, 2, 30), True),
    "a nightly job that begins late": (at_night, at(3, 0), at(3, 1, 50), False),
    "a nightly job that is done early": (at_night, at(3, 4, 10), at(3, 4, 40), False),
    "a nightly job by day": (at_night, at(7, 0), at(3, 12), False),
    "a nightly job right after its end": (at_night, at(7, 0), at(3, 5, 15), False),
    "a job of two hours, which has edges only": (for_two_hours, at(3, 2, 5), at(3, 2, 50), False),
    "who works on weekdays, on Saturday": (on_weekdays, at(7, 0), at(6, 12), False),
    "who works on weekdays, early on Saturday": (on_weekdays, at(7, 0), at(6, 0, 15), False),
    "who works on weekdays, on Sunday": (on_weekdays, at(8, 0), at(7, 3), False),
    "who works on weekdays, dead on Monday": (on_weekdays, at(8, 0), at(8, 9), True),
    "who works on weekdays, dead on Friday": (on_weekdays, at(5, 12), at(5, 12, 30), True),
    "who has office hours, on Saturday": (in_office_hours, at(7, 0), at(6, 12), False),
    "who has office hours, in the evening": (in_office_hours, at(4, 0), at(3, 20), False),
    "who has office hours, dead at noon": (in_office_hours, at(3, 12), at(3, 12, 20), True),
    "who has office hours, dead on Monday": (in_office_hours, at(8, 0), at(8, 11), True),
    "who sends every half hour, after 25 minutes": (every_half_hour, at(3, 12, 5), at(3, 12, 28), False),
    "who sends every half hour, after 50 minutes": (every_half_hour, at(3, 12, 5), at(3, 12, 53), False),
    "who sends every half hour, after 70 minutes": (every_half_hour, at(3, 12, 5), at(3, 13, 13), True),
}


@pytest.mark.parametrize("case", MISSED)
def test_is_missed(case):
    sends, died, now, missed = MISSED[case]
    assert missed_at(sends, died, now) is missed


YOUNG = {  # who, age, died at, asked at, missed
    "hours after its birth": (always, 5 * HOUR, at(3, 12), at(3, 12, 12), False),
    "after a whole day": (always, 26 * HOUR, at(3, 12), at(3, 12, 12), True),
    "after five days": (always, 5 * DAY, at(3, 12), at(3, 12, 12), True),
    "on the first evening of who has office hours": (in_office_hours, 12 * HOUR, at(3, 20), at(3, 20), False),
    "on the first weekend of who has office hours": (in_office_hours, 5 * DAY, at(7, 0), at(6, 12), False),
    "in the day after its third night": (at_night, 3 * DAY, at(7, 0), at(3, 12), False),
}


@pytest.mark.parametrize("case", YOUNG)
def test_a_service_that_is_younger_than_a_week_is_missed(case):
    sends, age, died, now, missed = YOUNG[case]
    assert missed_at(sends, died, now, age=age) is missed


def test_a_pause_on_one_of_the_days_makes_the_next_silence_at_that_time_wait():
    def paused(moment):
        return not (moment.date() == at(1, 0).date() and moment.hour == 12 and 10 <= moment.minute < 30)

    assert not missed_at(paused, at(3, 12), at(3, 12, 35))
    assert missed_at(paused, at(3, 12), at(3, 12, 45))


def test_who_had_no_traffic_a_week_ago_is_not_missed_however_busy_the_other_days_were():
    def closed(moment):
        return not (moment.date() == at(-4, 0).date() and moment.hour == 12)

    assert not missed_at(closed, at(3, 12), at(3, 12, 30))
    assert missed_at(closed, at(3, 15), at(3, 15, 30))


@given(st.integers(0, 7 * 24 * 60 - 1), st.sets(st.integers(0, 23), max_size=20), st.sets(st.integers(0, 6)))
def test_a_service_that_keeps_its_own_week_is_never_missed(minute, hours, days):
    now = SUNDAY + minute * MINUTE

    def sends(moment):
        return moment.hour in hours and moment.weekday() in days

    assert not missed_at(sends, now, now)


def signal(**fields):
    told = {"last": at(3, 12), "after": AFTER, "silent": True, "unusual": True, **fields}
    return SilenceSignal("checkout", "prod", **told)


@pytest.mark.parametrize(
    ("fields", "met", "clear"),
    [
        ({}, True, False),
        ({"unusual": False}, False, False),
        ({"silent": False}, False, True),
        ({"silent": False, "unusual": False}, False, True),
        ({"retired": True}, False, True),
        ({"retired": True, "unusual": False}, False, True),
    ],
)
def test_silence_in_usual_hours_fires_and_only_data_or_retirement_ends_it(fields, met, clear):
    found = signal(**fields)
    assert (found.met, found.clear) == (met, clear)


def test_the_ticket_says_who_is_silent_since_when_and_why_it_ends():
    fired = decide(None, signal(), at(3, 12, 12), signal().timing)
    assert (fired.rule, fired.severity, fired.state) == ("silence/checkout/prod", "ticket", "firing")
    assert (fired.details.alert_name, fired.details.slo_name) == ("ServiceSilent", "Data from checkout in prod")
    assert fired.summary == (
        "checkout in prod is silent: no spans and no metrics since 2026-03-04 12:00 UTC (over 10 minutes)"
    )
    assert signal(silent=False).resolved_summary() == "checkout in prod sends again"
    assert signal(retired=True).resolved_summary() == "checkout in prod was retired: nothing since 2026-03-04"
    assert SilenceSignal("checkout", "", at(3, 12), AFTER, silent=False, unusual=False).resolved_summary() == (
        "checkout sends again"
    )
    assert (signal().timing, signal().labels, signal().slo_id) == (AlertTiming(), (), "")


def test_the_rule_for_silence_has_defaults_and_takes_durations():
    assert NoDataRule() == NoDataRule(enabled=True, after=AFTER, retire_after=7 * DAY)
    assert NoDataRule.model_validate({"after": "30m", "retire_after": "14d"}).retire_after == 14 * DAY


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"after": "1m"}, "'after' is 1m; write a duration from 2m to 1d"),
        ({"after": 10}, "10 is not a duration"),
        ({"retire_after": "1d"}, "'retire_after' is 1d; write a duration from 2d to 30d"),
        ({"retire_after": "31d"}, "'retire_after' is 31d"),
        ({"enabled": "maybe"}, "'maybe' is neither true nor false"),
        ({"retire": "7d"}, "unknown field 'retire'; did you mean 'retire_after'?"),
    ],
)
def test_other_writing_is_answered_with_its_value_and_what_to_write(fields, says):
    with pytest.raises(ValidationError) as caught:
        NoDataRule.model_validate(fields)
    assert says in str(caught.value)
