"""The interval of a difference of 95th percentiles. It describes; `chaos.judge.verdict` decides. Pure.

The percentile bootstrap draws each arm anew, with replacement, and asks how far the difference moves. Nothing has to be
drawn for it: how often the k-th smallest of n draws is the j-th smallest duration is binomial (Efron 1979, Annals of
Statistics 7, section 3), so this is the interval that ever more draws approach, the same one each time.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import ceil, sqrt

from chaos.judge.binomial import at_least
from slo.confidence import Interval, StatisticError, check_confidence

LEAST_DURATIONS = 100
QUANTILE = 0.95
_NOTHING = 1e-12
_SPREADS = 8  # standard deviations of a rank, beyond which there is nothing


def p95_difference(
    control_ms: Sequence[float], treatment_ms: Sequence[float], *, confidence: float = 0.95
) -> Interval | None:
    """Return the bootstrap interval of treatment's 95th percentile minus control's, in ms.

    None where an arm has under 100 durations: its largest values say too little about its tail. A percentile is a
    duration that occurred, the smallest that 95 % of all do not exceed.

    Raises:
        StatisticError: *confidence* does not lie between 0 and 1.

    >>> p95_difference([float(ms) for ms in range(200)], [ms + 50.0 for ms in range(200)])
    Interval(low=41.0, high=59.0)
    >>> print(p95_difference([1.0] * 99, [1.0] * 5000))
    None
    """
    check_confidence(confidence)
    if min(len(control_ms), len(treatment_ms)) < LEAST_DURATIONS:
        return None
    return bootstrap_difference(control_ms, treatment_ms, confidence=confidence)


def bootstrap_difference(
    control: Sequence[float], treatment: Sequence[float], *, quantile: float = QUANTILE, confidence: float = 0.95
) -> Interval:
    """Return the same for any *quantile* and for as few values as one in each arm.

    Raises:
        StatisticError: an arm is empty.
    """
    if not control or not treatment:
        raise StatisticError("an arm without values has no quantile; both arms need values")
    differences = sorted(
        (high - low, weight * other)
        for high, weight in _redrawn(treatment, quantile)
        for low, other in _redrawn(control, quantile)
    )
    sums = list(accumulate(weight for _, weight in differences))
    tail = (1 - confidence) / 2 * sums[-1]
    low = next(value for (value, _), passed in zip(differences, sums, strict=True) if passed > tail + _NOTHING)
    high = next(
        value for (value, _), passed in zip(differences, sums, strict=True) if passed >= sums[-1] - tail - _NOTHING
    )
    return Interval(low, high)


def _redrawn(values: Sequence[float], quantile: float) -> list[tuple[float, float]]:
    """Return the values that the quantile of a resample can be, each with its chance unless that is next to nothing."""
    ordered = sorted(values)
    return [(ordered[position], chance) for position, chance in _positions(len(values), quantile)]


@lru_cache(maxsize=64)
def _positions(total: int, quantile: float) -> list[tuple[int, float]]:
    """Return how likely the quantile of a resample stands where in the order of *total* values."""
    rank = max(1, ceil(quantile * total - 1e-9))
    spread = ceil(_SPREADS * sqrt(total * quantile * (1 - quantile))) + _SPREADS
    first, last = max(0, rank - spread), min(total, rank + spread)
    reached = [at_least(rank, total, position / total) for position in range(first, last + 1)]
    chances = enumerate((after - before for before, after in pairwise(reached)), start=first)
    return [(position, chance) for position, chance in chances if chance > _NOTHING]
