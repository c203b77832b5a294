"""Error budgets and burn rates of counted events.

Formulae: Site Reliability Workbook, chapter 5 "Alerting on SLOs". Everything is computed in exact fractions; a float
appears only where a result is shown, and nothing is compared after it became one.
"""

from decimal import Decimal
from fractions import Fraction

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
    rate = _burn_rate(counts, target)
    return None if rate is None else float(1 - rate * elapsed)


def burn_rate(counts: EventCounts, target: Decimal) -> float | None:
    """Return the error ratio over the ratio that the target allows; 1 spends the budget in exactly one period.

    >>> burn_rate(EventCounts(good=986, total=1000), Decimal("0.999"))
    14.0
    """
    rate = _burn_rate(counts, target)
    return None if rate is None else float(rate)


def exceeds(counts: EventCounts, target: Decimal, factor: Fraction | Decimal | int) -> bool:
    """Whether the burn rate is above *factor*: strictly, and in exact numbers. Without events it is not.

    >>> exceeds(EventCounts(good=9_856, total=10_000), Decimal("0.999"), Decimal("14.4"))
    False
    >>> exceeds(EventCounts(good=9_855, total=10_000), Decimal("0.999"), Decimal("14.4"))
    True
    """
    return counts.bad > Fraction(factor) * allowed_bad(counts, target)


def allowed_bad(counts: EventCounts, target: Decimal) -> Fraction:
    """Return how many of the events may be bad without missing *target*."""
    return (1 - Fraction(target)) * counts.total


def _burn_rate(counts: EventCounts, target: Decimal) -> Fraction | None:
    return None if counts.total == 0 else counts.bad / allowed_bad(counts, target)
