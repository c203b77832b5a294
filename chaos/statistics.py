"""Interval estimates for the difference of two proportions. Pure."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

MOST_SAMPLES = 10_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def wilson_interval(ratio: float, total: float, *, confidence: float = 0.95) -> Interval:
    """Return Wilson's two-sided score interval for a proportion (Wilson 1927).

    >>> interval = wilson_interval(0.0, 50)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.0, 0.0713)
    """
    z = _z(confidence)
    centre = (ratio + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * sqrt(ratio * (1 - ratio) / total + z * z / (4 * total * total))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def difference_interval(
    control_bad: int, control_total: int, treatment_bad: int, treatment_total: int, *, confidence: float = 0.95
) -> Interval:
    """Return Newcombe's hybrid-score interval for treatment's proportion minus control's.

    Source: Newcombe 1998, Statistics in Medicine 17, method 10. Its coverage stays near the nominal one for small
    samples and proportions near 0 and 1, where Wald's interval fails.

    Raises:
        ValueError: an arm is empty, or has more bad events than events.

    >>> interval = difference_interval(0, 50, 0, 50)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.071, 0.071)
    """
    for bad, total in ((control_bad, control_total), (treatment_bad, treatment_total)):
        if not 0 <= bad <= total or total == 0:
            raise ValueError(f"{bad} bad of {total} is no proportion; both arms need events")
    return _newcombe(
        control_bad / control_total, control_total, treatment_bad / treatment_total, treatment_total, confidence
    )


def samples_to_decide(
    control_ratio: float, treatment_ratio: float, margin: float, *, confidence: float = 0.95
) -> int | None:
    """Return how many samples an arm settle it: the interval lies on one side of *margin*, the ratios staying the same.

    None when the difference is so close to the margin that ten million would not do.

    >>> samples_to_decide(0.01, 0.01, 0.02)
    303
    """

    def decides(total: int) -> bool:
        interval = _newcombe(control_ratio, total, treatment_ratio, total, confidence)
        return interval.high <= margin or interval.low > margin

    if not decides(MOST_SAMPLES):
        return None
    low, high = 0, MOST_SAMPLES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _newcombe(
    control: float, control_total: int, treatment: float, treatment_total: int, confidence: float
) -> Interval:
    control_interval = wilson_interval(control, control_total, confidence=confidence)
    treatment_interval = wilson_interval(treatment, treatment_total, confidence=confidence)
    difference = treatment - control
    below = sqrt((treatment - treatment_interval.low) ** 2 + (control_interval.high - control) ** 2)
    above = sqrt((treatment_interval.high - treatment) ** 2 + (control - control_interval.low) ** 2)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; it must lie between 0 and 1, for example 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)
