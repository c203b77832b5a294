"""Why a data point cannot be used: a phrase that follows a number of points, "" when it can.

The rules are those of opentelemetry/proto/metrics/v1/metrics.proto and of the metrics data model.
"""

from collections.abc import Callable
from operator import lt
from typing import Any

NO_RECORDED_VALUE = 1
MAX_BUCKETS = 1_000
MIN_SCALE, MAX_SCALE = -10, 20
MAX_INT32 = 2**31 - 1
MAX_INT64 = 2**63 - 1

NO_TIME = "without a time"
STARTS_LATE = "with a start after the time"
NO_VALUE = "without a value"
TOO_MANY = "with a count of 2^63 or more"
NOT_THE_SUM = "with buckets that do not add up to the count"
NOT_FITTING = "with bucket counts that are not one more than the bounds"
NOT_INCREASING = "with bounds that do not increase"
TOO_WIDE = f"with more than {MAX_BUCKETS:,} buckets"
BAD_SCALE = f"with a scale outside {MIN_SCALE} to {MAX_SCALE}"
BAD_OFFSET = "with buckets beyond a 32-bit index"


def unusable_point(kind: str, point: Any) -> str:
    """Return why *point* of a metric of *kind*, the name of its member in `data`, is left out, or "".

    A point flagged "no recorded value" ends its series, whatever values it carries.
    """
    time = point.time_unix_nano
    if not time:
        return NO_TIME
    if point.start_time_unix_nano > time:
        return STARTS_LATE
    return "" if point.flags & NO_RECORDED_VALUE else _UNUSABLE[kind](point)


def _unusable_number(point: Any) -> str:
    return NO_VALUE if point.WhichOneof("value") is None else ""


def _unusable_histogram(point: Any) -> str:
    buckets, bounds = point.bucket_counts, point.explicit_bounds
    if point.count > MAX_INT64:
        return TOO_MANY
    if len(buckets) > MAX_BUCKETS:
        return TOO_WIDE
    if len(buckets) != len(bounds) + 1 and (buckets or bounds):
        return NOT_FITTING
    if not _increase(bounds[:]):
        return NOT_INCREASING
    return NOT_THE_SUM if buckets and sum(buckets) != point.count else ""


def _increase(bounds: list[float]) -> bool:
    """Return whether *bounds* increase strictly; NaN is in no order."""
    return all(map(lt, bounds, bounds[1:])) and (len(bounds) != 1 or bounds[0] == bounds[0])


def _unusable_exponential(point: Any) -> str:
    if point.count > MAX_INT64:
        return TOO_MANY
    if not MIN_SCALE <= point.scale <= MAX_SCALE:
        return BAD_SCALE
    total = point.zero_count
    for side in (point.positive, point.negative):
        width = len(side.bucket_counts)
        if width > MAX_BUCKETS:
            return TOO_WIDE
        if side.offset + width > MAX_INT32:
            return BAD_OFFSET
        total += sum(side.bucket_counts)
    return "" if total == point.count else NOT_THE_SUM


def _unusable_summary(point: Any) -> str:
    return TOO_MANY if point.count > MAX_INT64 else ""


_UNUSABLE: dict[str, Callable[[Any], str]] = {
    "gauge": _unusable_number,
    "sum": _unusable_number,
    "histogram": _unusable_histogram,
    "exponential_histogram": _unusable_exponential,
    "summary": _unusable_summary,
}
