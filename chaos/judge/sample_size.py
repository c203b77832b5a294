"""How many samples a verdict needs. Pure."""

from slo.confidence import newcombe_interval

MOST_SAMPLES = 10_000_000


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
