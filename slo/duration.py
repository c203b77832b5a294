"""Durations as OpenSLO writes them: one whole number and one unit."""

import re
from dataclasses import dataclass
from datetime import timedelta

from slo.errors import InvalidDuration

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_WITHOUT_LENGTH = {"M": ("month", 30), "Q": ("quarter", 90), "Y": ("year", 365)}
_FORM = re.compile(r"([0-9]{1,12})([A-Za-z])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shorthand:
    """A duration as it is written: a number of units, of which M, Q and Y have no length of their own."""

    number: int
    unit: str

    @property
    def nominal(self) -> str | None:
        """What a month, quarter or year counts as ("90d" for 1Q), None for the other units."""
        return f"{self.number * _WITHOUT_LENGTH[self.unit][1]}d" if self.unit in _WITHOUT_LENGTH else None


def parse_shorthand(text: str) -> Shorthand:
    """Return the number and the unit that *text* names; the number may be 0.

    Raises:
        InvalidDuration: not a whole number with one of the units w, d, h, m, s, M, Q, Y.

    >>> parse_shorthand("1Q")
    Shorthand(number=1, unit='Q')
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidDuration(f"{text!r} is not a duration; write a whole number and a unit, such as 30d, 1h or 90s")
    if match[2] not in _UNITS and match[2] not in _WITHOUT_LENGTH:
        raise InvalidDuration(f"{text!r}: unknown unit {match[2]!r}; the units are w, d, h, m (minutes) and s")
    return Shorthand(int(match[1]), match[2])


def parse_duration(text: str) -> timedelta:
    """Return the duration that *text* names; `1m` is one minute, as in OpenSLO.

    Raises:
        InvalidDuration: not a whole number with one of the units w, d, h, m, s; zero; or a calendar unit, which has
            no defined length.

    >>> parse_duration("30d")
    datetime.timedelta(days=30)
    >>> parse_duration("1m")
    datetime.timedelta(seconds=60)
    """
    written = parse_shorthand(text)
    if written.unit in _WITHOUT_LENGTH:
        name, days = _WITHOUT_LENGTH[written.unit]
        raise InvalidDuration(f"{text!r}: a {name} has no defined length; write {days}d (30d for each month)")
    if written.number == 0:
        raise InvalidDuration(f"{text!r} is empty; write a duration above zero, such as 5m")
    return _times(written.number, _UNITS[written.unit], text)


def format_duration(duration: timedelta) -> str:
    """Return *duration* in the largest unit (d, h, m, s) that holds it as a whole number; `parse_duration` reads it.

    Raises:
        InvalidDuration: not above zero or not in whole seconds.

    >>> format_duration(timedelta(days=30)), format_duration(timedelta(minutes=90))
    ('30d', '90m')
    """
    if duration <= timedelta(0) or duration % _UNITS["s"]:
        raise InvalidDuration(f"{duration!r} cannot be written; durations are whole seconds above zero")
    unit = next(unit for unit in "dhms" if not duration % _UNITS[unit])
    return f"{duration // _UNITS[unit]}{unit}"


def _times(number: int, unit: timedelta, text: str) -> timedelta:
    try:
        return number * unit
    except OverflowError as error:
        raise InvalidDuration(f"{text!r} is longer than a calendar can hold; write a shorter duration") from error
