"""Points that are left out, that are odd but kept, that change their kind, and that end a series."""

import time

from tests.integration.otlp_bodies import (
    OTLP,
    Case,
    exponential,
    histogram,
    metrics_body,
    number_point,
    ordinary,
    summary,
)
from tests.integration.otlp_wire import field

REJECTED_POINTS = {
    ("gauge", "without a value"): lambda: number_point(None),
    ("gauge", "without a time"): lambda: number_point(time_unix_nano=0),
    ("sum", "a start after the time"): lambda: number_point(start_time_unix_nano=time.time_ns() + 10**12),
    ("histogram", "bounds that do not increase"): lambda: histogram(
        bucket_counts=[1, 1, 1], explicit_bounds=[2, 1], count=3
    ),
    ("histogram", "equal bounds"): lambda: histogram(bucket_counts=[1, 1, 1], explicit_bounds=[1, 1], count=3),
    ("histogram", "a bound that is no number"): lambda: histogram(explicit_bounds=[float("nan")]),
    ("histogram", "too few buckets"): lambda: histogram(bucket_counts=[3]),
    ("histogram", "too many buckets"): lambda: histogram(bucket_counts=[1, 1, 1]),
    ("histogram", "buckets that do not add up"): lambda: histogram(count=4),
    ("histogram", "a count of 2^64 - 1"): lambda: histogram(count=(1 << 64) - 1, bucket_counts=[], explicit_bounds=[]),
    ("histogram", "a million buckets"): lambda: histogram(
        count=10**6, bucket_counts=[1] * 10**6, explicit_bounds=list(range(10**6 - 1))
    ),
    ("exponential_histogram", "scale 127"): lambda: exponential(scale=127),
    ("exponential_histogram", "scale -127"): lambda: exponential(scale=-127),
    ("exponential_histogram", "an offset of 2^31 - 1"): lambda: exponential(offset=(1 << 31) - 1),
    ("exponential_histogram", "a million buckets"): lambda: exponential(count=10**6, buckets=[1] * 10**6),
    ("exponential_histogram", "buckets that do not add up"): lambda: exponential(count=9),
    ("summary", "without a time"): lambda: summary(time_unix_nano=0),
    ("summary", "a count of 2^63"): lambda: summary(count=1 << 63),
}

ACCEPTED_POINTS = {
    ("gauge", "not a number"): lambda: number_point(float("nan")),
    ("gauge", "infinity"): lambda: number_point(float("inf")),
    ("gauge", "minus infinity"): lambda: number_point(float("-inf")),
    ("gauge", "minus zero"): lambda: number_point(-0.0),
    ("gauge", "the least integer"): lambda: number_point(-(1 << 63)),
    ("sum", "the greatest integer"): lambda: number_point((1 << 63) - 1),
    ("sum", "a start of 2^64 - 1"): lambda: number_point(
        start_time_unix_nano=(1 << 64) - 1, time_unix_nano=(1 << 64) - 1
    ),
    ("histogram", "no buckets"): lambda: histogram(bucket_counts=[], explicit_bounds=[]),
    ("histogram", "a count of 2^63 - 1"): lambda: histogram(
        count=(1 << 63) - 1, bucket_counts=[(1 << 63) - 1], explicit_bounds=[]
    ),
    ("histogram", "sums that are no numbers"): lambda: histogram(sum=float("nan"), min=float("inf"), max=float("-inf")),
    ("exponential_histogram", "an offset of -2^31"): lambda: exponential(offset=-(1 << 31)),
    ("exponential_histogram", "scale 20"): lambda: exponential(scale=20),
    ("exponential_histogram", "scale -10"): lambda: exponential(scale=-10),
    ("summary", "odd quantiles"): lambda: summary(
        quantile_values=[{"quantile": 7.0, "value": float("nan")}, {"quantile": float("-inf"), "value": 1.0}]
    ),
}


def odd_points():
    good = {
        "gauge": number_point,
        "sum": number_point,
        "histogram": histogram,
        "exponential_histogram": exponential,
        "summary": summary,
    }
    for (kind, name), make in REJECTED_POINTS.items():
        yield Case(f"{kind}: {name}", "metrics", metrics_body(good[kind](), make(), kind=kind), 200, 1, "left out")
    for (kind, name), make in ACCEPTED_POINTS.items():
        yield Case(f"{kind}: {name}", "metrics", metrics_body(good[kind](), make(), kind=kind))
    for kind in ("sum", "histogram", "exponential_histogram"):
        for temporality in (0, 3, -1):
            body = metrics_body(good[kind](), kind=kind, temporality=temporality) + ordinary("metrics")
            yield Case(f"{kind} of temporality {temporality}", "metrics", body, 200, 1, "temporality")
    yield Case("a metric without data", "metrics", field(1, field(2, field(2, field(1, b"m")))))
    alone = metrics_body(number_point(None), kind="gauge")
    yield Case("nothing but bad points", "metrics", alone, 400, says="none of the 1 data points")


def type_flips():
    series = {"attributes": OTLP.pairs({"id": "one"})}
    yield Case("a sum", "metrics", metrics_body(number_point(1, **series), kind="sum", name="flip", unit="ms"))
    yield Case("now a gauge", "metrics", metrics_body(number_point(2, **series), name="flip", unit="ms"))
    yield Case("in seconds", "metrics", metrics_body(number_point(3, **series), kind="sum", name="flip", unit="s"))
    body = metrics_body(number_point(4, **series), kind="sum", name="flip", unit="ms", monotonic=False)
    yield Case("that may fall", "metrics", body)
    body = metrics_body(number_point(5, **series), kind="sum", name="flip", unit="ms", temporality=1)
    yield Case("of differences", "metrics", body)


def ended_series():
    for kind, point in (
        ("gauge", number_point(77.0, flags=1)),
        ("gauge", number_point(None, flags=1)),
        ("sum", number_point(-5, flags=1)),
        ("histogram", histogram(count=99, bucket_counts=[1], explicit_bounds=[3, 2, 1], flags=1)),
        ("exponential_histogram", exponential(count=99, scale=1000, flags=1)),
        ("summary", summary(count=1 << 63, flags=1)),
    ):
        yield Case(f"{kind}", "metrics", metrics_body(point, kind=kind, name=f"ended.{kind}"))
