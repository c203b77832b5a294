"""Error budgets and burn rates of counted events.

Formulae: Site Reliability Workbook, chapter 5 "Alerting on SLOs". Everything is computed in exact fractions; a float
appears only where a result is shown, and nothing is compared after it became one. What a tick asks for many thousand
times is written out in integers, which takes a third of the time; dividing two of them rounds once, and correctly.
"""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from slo.model import EventCounts


def sli(counts: EventCounts) -> float | None:
    """Return the share of good events, 0..1, or None without events.

    >>> sli(EventCounts(good=999, total=1000))
    0.999
    """
    return None if counts.total == 0 else counts.good / counts.total


def budget_remaining(counts: EventCounts, target: Decimal, *, elapsed: Fraction = Fraction(1)) -> float | None:
    """Return the share of the error budget that is left: 1 untouched, 0 spent, below 0 overspent, None without events.

    Where only *elapsed* (0..1) of a period is over, the budget is the one expected for all of it if traffic goes on.

    >>> budget_remaining(EventCounts(good=9_997, total=10_000), Decimal("0.999"))
    0.7
    >>> budget_remaining(EventCounts(good=9_997, total=10_000), Decimal("0.999"), elapsed=Fraction(1, 3))
    0.9
    """
    if counts.total == 0:
        return None
    allowed, of = _allowed_ratio(target)
    whole = allowed * counts.total * elapsed.denominator
    return (whole - counts.bad * of * elapsed.numerator) / whole


def burn_rate(counts: EventCounts, target: Decimal) -> float | None:
    """Return the error ratio over the ratio that the target allows; 1 spends the budget in exactly one period.

    >>> burn_rate(EventCounts(good=986, total=1000), Decimal("0.999"))
    14.0
    """
    if counts.total == 0:
        return None
    allowed, of = _allowed_ratio(target)
    return (counts.bad * of) / (allowed * counts.total)


def exceeds(counts: EventCounts, target: Decimal, factor: Fraction | Decimal | int) -> bool:
    """Whether the burn rate is above *factor*: strictly, and in exact numbers. Without events it is not.

    >>> exceeds(EventCounts(good=9_856, total=10_000), Decimal("0.999"), Decimal("14.4"))
    False
    >>> exceeds(EventCounts(good=9_855, total=10_000), Decimal("0.999"), Decimal("14.4"))
    True
    """
    allowed, of = _allowed_ratio(target)
    times, parts = factor.as_integer_ratio()
    return counts.bad * of * parts > times * allowed * counts.total


def allowed_bad(counts: EventCounts, target: Decimal) -> Fraction:
    """Return how many of the events may be bad without missing *target*."""
    allowed, of = _allowed_ratio(target)
    return Fraction(allowed * counts.total, of)


@lru_cache(maxsize=4096)
def _allowed_ratio(target: Decimal) -> tuple[int, int]:
    """Return the share of events that may be bad, as a fraction in lowest terms."""
    return (1 - Fraction(target)).as_integer_ratio()
