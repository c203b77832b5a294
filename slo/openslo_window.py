"""The `timeWindow` of an objective, and durations where they may be months."""

from datetime import datetime, timedelta
from typing import Final

from slo.duration import Shorthand, parse_duration, parse_shorthand
from slo.errors import InvalidDuration, InvalidObjective
from slo.window import CalendarUnit, CalendarWindow, RollingWindow, Window
from slo.yaml_value import YamlFields, YamlValue

_EXAMPLE: Final = "[{duration: 30d, isRolling: true}]"
_START_FORM: Final = "%Y-%m-%d %H:%M:%S"
_CALENDAR_UNITS: Final[dict[str, CalendarUnit]] = {"d": "day", "w": "week", "M": "month", "Q": "quarter", "Y": "year"}


def read_window(value: YamlValue) -> Window:
    """Return the one window of the list *value*.

    Raises:
        DocumentError: with the place and what to write instead.
    """
    items = value.items()
    if len(items) != 1:
        raise value.error(f"timeWindow must hold one window, not {len(items)}; write {_EXAMPLE}")
    fields = items[0].fields(("duration", "isRolling", "calendar"))
    rolling, calendar = fields.get("isRolling"), fields.get("calendar")
    duration = fields.require("duration", "30d")
    if calendar is None:
        _check_rolling(items[0], rolling)
        return _rolling(duration)
    if rolling is not None and rolling.flag():
        raise rolling.error("a window is rolling or follows the calendar; write isRolling: false, or remove calendar")
    return _calendar(duration, calendar)


def read_duration(value: YamlValue) -> timedelta:
    """Return a duration above 0; months, quarters and years are a deviation, because they have no length.

    Raises:
        DocumentError: it is none.
    """
    written = _shorthand(value)
    try:
        duration = parse_duration(written.nominal or value.text())
    except InvalidDuration as error:
        raise value.error(str(error)) from error
    if written.nominal is not None:
        value.deviate(f"{value.text()} has no defined length and is read as {written.nominal}; write {written.nominal}")
    return duration


def _check_rolling(window: YamlValue, rolling: YamlValue | None) -> None:
    if rolling is None:
        window.deviate("isRolling is missing and read as true; write isRolling: true")
    elif not rolling.flag():
        raise rolling.error("a window that is not rolling needs a calendar; write calendar: {startTime: ...}")


def _rolling(duration: YamlValue) -> RollingWindow:
    try:
        return RollingWindow(read_duration(duration))
    except InvalidObjective as error:
        raise duration.error(str(error)) from error


def _calendar(duration: YamlValue, value: YamlValue) -> CalendarWindow:
    fields = value.fields(("startTime", "timeZone"))
    start = fields.require("startTime", "2026-01-01 00:00:00")
    zone = fields.require("timeZone", "Europe/Berlin")
    count, unit = _periods(duration)
    try:
        return CalendarWindow(unit, count, _start(start), zone.text())
    except InvalidObjective as error:
        raise _blamed(error, fields, duration).error(str(error)) from error


def _periods(duration: YamlValue) -> tuple[int, CalendarUnit]:
    written = _shorthand(duration)
    unit = _CALENDAR_UNITS.get(written.unit)
    if unit is not None:
        return written.number, unit
    if written.unit != "m":
        raise duration.error(
            f"{duration.text()} is no calendar period; write days, weeks, months, quarters or years: 1d, 1w, 1M, 1Q, 1Y"
        )
    duration.deviate(
        f"{duration.text()} is minutes, which no calendar has, and is read as {written.number}M; "
        f"write {written.number}M for months"
    )
    return written.number, "month"


def _start(value: YamlValue) -> datetime:
    text = value.scalar()
    try:
        return datetime.strptime(text, _START_FORM)  # noqa: DTZ007 - a local time; its zone is beside it
    except ValueError:
        pass
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise value.error(f"startTime {text!r} is no local time; write 2026-01-01 00:00:00") from error
    value.deviate(f"startTime {text} is not as OpenSLO writes it; write {start.strftime(_START_FORM)}")
    return start


def _blamed(error: InvalidObjective, fields: YamlFields, duration: YamlValue) -> YamlValue:
    """Return the value that *error*, of a calendar window, is about."""
    text = str(error)
    name = "timeZone" if text.startswith("time zone") else "startTime" if text.startswith("start ") else None
    return duration if name is None else fields.require(name, "")


def _shorthand(value: YamlValue) -> Shorthand:
    try:
        return parse_shorthand(value.text())
    except InvalidDuration as error:
        raise value.error(str(error)) from error
