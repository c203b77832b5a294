"""Could luck in one arm alone explain a difference? Pure.

Newcombe's interval errs as rarely as it says, but where the arms are of unequal size and bad requests are rare its
errors all fall on one side: 1 bad request of 100 against 10 of 10,000 lies beyond a margin of 0, and comes in a run of
ten with no effect. So a verdict also has to pass the exact binomial test of each arm against what the other one lets
expect. With arms of equal size the interval is nearly always the stricter of the two.
"""

from chaos.judge.binomial import at_least


def chance_of_luck(low_bad: int, low_total: int, high_bad: int, high_total: int, *, margin: float) -> float:
    """Return how likely one arm alone makes the second arm's ratio exceed the first one's by more than *margin*.

    The larger of two chances: that the second arm has so many bad requests, or the first one so few, if the other arm's
    ratio is the true one and the difference is the margin. 0 where the margin would lead out of 0..1.

    >>> round(chance_of_luck(10, 10_000, 1, 100, margin=0), 2)
    0.1
    >>> chance_of_luck(1, 1000, 20, 1000, margin=0) < 1e-6
    True
    """
    from_low, from_high = (low_bad + 0.5) / (low_total + 1) + margin, (high_bad + 0.5) / (high_total + 1) - margin
    return max(_at_least(high_bad, high_total, from_low), _at_least(low_total - low_bad, low_total, 1 - from_high))


def _at_least(count: int, total: int, share: float) -> float:
    return at_least(count, total, share) if 0 < share < 1 else 0.0
