"""Windows: rolling ones, and periods of a calendar that tile time whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slo.errors import InvalidObjective
from slo.window import MINUTE, NOMINAL_DAYS, CalendarWindow, RollingWindow

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half an hour
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Asia/Kathmandu",  # three quarters of an hour
    "Pacific/Apia",  # left out a whole day
    "Africa/Casablanca",  # changes around a moving month
    "America/Sao_Paulo",  # changed at midnight
)


def _local(text):
    return datetime.fromisoformat(text)


def _utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _period(window, end):
    start, finish = window.period(_utc(end))
    return start.strftime("%Y-%m-%d %H:%M"), finish.strftime("%Y-%m-%d %H:%M")


def test_a_rolling_window_ends_where_it_is_asked_to():
    window = RollingWindow(timedelta(days=30))
    assert window.period(_utc("2026-03-31")) == (_utc("2026-03-01"), _utc("2026-03-31"))
    assert (window.nominal, str(window)) == (timedelta(days=30), "30d")


@pytest.mark.parametrize(
    ("unit", "count", "end", "start", "finish"),
    [
        ("month", 1, "2026-03-31T12:00", "2026-02-28 23:00", "2026-03-31 22:00"),
        ("month", 1, "2026-02-28T23:00", "2026-01-31 23:00", "2026-02-28 23:00"),
        ("month", 1, "2026-02-28T23:01", "2026-02-28 23:00", "2026-03-31 22:00"),
        ("month", 1, "2024-02-29T12:00", "2024-01-31 23:00", "2024-02-29 23:00"),
        ("month", 2, "2026-04-15T00:00", "2026-02-28 23:00", "2026-04-30 22:00"),
        ("quarter", 1, "2025-12-31T23:00", "2025-09-30 22:00", "2025-12-31 23:00"),
        ("quarter", 1, "2025-12-31T23:01", "2025-12-31 23:00", "2026-03-31 22:00"),
        ("year", 1, "2026-12-31T23:00", "2025-12-31 23:00", "2026-12-31 23:00"),
        ("year", 1, "2026-12-31T23:01", "2026-12-31 23:00", "2027-12-31 23:00"),
        ("week", 1, "2026-03-29T12:00", "2026-03-25 23:00", "2026-04-01 22:00"),
        ("day", 1, "2026-03-29T12:00", "2026-03-28 23:00", "2026-03-29 22:00"),
        ("day", 1, "2026-10-25T12:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        ("day", 1, "2010-06-01T12:00", "2010-05-31 22:00", "2010-06-01 22:00"),
    ],
)
def test_the_period_of_a_moment_in_berlin(unit, count, end, start, finish):
    window = CalendarWindow(unit, count, _local("2026-01-01"), "Europe/Berlin")
    assert _period(window, end) == (start, finish)


def test_days_have_23_24_or_25_hours_and_the_nominal_length_is_the_same():
    window = CalendarWindow("day", 1, _local("2026-01-01"), "America/New_York")
    hours = [
        (finish - start) / timedelta(hours=1)
        for day in ("2026-03-08", "2026-03-09", "2026-11-01")
        for start, finish in [window.period(_utc(f"{day}T17:00"))]
    ]
    assert hours == [23, 24, 25]
    assert window.nominal == timedelta(days=1)


def test_a_day_that_a_zone_leaves_out_has_no_period():
    window = CalendarWindow("day", 1, _local("2011-12-01"), "Pacific/Apia")
    assert _period(window, "2011-12-30T10:00") == ("2011-12-29 10:00", "2011-12-30 10:00")
    assert _period(window, "2011-12-30T10:01") == ("2011-12-30 10:00", "2011-12-31 10:00")


def test_periods_begin_at_the_time_of_day_that_the_first_one_does():
    window = CalendarWindow("month", 1, _local("2022-01-15T12:30"), "America/New_York")
    assert _period(window, "2026-07-15T16:30") == ("2026-06-15 16:30", "2026-07-15 16:30")
    assert _period(window, "2026-01-15T17:31") == ("2026-01-15 17:30", "2026-02-15 17:30")


windows = st.builds(
    CalendarWindow,
    st.sampled_from(sorted(NOMINAL_DAYS)),
    st.integers(1, 4),
    st.datetimes(datetime.fromisoformat("1995-01-01"), datetime.fromisoformat("2035-12-28")).map(
        lambda moment: moment.replace(day=min(moment.day, 28), second=0, microsecond=0, fold=0)
    ),
    st.sampled_from(ZONES),
)
moments = st.datetimes(
    datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2040-01-01"), timezones=st.just(UTC)
).map(lambda moment: moment.replace(second=0, microsecond=0))


@given(windows, moments)
@example(CalendarWindow("day", 1, _local("2011-12-01"), "Pacific/Apia"), _utc("2011-12-30T10:00"))
def test_periods_tile_time_without_gap_or_overlap(window, end):
    start, finish = window.period(end)
    assert start <= end - MINUTE < finish
    assert window.period(finish) == (start, finish)  # a period ends where it ends
    assert window.period(start + MINUTE) == (start, finish)
    assert window.period(finish + MINUTE)[0] == finish
    assert window.period(start)[1] == start


@given(windows, moments)
def test_a_period_begins_at_the_local_time_of_the_first(window, end):
    start, _ = window.period(end)
    local = start.astimezone(ZoneInfo(window.zone)).replace(tzinfo=None)
    as_first = local.replace(hour=window.first.hour, minute=window.first.minute, fold=0)
    assert (start.second, start.microsecond) == (0, 0)
    # not where a change of clocks skips that time: then it is later by what was skipped
    assert abs(local.replace(fold=0) - as_first) <= timedelta(hours=1)
    if window.unit in {"month", "quarter", "year"} and local == as_first:
        assert local.day == window.first.day


@given(windows, moments)
def test_the_nominal_length_is_about_that_of_a_period(window, end):
    start, finish = window.period(end)
    assert abs((finish - start) / window.nominal - 1) < 0.08 or window.unit == "day"


@pytest.mark.parametrize(
    ("unit", "count", "nominal", "text"),
    [
        ("day", 1, 1, "calendar day (UTC)"),
        ("week", 2, 14, "calendar 2 weeks (UTC)"),
        ("month", 1, 30, "calendar month (UTC)"),
        ("quarter", 1, 90, "calendar quarter (UTC)"),
        ("year", 1, 365, "calendar year (UTC)"),
    ],
)
def test_a_calendar_window_has_a_nominal_length_and_a_name(unit, count, nominal, text):
    window = CalendarWindow(unit, count, _local("2026-01-01"), "UTC")
    assert (window.nominal, str(window)) == (timedelta(days=nominal), text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": 0}, "must be at least one long"),
        ({"first": datetime(2026, 1, 1, tzinfo=UTC)}, "whole minute of local time"),
        ({"first": _local("2026-01-01T00:00:30")}, "whole minute of local time"),
        ({"first": _local("2026-01-01T00:00:00.5")}, "whole minute of local time"),
        ({"first": _local("2026-01-29")}, "use a day up to 28"),
        ({"count": 123}, "longer than ten years"),
        ({"first": _local("1969-12-31"), "unit": "day"}, "must lie in the years 1970 to 2200"),
        ({"first": _local("2201-01-01")}, "must lie in the years 1970 to 2200"),
        ({"zone": "Europe/Atlantis"}, "time zone 'Europe/Atlantis' is not known"),
        ({"zone": ""}, "time zone '' is not known"),
        ({"zone": "../etc/passwd"}, "is not known"),
        ({"zone": "Europe"}, "is not known"),
    ],
)
def test_a_calendar_window_of_no_sense_is_refused(change, reason):
    values = {"unit": "month", "count": 1, "first": _local("2026-01-01"), "zone": "UTC"} | change
    with pytest.raises(InvalidObjective, match=reason):
        CalendarWindow(**values)


def test_a_rolling_window_is_at_most_ten_years():
    assert RollingWindow(timedelta(days=3660)).length
    with pytest.raises(InvalidObjective, match="longer than ten years"):
        RollingWindow(timedelta(days=3661))


def test_days_and_weeks_may_begin_on_the_29th():
    assert CalendarWindow("day", 1, _local("2026-01-29"), "UTC").first.day == 29
