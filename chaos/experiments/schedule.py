"""When a scheduled experiment runs next: cron lines of five fields, in UTC, as cron itself reads them. Pure.

APScheduler counts weekdays from Monday and joins day and weekday with "and", so its reading of the same line differs.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Final = {
    "month": {name: number for number, name in enumerate(_MONTHS, 1)},
    "weekday": {name: number for number, name in enumerate(_WEEKDAYS)},
}
_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_ITEM: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_LONGEST: Final = timedelta(days=29 * 366)  # the 29th of February falls on every weekday within 28 years


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values that a cron line allows; weekdays count from Sunday = 0.

    `either_day`: day and weekday are both given, and then one of them is enough (POSIX crontab).
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def on(self, day: date) -> bool:
        """Return whether it runs on *day* at all."""
        fits = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return day.month in self.months and (any(fits) if self.either_day else all(fits))


@lru_cache(maxsize=256)
def parse_schedule(line: str) -> Schedule:
    """Return what a cron line of five fields means: numbers, names, ranges, lists and steps.

    Raises:
        ValueError: it is no cron line; the message names the field and its value.
    """
    texts = line.lower().split()
    if len(texts) != len(_FIELDS):
        raise ValueError(f"{line!r} has {len(texts)} fields; write minute, hour, day, month and weekday")
    minutes, hours, days, months, weekdays = (_values(text, *field) for text, field in zip(texts, _FIELDS, strict=True))
    either_day = not texts[2].startswith("*") and not texts[4].startswith("*")
    return Schedule(minutes, hours, days, months, frozenset(number % 7 for number in weekdays), either_day)


def next_run(line: str, after: datetime) -> datetime:
    """Return the first moment (UTC) later than *after* at which the cron line *line* fires.

    Raises:
        ValueError: it is no cron line, or one of a day that never comes, as the 31st of February.

    >>> next_run("0 10 * * 5", datetime(2026, 11, 23, 12, tzinfo=UTC)).strftime("%a %d %b %H:%M")
    'Fri 27 Nov 10:00'
    """
    schedule = parse_schedule(line)
    start = after.astimezone(UTC)
    times = sorted(time(hour, minute, tzinfo=UTC) for hour in schedule.hours for minute in schedule.minutes)
    day = start.date()
    while day - start.date() < _LONGEST:
        if schedule.on(day):
            found = next((at for at in times if datetime.combine(day, at) > start), None)
            if found is not None:
                return datetime.combine(day, found)
        day += timedelta(days=1)
    raise ValueError(f"{line!r} names a day that never comes")


def _values(text: str, name: str, low: int, high: int) -> frozenset[int]:
    return frozenset(number for item in text.split(",") for number in _item(item, name, low, high))


def _item(item: str, name: str, low: int, high: int) -> range:
    found = _ITEM.fullmatch(item)
    if found is None:
        raise ValueError(f"{name} {item!r} is no number, name, range (1-5) or step (*/10)")
    every, first, last, step_text = found.groups()
    step = int(step_text or 1)
    if step < 1:
        raise ValueError(f"{name} {item!r} has a step of 0; it must be 1 or more")
    if every:
        return range(low, high + 1, step) if name != "weekday" else range(0, 7, step)
    if step_text and last is None:
        raise ValueError(f"{name} {item!r} has a step and no range; write {first}-{high}/{step}")
    start = _number(first, name, low, high)
    end = start if last is None else _number(last, name, low, high)
    if name == "weekday" and last == "sun":
        end = 7  # a week may end with its Sunday: fri-sun
    if start > end:
        raise ValueError(f"{name} {item!r} runs backwards; write two ranges, separated by ','")
    return range(start, end + 1, step)


def _number(text: str, name: str, low: int, high: int) -> int:
    known = _NAMES.get(name, {})
    number = known[text] if text in known else int(text) if text.isdigit() else -1
    if not low <= number <= high:
        names = f" or {', '.join(known)}" if known else ""
        raise ValueError(f"{name} {text!r} is not one of {low} to {high}{names}")
    return number
