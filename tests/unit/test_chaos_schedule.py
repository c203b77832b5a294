"""Cron lines mean what cron means by them: weekdays from Sunday, and a day or a weekday where both are given."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from chaos.errors import ExperimentError
from chaos.experiments.experiment_file import parse_experiment
from chaos.experiments.schedule import next_run

MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 10 * * *", "Mon 23 Nov 10:00"),
        ("30 8 * * *", "Tue 24 Nov 08:30"),
        ("*/20 * * * *", "Mon 23 Nov 08:40"),
        ("5,45 8-9 * * *", "Mon 23 Nov 08:45"),
        ("0 9-17/4 * * *", "Mon 23 Nov 09:00"),
        ("0 10 * * 5", "Fri 27 Nov 10:00"),
        ("0 10 * * fri", "Fri 27 Nov 10:00"),
        ("0 10 * * FRI", "Fri 27 Nov 10:00"),
        ("0 10 * * 0", "Sun 29 Nov 10:00"),
        ("0 10 * * 7", "Sun 29 Nov 10:00"),
        ("0 7 * * 1-5", "Tue 24 Nov 07:00"),
        ("0 7 * * 6-7", "Sat 28 Nov 07:00"),
        ("0 7 * * fri-sun", "Fri 27 Nov 07:00"),
        ("0 7 * * */3", "Wed 25 Nov 07:00"),
        ("0 7 * * tue,thu", "Tue 24 Nov 07:00"),
        ("0 7 1 * *", "Tue 01 Dec 07:00"),
        ("0 7 1 feb-mar *", "Mon 01 Feb 07:00"),
        ("0 7 29 2 *", "Tue 29 Feb 07:00"),
    ],
)
def test_a_line_fires_when_cron_would(line, expected):
    assert next_run(line, MONDAY).strftime("%a %d %b %H:%M") == expected


def test_a_day_and_a_weekday_mean_either_but_a_star_with_a_step_is_no_weekday():
    """POSIX: if both are given, one of them is enough."""
    assert next_run("0 7 25 * fri", MONDAY).day == 25
    assert next_run("0 7 28 * fri", MONDAY).day == 27
    assert next_run("0 7 24-30 * */5", MONDAY).strftime("%a") == "Fri"


def test_a_moment_is_later_than_what_was_asked_and_in_utc():
    there = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    assert next_run("0 10 * * *", there) == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert next_run("0 10 * * *", there - timedelta(microseconds=1)) == datetime(2026, 11, 23, 10, tzinfo=UTC)


@given(
    minute=st.integers(0, 59),
    step=st.integers(1, 12),
    month=st.sampled_from(["*", "3", "jun-sep", "*/2"]),
    days=st.lists(st.integers(0, 6), min_size=1, unique=True),
    after=st.integers(0, 10**8).map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
)
def test_numbers_of_weekdays_are_what_another_scheduler_makes_of_their_names(minute, step, month, days, after):
    """APScheduler's own numbers begin on Monday, its names are nobody's convention."""
    numbers, names = ",".join(map(str, days)), ",".join(WEEKDAYS[day] for day in days)
    theirs = CronTrigger.from_crontab(f"{minute} */{step} * {month} {names}", timezone="UTC")
    expected = theirs.get_next_fire_time(None, after + timedelta(microseconds=1))
    assert next_run(f"{minute} */{step} * {month} {numbers}", after) == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("0 10 * *", "has 4 fields"),
        ("60 10 * * *", "minute '60' is not one of 0 to 59"),
        ("0 10 0 * *", "day '0' is not one of 1 to 31"),
        ("0 10 * * 8", "weekday '8' is not one of 0 to 7 or sun, mon"),
        ("0 10 * may,foo *", "month 'foo' is not one of 1 to 12 or jan"),
        ("0 10 * * 5-2", "weekday '5-2' runs backwards"),
        ("*/0 10 * * *", "step of 0"),
        ("5/10 10 * * *", "write 5-59/10"),
        ("0 10 * * fri#2", "weekday 'fri#2' is no number"),
        ("0 10 31 2 *", "names a day that never comes"),
    ],
)
def test_an_experiment_whose_schedule_is_no_cron_line_is_refused_with_the_field(line, complaint):
    text = (
        "{title: t, hypothesis: [{service: a, sli: availability, margin: 0}], method: [{service_failure: {target: a}}]"
    )
    with pytest.raises(ExperimentError, match=r"not a cron line \(") as refused:
        parse_experiment(f'{text}, schedule: "{line}"}}', name="x")
    assert complaint in str(refused.value)
