"""How many samples a verdict needs. Pure."""

from math import ceil, exp, floor, sqrt
from statistics import NormalDist

from chaos.judge.binomial import at_least, log_chance
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
    """Return about how many samples an arm decide a run with the probability *power*, if these are the true ratios.

    More than `samples_to_decide`, which takes the ratios as counted: what is counted falls on either side of what is
    true. Begins with the normal approximation and adds a twentieth as long as that does not do. None when the true
    difference is the margin, or when it would take more than ten million.

    Raises:
        StatisticError: *power* does not lie between 0.5 and 1.

    >>> samples_to_plan(0.01, 0.06, 0.01)
    441
    """
    decided = samples_to_decide(control_ratio, treatment_ratio, margin, confidence=confidence)
    about = normal_samples(control_ratio, treatment_ratio, margin, power=power, confidence=confidence)
    if decided is None or about is None:
        return None
    total = max(decided, about)
    while total <= MOST_SAMPLES and power > decided_share(
        control_ratio, treatment_ratio, margin, total, confidence=confidence
    ):
        total += ceil(total / 20)
    return total if total <= MOST_SAMPLES else None


def normal_samples(
    control_ratio: float, treatment_ratio: float, margin: float, *, power: float, confidence: float = 0.95
) -> int | None:
    """Return the same by the normal approximation, which is too small where bad samples are few.

    Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, section 4.2, with the ratios at the
    margin as those to be told apart from.
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
    return ceil(min(((doubt + chance) / effect) ** 2, MOST_SAMPLES + 1))


def decided_share(
    control_ratio: float, treatment_ratio: float, margin: float, total: int, *, confidence: float = 0.95
) -> float:
    """Return the share of runs with *total* samples an arm whose interval lies on the true side of *margin*.

    >>> round(decided_share(0.01, 0.06, 0.01, 441), 2)
    0.93
    """
    deviates = treatment_ratio - control_ratio > margin
    share = 0.0
    for control in _likely(total, control_ratio):
        first = _first_beyond(control, total, margin, deviates=deviates, confidence=confidence)
        beyond = at_least(first, total, treatment_ratio)
        share += _chance(control, total, control_ratio) * (beyond if deviates else 1 - beyond)
    return share


def _first_beyond(control: int, total: int, margin: float, *, deviates: bool, confidence: float) -> int:
    """Return the least bad count of the treatment that deviates, or that does not hold; *total* + 1 for none."""
    low, high = -1, total + 1
    while high - low > 1:
        middle = (low + high) // 2
        interval = newcombe_interval(control / total, total, middle / total, total, confidence=confidence)
        beyond = interval.low > margin if deviates else interval.high > margin
        low, high = (low, middle) if beyond else (middle, high)
    return high


def _likely(total: int, ratio: float) -> range:
    spread = 6 * sqrt(total * ratio * (1 - ratio)) + 6
    return range(max(0, floor(total * ratio - spread)), min(total, ceil(total * ratio + spread)) + 1)


def _chance(count: int, total: int, ratio: float) -> float:
    return exp(log_chance(count, total, ratio)) if 0 < ratio < 1 else float(count == total * ratio)


def _spread(one: float, other: float) -> float:
    return sqrt(one * (1 - one) + other * (1 - other))
