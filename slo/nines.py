"""What a target allows: downtime in a period, and bad events of a number of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from slo.errors import InvalidDuration, InvalidObjective

TARGETS: Final = tuple(
    Decimal(target) for target in ("0.9", "0.95", "0.99", "0.995", "0.999", "0.9995", "0.9999", "0.99999")
)
PERIODS: Final = tuple(timedelta(days=days) for days in (1, 7, 30, 90, 365))

_MICROSECOND: Final = timedelta(microseconds=1)
_UNITS: Final = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


@dataclass(frozen=True, slots=True)
class NinesRow:
    """One target and the downtime that it allows in each period of the table."""

    target: Decimal
    downtimes: tuple[timedelta, ...]


def error_budget(target: Decimal) -> Fraction:
    """Return the share of events that may be bad, 1 - *target*, exactly.

    Raises:
        InvalidObjective: *target* does not lie between 0 and 1.

    >>> error_budget(Decimal("0.999"))
    Fraction(1, 1000)
    """
    if not target.is_finite() or not 0 < target < 1:
        raise InvalidObjective(f"target {target} must lie between 0 and 1, such as 0.999")
    return 1 - Fraction(target)


def allowed_downtime(target: Decimal, period: timedelta) -> timedelta:
    """Return how long everything may fail within *period* at steady traffic, down to the microsecond.

    What is left of a microsecond is dropped: the answer never allows more than the target does.

    Raises:
        InvalidObjective: *target* does not lie between 0 and 1.
        InvalidDuration: *period* is not above zero.

    >>> downtime_text(allowed_downtime(Decimal("0.999"), timedelta(days=30)))
    '43 m 12 s'
    """
    if period <= timedelta(0):
        raise InvalidDuration(f"period {period} must be above zero, such as 30 days")
    allowed = error_budget(target) * (period // _MICROSECOND)
    return timedelta(microseconds=int(allowed))


def allowed_bad_events(target: Decimal, total: int) -> int:
    """Return how many of *total* events may be bad with the target still met.

    Raises:
        InvalidObjective: *target* does not lie between 0 and 1, or *total* is negative.

    >>> allowed_bad_events(Decimal("0.999"), 2_500_000)
    2500
    """
    if total < 0:
        raise InvalidObjective(f"{total} events cannot be; a total is 0 or more")
    return int(error_budget(target) * total)


def nines_table(targets: Sequence[Decimal] = TARGETS, periods: Sequence[timedelta] = PERIODS) -> tuple[NinesRow, ...]:
    """Return a row for each target, with the downtime that it allows in each period, in the order given.

    Raises:
        InvalidObjective: a target does not lie between 0 and 1.
        InvalidDuration: a period is not above zero.
    """
    return tuple(NinesRow(target, tuple(allowed_downtime(target, period) for period in periods)) for target in targets)


def downtime_text(duration: timedelta) -> str:
    """Return *duration* in days, hours, minutes and seconds, exactly: nothing is rounded, parts of zero are left out.

    Raises:
        InvalidDuration: *duration* is negative.

    >>> downtime_text(timedelta(hours=8, minutes=45, seconds=36)), downtime_text(timedelta(milliseconds=864))
    ('8 h 45 m 36 s', '0.864 s')
    """
    if duration < timedelta(0):
        raise InvalidDuration(f"{duration} is negative; what is overspent is a share of the budget, not a time")
    parts = []
    for name, unit in _UNITS:
        count, duration = divmod(duration, unit)
        if count:
            parts.append(f"{count} {name}")
    if duration or not parts:
        parts.append(f"{_seconds(duration)} s")
    return " ".join(parts)


def _seconds(below_a_minute: timedelta) -> str:
    seconds, rest = divmod(below_a_minute, timedelta(seconds=1))
    return f"{seconds}.{rest // _MICROSECOND:06}".rstrip("0") if rest else str(seconds)
