"""Windows of an objective: rolling ones, and periods of a calendar in a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slo.duration import format_duration
from slo.errors import InvalidObjective

CalendarUnit = Literal["day", "week", "month", "quarter", "year"]

MINUTE: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=3660)  # ten years: nothing is kept longer, and arithmetic with dates stays in its range
# what a period counts as where a length is needed that is the same for all of them: burn-rate factors, text
NOMINAL_DAYS: Final[dict[CalendarUnit, int]] = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
_YEARS: Final = (1970, 2200)
_MONTHS: Final[dict[CalendarUnit, int]] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The last *length* up to now."""

    length: timedelta

    def __post_init__(self) -> None:
        if self.length <= timedelta(0) or self.length % MINUTE:
            raise InvalidObjective(f"window {self.length} must be whole minutes above 0, such as 30d")
        if self.length > LONGEST:
            raise InvalidObjective(f"window {self} is longer than ten years; write a shorter one, such as 30d")

    @property
    def nominal(self) -> timedelta:
        return self.length

    def period(self, end: datetime) -> tuple[datetime, datetime]:
        """Return [start, end) of the window that ends at *end*.

        >>> RollingWindow(timedelta(days=30)).period(datetime(2026, 3, 31, tzinfo=UTC))[0].isoformat()
        '2026-03-01T00:00:00+00:00'
        """
        return end - self.length, end

    def __str__(self) -> str:
        return format_duration(self.length)


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """Periods of *count* units, one of which begins at *first*, a local time without a zone in *zone*.

    Days have 23, 24 or 25 hours where clocks change, and months their own lengths; `nominal` is the length that
    burn-rate factors use: a month is 30 days.
    """

    unit: CalendarUnit
    count: int
    first: datetime
    zone: str

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidObjective(f"a calendar window of {self.count} {self.unit}s must be at least one long")
        if self.count * NOMINAL_DAYS[self.unit] > LONGEST.days:
            raise InvalidObjective(f"a calendar window of {self.count} {self.unit}s is longer than ten years")
        if self.first.tzinfo is not None or self.first.second or self.first.microsecond:
            raise InvalidObjective(f"start {self.first.isoformat()} must be a whole minute of local time")
        if not _YEARS[0] <= self.first.year <= _YEARS[1]:
            raise InvalidObjective(f"start {self.first.date()} must lie in the years {_YEARS[0]} to {_YEARS[1]}")
        if self.unit in _MONTHS and self.first.day > 28:
            raise InvalidObjective(f"start {self.first.date()}: use a day up to 28, which every month has")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidObjective(
                f"time zone {self.zone!r} is not known; write one of the IANA database, such as Europe/Berlin"
            ) from error

    @property
    def nominal(self) -> timedelta:
        return self.count * timedelta(days=NOMINAL_DAYS[self.unit])

    def period(self, end: datetime) -> tuple[datetime, datetime]:
        """Return [start, end) in UTC of the period that the minute before *end* lies in.

        >>> month = CalendarWindow("month", 1, datetime(2026, 1, 1), "Europe/Berlin")
        >>> [moment.isoformat() for moment in month.period(datetime(2026, 3, 31, 12, 0, tzinfo=UTC))]
        ['2026-02-28T23:00:00+00:00', '2026-03-31T22:00:00+00:00']
        """
        last = end - MINUTE
        index = self._guess(last)
        while self._start(index) > last:
            index -= 1
        while self._start(index + 1) <= last:
            index += 1
        return self._start(index), self._start(index + 1)

    def __str__(self) -> str:
        name = self.unit if self.count == 1 else f"{self.count} {self.unit}s"
        return f"calendar {name} ({self.zone})"

    def _guess(self, moment: datetime) -> int:
        """Return about the index of the period of *moment*; 0 is the one that begins at `first`."""
        return (moment.replace(tzinfo=None) - self.first) // self.nominal

    def _start(self, index: int) -> datetime:
        """Return the start of period *index*; a local time that a change of clocks skips is taken as if it had not."""
        local = _moved(self.first, self.unit, index * self.count)
        return local.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


Window: TypeAlias = RollingWindow | CalendarWindow


def _moved(moment: datetime, unit: CalendarUnit, steps: int) -> datetime:
    if unit not in _MONTHS:
        return moment + steps * timedelta(days=NOMINAL_DAYS[unit])
    months = moment.year * 12 + moment.month - 1 + steps * _MONTHS[unit]
    return moment.replace(year=months // 12, month=months % 12 + 1)
