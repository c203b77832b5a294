"""Were the arms as large as they were drawn? Pure.

Requests are split by a hash, so the sizes of the arms follow the binomial distribution. Where they do not, requests of
one arm were lost, or counted twice, and the two cannot be compared ("sample ratio mismatch": Fabijan et al. 2019, KDD).
"""

from math import log

from chaos.judge.binomial import at_least, log_chance
from slo.confidence import StatisticError

MISMATCH = 0.001
_SAME = 1 + 1e-7  # probabilities closer than this are equal but for rounding


def sample_ratio_chance(control_total: int, treatment_total: int, *, treatment_share: float = 0.5) -> float:
    """Return how likely chance alone makes the arms at least this unequal: the exact two-sided binomial test.

    Args:
        control_total: requests in the control arm.
        treatment_total: requests in the treatment arm.
        treatment_share: the treatment's part of both arms, 0.5 where they are drawn alike.

    Raises:
        StatisticError: a count is negative, or the share does not lie between 0 and 1.

    >>> round(sample_ratio_chance(3, 0), 9)
    0.25
    """
    if min(control_total, treatment_total) < 0:
        raise StatisticError(f"{control_total} and {treatment_total} requests are no sizes; counts are not negative")
    if not 0 < treatment_share < 1:
        raise StatisticError(f"treatment_share is {treatment_share}; it must lie between 0 and 1, for example 0.5")
    total = control_total + treatment_total
    expected = treatment_share * total
    if treatment_total == expected:
        return 1.0
    if treatment_total < expected:
        control_total, treatment_total, treatment_share = treatment_total, control_total, 1 - treatment_share
    near = at_least(treatment_total, total, treatment_share)
    limit = log_chance(treatment_total, total, treatment_share) + log(_SAME)
    mirrored = _first_within(limit, total, 1 - treatment_share)  # the far tail, counted from its own end
    return min(1.0, near + at_least(mirrored, total, 1 - treatment_share))


def _first_within(limit: float, total: int, share: float) -> int:
    """Return the least count above the mean whose chance is at most *limit*; *total* + 1 where there is none."""
    low, high = int(share * total), total + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if log_chance(middle, total, share) <= limit else (middle, high)
    return high
