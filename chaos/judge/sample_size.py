"""How many samples a verdict needs. Pure."""

from math import ceil, sqrt
from statistics import NormalDist

from slo.confidence import StatisticError, newcombe_interval

MOST_SAMPLES = 10_000_000
POWER = 0.9


def samples_to_decide(
    control_ratio: float, treatment_ratio: float, margin: float, *, confidence: float = 0.95
) -> int | None:
    """Return how many samples an arm settle it: the interval lies on one side of *margin*, the ratios staying the same.

    None when the difference is so close to the margin that ten million would not do.

    >>> samples_to_decide(0.01, 0.01, 0.02)
    303
    """

    def decides(total: int) -> bool:
        interval = newcombe_interval(control_ratio, total, treatment_ratio, total, confidence=confidence)
        return interval.high <= margin or interval.low > margin

    if not decides(MOST_SAMPLES):
        return None
    low, high = 0, MOST_SAMPLES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def samples_to_plan(
    control_ratio: float, treatment_ratio: float, margin: float, *, power: float = POWER, confidence: float = 0.95
) -> int | None:
    """Return how many samples an arm decide a run with the probability *power*, if these are the true ratios.

    More than `samples_to_decide`, which takes the ratios as counted: what is counted falls on either side of what is
    true. The normal approximation of Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions,
    section 4.2, with the ratios at the margin as those to be told apart from. None when the true difference is the
    margin, or when it would take more than ten million.

    Raises:
        StatisticError: *power* does not lie between 0.5 and 1.

    >>> samples_to_plan(0.01, 0.06, 0.01)
    441
    """
    if not 0.5 <= power < 1:
        raise StatisticError(f"power is {power}; it must lie between 0.5 and 1, for example 0.9")
    effect = treatment_ratio - control_ratio - margin
    if effect == 0:
        return None
    middle = (control_ratio + treatment_ratio) / 2
    at_margin = max(0.0, middle - margin / 2), min(1.0, middle + margin / 2)
    normal = NormalDist()
    doubt = normal.inv_cdf((1 + confidence) / 2) * _spread(*at_margin)
    chance = normal.inv_cdf(power) * _spread(control_ratio, treatment_ratio)
    decided = samples_to_decide(control_ratio, treatment_ratio, margin, confidence=confidence)
    needed = ((doubt + chance) / effect) ** 2
    return max(ceil(needed), decided) if decided and needed <= MOST_SAMPLES else None


def _spread(one: float, other: float) -> float:
    return sqrt(one * (1 - one) + other * (1 - other))
