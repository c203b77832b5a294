"""Findings about metrics: buckets that tell nothing, and too many series."""

from collections.abc import Iterator, Sequence

from storage import telemetry_remedies as remedies
from storage.telemetry_finding import Finding, Row, finding

ONE_BUCKET = 0.95
OBSERVATIONS = 100
SDK_BOUNDS = [0, 5, 10, 25]  # the SDKs' default begins so; it is meant for milliseconds


def histograms(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        metric, totals, bounds = row["name"], row["totals"], row["bounds"]
        count, most = sum(totals), max(totals)
        if count < OBSERVATIONS or len(bounds) < 2 or len(totals) != len(bounds) + 1 or most < count * ONE_BUCKET:
            continue
        place = totals.index(most)
        seconds = row["metric_unit"] == "s" and bounds[:4] == SDK_BOUNDS
        at_the_edge = place in {0, len(bounds)}
        yield finding(
            "unusable_histogram_bounds",
            row,
            "warning" if at_the_edge or seconds else "info",
            f"{most / count:.1%} of {count:,} observations of {metric} lie in one bucket "
            f"({_bucket(bounds, place, row['metric_unit'])}): no percentile can be told from it",
            remedy=(remedies.SECONDS_BOUNDS if seconds else remedies.BOUNDS).format(metric=metric),
            evidence={"observations": count, "in_one_bucket_ratio": most / count, "buckets": len(totals)},
            examples=[metric],
        )


def overflow(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        metric, series = row["name"], row["series"]
        lost = "; its SDK merged the rest into one series (otel.metric.overflow)" if row["overflows"] else ""
        yield finding(
            "cardinality_overflow",
            row,
            "warning",
            f"{metric} has {series:,} series{lost}; its attributes are {', '.join(row['examples'])}",
            remedy=remedies.CARDINALITY,
            evidence={"series": series, "overflows": row["overflows"]},
            examples=[metric, *row["examples"]],
        )


def too_many(rows: Sequence[Row]) -> Iterator[Finding]:
    for row in rows:
        series, metrics, most = row["series"], row["metrics"], row["examples"][0]
        yield finding(
            "too_many_series",
            row,
            "warning",
            f"the service is beyond its limit of metric series ({series:,} in the last hour, most of them of {most}): "
            f"new ones of {metrics:,} metric{'s' if metrics > 1 else ''} are stored together as otel.metric.overflow",
            remedy=remedies.SERIES.format(metric=most),
            evidence={"series": series, "overflowing_metrics": metrics},
        )


def _bucket(bounds: Sequence[float], place: int, unit: str) -> str:
    parts = [f"above {bounds[place - 1]:g}"] if place else []
    parts += [f"up to {bounds[place]:g}"] if place < len(bounds) else []
    return " ".join([*parts, unit]).strip()
