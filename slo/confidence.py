"""How sure counts make us: score intervals of proportions, and windows with too few events to judge.

Sources: Wilson 1927, Journal of the American Statistical Association 22, for one proportion; Newcombe 1998, Statistics
in Medicine 17, method 10, for the difference of two; Fisher's exact test for an excess. The intervals keep their
coverage for few events and for proportions near 0 and 1, where Wald's interval fails. Each event is taken to be
independent of the others; retries and requests of one user are not quite, so read an interval as the least doubt there
is.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import exp, lgamma, sqrt
from statistics import NormalDist

from slo.errors import SloError
from slo.model import EventCounts


class StatisticError(SloError, ValueError):
    """Counts, a share or a confidence that no statistic can be made of."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def check_confidence(confidence: float) -> None:
    """Refuse what is no confidence.

    Raises:
        StatisticError: *confidence* does not lie between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise StatisticError(f"confidence is {confidence}; it must lie between 0 and 1, for example 0.95")


def wilson_interval(ratio: float, total: float, *, confidence: float = 0.95) -> Interval:
    """Return Wilson's two-sided score interval of a proportion that was *ratio* in *total* events.

    Raises:
        StatisticError: *confidence* does not lie between 0 and 1.

    >>> interval = wilson_interval(0.0, 50)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0, 0.0713)
    """
    return _wilson(ratio, total, _two_sided_z(confidence))


def difference_interval(
    control_bad: int, control_total: int, treatment_bad: int, treatment_total: int, *, confidence: float = 0.95
) -> Interval:
    """Return Newcombe's hybrid-score interval for treatment's proportion minus control's.

    Raises:
        StatisticError: an arm is empty, or has more bad events than events; or *confidence* is not within 0 and 1.

    >>> interval = difference_interval(0, 50, 0, 50)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.071, 0.071)
    """
    for bad, total in ((control_bad, control_total), (treatment_bad, treatment_total)):
        if not 0 <= bad <= total or total == 0:
            raise StatisticError(f"{bad} bad of {total} is no proportion; both arms need events")
    return newcombe_interval(
        control_bad / control_total,
        control_total,
        treatment_bad / treatment_total,
        treatment_total,
        confidence=confidence,
    )


def newcombe_interval(
    control: float, control_total: int, treatment: float, treatment_total: int, *, confidence: float
) -> Interval:
    """Return the same for ratios, which need not come from counted events: it plans how many would be needed."""
    control_interval = wilson_interval(control, control_total, confidence=confidence)
    treatment_interval = wilson_interval(treatment, treatment_total, confidence=confidence)
    difference = treatment - control
    below = sqrt((treatment - treatment_interval.low) ** 2 + (control_interval.high - control) ** 2)
    above = sqrt((treatment_interval.high - treatment) ** 2 + (control - control_interval.low) ** 2)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))


def burn_rate_bound(counts: EventCounts, target: Decimal, *, confidence: float = 0.95) -> float | None:
    """Return the burn rate that the true one is above with *confidence*; None without events.

    It is Wilson's one-sided lower bound over 1 - *target*, and for showing; `surely_exceeds` compares.

    Raises:
        StatisticError: *confidence* does not lie between 0.5 and 1.

    >>> round(burn_rate_bound(EventCounts(good=9, total=10), Decimal("0.999")), 1)  # one failure burns at 100
    22.6
    """
    z = _one_sided_z(confidence)
    if counts.total == 0:
        return None
    if counts.bad == 0:
        return 0.0  # what the formula says too, but for rounding
    return _wilson(counts.bad / counts.total, counts.total, z).low / float(1 - Fraction(target))


def surely_exceeds(
    counts: EventCounts, target: Decimal, factor: Fraction | Decimal | int, *, confidence: float = 0.95
) -> bool:
    """Whether the true burn rate is above *factor* with *confidence*; without events it is not.

    Wilson's bound lies above a ratio exactly when the score test rejects that ratio, and the test needs no division
    and no root: (bad - n p)^2 > z^2 n p (1 - p). So this is exact but for z itself.

    Raises:
        StatisticError: *confidence* does not lie between 0.5 and 1.

    >>> surely_exceeds(EventCounts(good=9, total=10), Decimal("0.999"), 14)
    True
    >>> surely_exceeds(EventCounts(good=9, total=10), Decimal("0.999"), 14, confidence=0.99)
    False
    """
    z, ratio = Fraction(_one_sided_z(confidence)), Fraction(factor) * (1 - Fraction(target))
    surplus = counts.bad - ratio * counts.total
    return surplus > 0 and surplus**2 > z**2 * counts.total * ratio * (1 - ratio)


def chance_of_excess(part: EventCounts, whole: EventCounts) -> float:
    """Return how likely chance alone puts at least *part*'s bad events of *whole* among *part*'s events.

    Fisher's exact test, one-sided: the tail of the hypergeometric distribution. Far out in the tail, where many values
    are compared and only an extreme one may count, score intervals claim too much, and this does not.

    Raises:
        StatisticError: *part* has more good or bad events than *whole*.

    >>> round(chance_of_excess(EventCounts(good=7, total=10), EventCounts(good=97, total=100)), 6)  # all 3 of 3 bad
    0.000742
    """
    if part.good > whole.good or part.bad > whole.bad:
        raise StatisticError(f"{part} cannot be a part of {whole}")
    if part.bad * whole.total <= whole.bad * part.total:
        return 1.0  # not above the expected number, so not in the tail that is asked for
    term = exp(
        _log_choose(whole.bad, part.bad) + _log_choose(whole.good, part.good) - _log_choose(whole.total, part.total)
    )
    chance = 0.0
    for bad in range(part.bad, min(whole.bad, part.total) + 1):
        chance += term
        if term <= chance * 1e-17:
            break  # nothing that follows can be seen in the sum
        good = part.total - bad
        term *= (whole.bad - bad) * good / ((bad + 1) * (whole.good - good + 1))
    return min(chance, 1.0)


def _wilson(ratio: float, total: float, z: float) -> Interval:
    centre = (ratio + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(ratio * (1 - ratio) / total + z * z / (4 * total * total))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def _log_choose(items: int, chosen: int) -> float:
    return lgamma(items + 1) - lgamma(chosen + 1) - lgamma(items - chosen + 1)


def _two_sided_z(confidence: float) -> float:
    check_confidence(confidence)
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _one_sided_z(confidence: float) -> float:
    if not 0.5 < confidence < 1:
        raise StatisticError(f"confidence is {confidence}; it must lie between 0.5 and 1, for example 0.95")
    return NormalDist().inv_cdf(confidence)
