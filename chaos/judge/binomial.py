"""The binomial distribution, as exact as the logarithm of the gamma function. Pure."""

from math import exp, lgamma, log


def log_chance(count: int, total: int, share: float) -> float:
    """Return the logarithm of the chance of exactly *count* of *total*, each with the chance *share* (not 0, not 1)."""
    choose = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    return choose + count * log(share) + (total - count) * log(1 - share)


def at_least(count: int, total: int, share: float) -> float:
    """Return the chance of *count* or more of *total*, each with the chance *share*.

    >>> round(at_least(9, 10, 0.5) * 1024, 9)
    11.0
    """
    if count <= 0:
        return 1.0
    if count > total or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    if count <= share * total:  # the longer tail: its terms rise before they fall
        return 1 - at_least(total - count + 1, total, 1 - share)
    term, chance = exp(log_chance(count, total, share)), 0.0
    for each in range(count, total + 1):
        chance += term
        if term <= chance * 1e-17:
            break  # nothing that follows can be seen in the sum
        term *= (total - each) / (each + 1) * share / (1 - share)
    return chance
