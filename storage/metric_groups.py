"""Groups of a metric's series, each with one value: what a rule over the metric compares with its limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from storage.client import Database, load_query
from storage.metric_query import MetricQuery, nanoseconds, overflows, selected
from storage.metric_series import increases

GroupValue = Literal["max", "min", "avg", "sum", "highest_last", "lowest_last", "rate", "increase"]
_COLUMNS: Final[Mapping[GroupValue, str]] = {
    "max": "v.max_value",
    "min": "v.min_value",
    "avg": "v.avg_value",
    "sum": "v.sum_value",
    "highest_last": "v.highest_last",
    "lowest_last": "v.lowest_last",
    "rate": "v.steps[1].2",
    "increase": "v.steps[1].3",
}
_COUNTED: Final = {  # what rises, by type: table, value, and the value as an exact integer
    "sum": ("metric_points", "value", "exact_int"),
    "histogram": ("metric_histograms", "toFloat64(count)", "0"),
    "exponential_histogram": ("metric_exponential_histograms", "toFloat64(count)", "0"),
    "summary": ("metric_summaries", "toFloat64(count)", "0"),
}


@dataclass(frozen=True, slots=True)
class MetricGroup:
    """`value` is None without a point in the window; `seen` is when anything of it arrived last, to ten minutes."""

    labels: tuple[str, ...]
    value: float | None
    seen: datetime


@dataclass(frozen=True, slots=True)
class MetricGroups:
    """Some of `total` groups: those with a value first, then those that were seen last."""

    groups: list[MetricGroup]
    total: int


def metric_groups(database: Database, query: MetricQuery, value: GroupValue, *, seen_since: datetime) -> MetricGroups:
    """Return *value* of each group over the whole of *query*, and groups that were only seen, since *seen_since*.

    Rate and increase are those of the Metrics page: resets, both temporalities, points beyond a series' limit. The
    other values are of gauges and sums: over all points, or over what each series said last ("sum", "..._last").
    """
    known = selected(query).replace("{start_ns:Int64}", "{seen_since_ns:Int64}")
    parameters = query.parameters() | {
        "seen_since_ns": nanoseconds(seen_since),
        "step_ns": nanoseconds(query.end) - nanoseconds(query.start),
    }
    rows = database.rows(
        "metric_groups", parameters, known=known, values=_values(query, value), group_value=_COLUMNS[value]
    )
    groups = [
        MetricGroup(tuple(row["labels"]), row["value"] if row["has_value"] else None, row["seen"]) for row in rows
    ]
    return MetricGroups(groups, rows[0]["groups"] if rows else 0)


def _values(query: MetricQuery, value: GroupValue) -> str:
    if value not in {"rate", "increase"}:
        values = load_query("metric_group_values").replace("/*selected*/", selected(query))
        return values.replace("/*selected_ids*/", selected(query, labels=False))
    table, counted, exact_int = _COUNTED[query.kind.type]
    rises = increases(
        table,
        value=counted,
        exact_int=exact_int,
        delta="{delta:Bool}",
        which=f"metric = {{metric:String}} AND series_id IN ({selected(query, labels=False)})",
        overflowed=overflows(query),
    )
    return load_query("metric_rates").replace("/*increases*/", rises).replace("/*selected*/", selected(query))
