"""A metric over time: rates of counters, values of gauges, quantiles of histograms and summaries."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from storage.attributes import decode_map
from storage.buckets import ExplicitBuckets, ExponentialBuckets, merge
from storage.client import Database, load_query
from storage.metric_overflow import overflow_points, overflow_warning
from storage.metric_query import MetricAnswer, MetricQuery, MetricSeries, MetricStep, overflows, selected

LEVELS = (0.5, 0.95, 0.99)
STATS = {"last": 1, "avg": 2, "min": 3, "max": 4}
Labels = tuple[str, ...]
Quantiles = Mapping[tuple[Labels, int], dict[str, float]]


@dataclass(frozen=True, slots=True)
class _Group:
    labels: Labels
    steps: list[tuple[int, float | None, float | None]]


def metric_series(database: Database, query: MetricQuery) -> MetricAnswer:
    """Return what *query* asks for: a rate where the metric counts, its value where it goes up and down.

    A cumulative counter is reset where its start changes or its value falls; the first point of a stream counts from
    its start, and nothing when that is its own time or is not known (OpenTelemetry's metrics data model, "resets and
    gaps"). Points without a recorded value end a series and are never read as values.
    Points of series beyond a service's limit are counted if they add up, and left out otherwise.
    """
    return _ANSWERS.get(query.kind.type, _numbers)(database, query)


def _numbers(database: Database, query: MetricQuery) -> MetricAnswer:
    kind = query.kind
    if kind.type == "sum" and (kind.monotonic or kind.temporality == "delta"):
        groups, total = _rates(database, query, "metric_points", value="value", exact_int="exact_int")
    else:
        groups, total = _values(database, query)
    return _answer(database, query, groups, total)


def _histograms(database: Database, query: MetricQuery) -> MetricAnswer:
    groups, total = _rates(database, query, "metric_histograms", value="toFloat64(count)", exact_int="0")
    found = defaultdict(list)
    for row in _shown(database, "metric_buckets", query, groups):
        found[tuple(row["labels"]), row["step"]].append(ExplicitBuckets(tuple(row["bounds"]), tuple(row["counts"])))
    merged = {key: merge(items) for key, items in found.items()}
    unusable = {labels for labels, items in _by_labels(merged).items() if merge(items).unusable}
    quantiles = {key: _levels(buckets.quantile) for key, buckets in merged.items()}
    return _answer(database, query, groups, total, quantiles=quantiles, unusable=unusable)


def _exponential(database: Database, query: MetricQuery) -> MetricAnswer:
    table = "metric_exponential_histograms"
    groups, total = _rates(database, query, table, value="toFloat64(count)", exact_int="0")
    quantiles = {}
    for row in _shown(database, "metric_exponential_buckets", query, groups):
        buckets = ExponentialBuckets(
            row["scale"],
            dict(zip(*row["positive"], strict=True)),
            dict(zip(*row["negative"], strict=True)),
            row["zero"],
            row["threshold"],
        )
        quantiles[tuple(row["labels"]), row["step"]] = _levels(buckets.quantile)
    return _answer(database, query, groups, total, quantiles=quantiles)


def _summaries(database: Database, query: MetricQuery) -> MetricAnswer:
    groups, total = _rates(database, query, "metric_summaries", value="toFloat64(count)", exact_int="0")
    quantiles: dict[tuple[Labels, int], dict[str, float]] = defaultdict(dict)
    several = False
    for row in _shown(database, "metric_quantiles", query, groups):
        quantiles[tuple(row["labels"]), row["step"]][f"{row['quantile']:g}"] = row["value"]
        several |= row["series"] > 1
    found = _answer(database, query, groups, total, quantiles=quantiles)
    if several:
        found.warnings.append("quantiles of several summaries cannot be merged: the highest is shown")
    return found


_ANSWERS: dict[str, Callable[[Database, MetricQuery], MetricAnswer]] = {
    "histogram": _histograms,
    "exponential_histogram": _exponential,
    "summary": _summaries,
}


def count_increases(database: Database, query: MetricQuery) -> dict[Labels, dict[int, float]]:
    """Return by how much the counts of histograms rose in each step of *query*, by group; without data no step."""
    table = "metric_histograms" if query.kind.type == "histogram" else "metric_exponential_histograms"
    groups, _ = _rates(database, query, table, value="toFloat64(count)", exact_int="0")
    return {group.labels: {step: rise for step, _, rise in group.steps if rise is not None} for group in groups}


def increases(points: str, *, value: str, exact_int: str, delta: str, which: str, overflowed: str) -> str:
    """Return the SQL of `metric_increases` over the table *points*; every argument is SQL of this package."""
    sql = load_query("metric_increases")
    slots = {"points": points, "value": value, "exact_int": exact_int, "delta": delta, "which": which}
    for slot, text in (slots | {"overflows": overflowed}).items():
        sql = sql.replace(f"/*{slot}*/", text)
    return sql


def _rates(
    database: Database, query: MetricQuery, table: str, *, value: str, exact_int: str
) -> tuple[list[_Group], int]:
    which = f"metric = {{metric:String}} AND series_id IN ({selected(query, labels=False)})"
    rises = increases(
        table, value=value, exact_int=exact_int, delta="{delta:Bool}", which=which, overflowed=overflows(query)
    )
    rows = database.rows("metric_rates", query.parameters(), increases=rises, selected=selected(query))
    groups = [_Group(tuple(row["labels"]), [(step, rate, rise) for step, rate, rise in row["steps"]]) for row in rows]
    return groups, rows[0]["groups"] if rows else 0


def _values(database: Database, query: MetricQuery) -> tuple[list[_Group], int]:
    rows = database.rows("metric_values", query.parameters(), selected=selected(query))
    place = STATS[query.stat]
    groups = [
        _Group(
            tuple(row["labels"]),
            [(step[0], step[5] if place == 1 and step[5] else step[place], None) for step in row["steps"]],
        )
        for row in rows
    ]
    return groups, rows[0]["groups"] if rows else 0


def _shown(database: Database, name: str, query: MetricQuery, groups: Iterable[_Group]) -> list[dict[str, Any]]:
    parameters = query.parameters() | {"shown": [list(group.labels) for group in groups]}
    return database.rows(name, parameters, selected=selected(query), overflows=overflows(query))


def _answer(
    database: Database,
    query: MetricQuery,
    groups: list[_Group],
    total: int,
    *,
    quantiles: Quantiles | None = None,
    unusable: Iterable[Labels] = (),
) -> MetricAnswer:
    named = _labels(database, query, groups)
    series = [
        MetricSeries(
            labels,
            [
                MetricStep(
                    query.start + timedelta(seconds=step * query.step_s),
                    _finite(value),
                    _finite(increase),
                    (quantiles or {}).get((group.labels, step)),
                )
                for step, value, increase in group.steps
            ],
            unusable_bounds=group.labels in unusable,
        )
        for group, labels in zip(groups, named, strict=True)
    ]
    warnings = [f"shown {len(series)} of {total} series: narrow the filter, or group"] if total > len(series) else []
    if unusable:
        warnings.append("the bounds of a histogram do not fit its values: over 90 % of them lie in one bucket")
    overflowed = overflow_points(database, query)
    if overflowed:
        warnings.append(overflow_warning(query, overflowed))
    return MetricAnswer(series, total, warnings, overflowed)


def _labels(database: Database, query: MetricQuery, groups: list[_Group]) -> list[dict[str, Any]]:
    if query.group_by is not None:
        return [dict(zip(query.group_by, group.labels, strict=True)) for group in groups]
    wanted = [int(group.labels[0]) for group in groups]
    rows = database.rows("metric_labels", {"metric": query.kind.metric, "series": wanted})
    found = {
        row["id"]: {
            "service": row["service_name"],
            "environment": row["environment_name"],
            "service.instance.id": row["instance"],
            **decode_map(row["attributes_hex"]),
        }
        for row in rows
    }
    return [found[group.labels[0]] for group in groups]


def _finite(value: float | None) -> float | None:
    """Return *value*; None instead of a sum that left the range of doubles."""
    return value if value is not None and math.isfinite(value) else None


def _levels(quantile: Callable[[float], float | None]) -> dict[str, float]:
    found = {f"{level:g}": quantile(level) for level in LEVELS}
    return {level: value for level, value in found.items() if value is not None and math.isfinite(value)}


def _by_labels(merged: Mapping[tuple[Labels, int], ExplicitBuckets]) -> dict[Labels, list[ExplicitBuckets]]:
    found = defaultdict(list)
    for (labels, _), buckets in merged.items():
        found[labels].append(buckets)
    return found
