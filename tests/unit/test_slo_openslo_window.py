"""The time window of a document: rolling, or periods of a calendar in a zone."""

from datetime import datetime, timedelta

import pytest

from slo.window import CalendarWindow, RollingWindow
from tests.unit.openslo_documents import AVAILABILITY, WINDOW, only_problem, read_one, warned

NEW_YEAR = datetime.fromisoformat("2026-01-01")
CALENDAR = 'calendar: {startTime: "2026-01-01 00:00:00", timeZone: Europe/Berlin}'


def _windowed(text):
    return AVAILABILITY.replace(WINDOW, text)


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("4w", 28), ("1d", 1), ("36h", 1.5)])
def test_a_rolling_window_has_a_length(text, days):
    assert read_one(_windowed(f"[{{duration: {text}, isRolling: true}}]")).window == RollingWindow(timedelta(days=days))


@pytest.mark.parametrize(
    ("text", "unit", "count"),
    [
        ("1d", "day", 1),
        ("366d", "day", 366),
        ("2w", "week", 2),
        ("1M", "month", 1),
        ("1Q", "quarter", 1),
        ("1Y", "year", 1),
    ],
)
@pytest.mark.parametrize("rolling", ["", "isRolling: false, "])
def test_a_calendar_window_is_counted_in_units_of_the_calendar(text, unit, count, rolling):
    window = read_one(_windowed(f"[{{duration: {text}, {rolling}{CALENDAR}}}]")).window
    assert window == CalendarWindow(unit, count, NEW_YEAR, "Europe/Berlin")


def test_a_start_may_be_written_without_quotes():
    text = CALENDAR.replace('"', "").replace("00:00:00", "12:30:00")
    assert read_one(_windowed(f"[{{duration: 1M, {text}}}]")).window.first == datetime.fromisoformat("2026-01-01T12:30")


@pytest.mark.parametrize(("text", "days"), [("1M", 30), ("2M", 60), ("1Q", 90), ("1Y", 365)])
def test_a_rolling_month_has_no_length_and_is_read_as_30_days(text, days):
    slo = warned(_windowed(f"[{{duration: {text}, isRolling: true}}]"), f"has no defined length and is read as {days}d")
    assert slo.window == RollingWindow(timedelta(days=days))


def test_one_minute_of_a_calendar_is_read_as_a_month():
    slo = warned(
        _windowed(f"[{{duration: 1m, {CALENDAR}}}]"), "1m is minutes, which no calendar has, and is read as 1M"
    )
    assert slo.window.unit == "month"


def test_a_window_that_says_nothing_is_rolling():
    assert warned(_windowed("[{duration: 7d}]"), "isRolling is missing").window == RollingWindow(timedelta(days=7))


@pytest.mark.parametrize("start", ["2026-01-01", "2026-01-01 00:00", "2026-01-01T00:00:00"])
def test_a_start_of_another_form_is_read_aloud(start):
    text = _windowed(f"[{{duration: 1M, {CALENDAR.replace('2026-01-01 00:00:00', start)}}}]")
    assert warned(text, "write 2026-01-01 00:00:00").window.first == NEW_YEAR


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        (f"[{{duration: 1M, isRolling: true, {CALENDAR}}}]", "isRolling", "write isRolling: false, or remove calendar"),
        (f"[{{duration: 1h, {CALENDAR}}}]", "duration", "1h is no calendar period"),
        (f"[{{duration: 0d, {CALENDAR}}}]", "duration", "must be at least one long"),
        ("[{duration: 0d, isRolling: true}]", "duration", "is empty; write a duration above zero"),
        ("[{duration: 99999d, isRolling: true}]", "duration", "is longer than ten years"),
        (f"[{{duration: 999999999999M, {CALENDAR}}}]", "duration", "is longer than ten years"),
        ("[{duration: 999999999999Y, isRolling: true}]", "duration", "is not a duration"),
        (
            "[{duration: 1d, calendar: {startTime: 0001-01-01 00:00:00, timeZone: Europe/Berlin}}]",
            "calendar.startTime",
            "must lie in the years 1970 to 2200",
        ),
        (f"[{{duration: 1x, {CALENDAR}}}]", "duration", "unknown unit 'x'"),
        ("[{duration: 1M, calendar: {startTime: now, timeZone: UTC}}]", "calendar.startTime", "is no local time"),
        (
            "[{duration: 1M, calendar: {startTime: 2026-01-31 00:00:00, timeZone: UTC}}]",
            "calendar.startTime",
            "use a day up to 28",
        ),
        (
            "[{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Atlantis}}]",
            "calendar.timeZone",
            "time zone 'Europe/Atlantis' is not known",
        ),
        ("[{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00}}]", "calendar", "timeZone is missing"),
    ],
)
def test_a_window_of_no_sense_is_refused(text, path, reason):
    problem = only_problem(_windowed(text))
    assert reason in problem.reason
    assert problem.path == f"spec.timeWindow[0].{path}"
