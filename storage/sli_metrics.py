"""Counting SLIs from stored points of metrics, and their minutes.

Points are on their way longer than spans, so a window over metrics ends LATENESS ago. A point changes what the points
after it counted, at most those of the next hour (LOOKBACK): they are counted again with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from slo.indicator import CounterIndicator, GaugeIndicator, HistogramIndicator, MetricIndicator, MetricSelector
from storage.client import Database, load_query
from storage.metric_query import EPOCH, nanoseconds
from storage.sli_groups import Counted, Doubt, count_groups, emptied
from storage.sli_labels import MOST_GROUPS
from storage.sli_match import label_names
from storage.sli_minutes import SliMinute
from storage.times import whole

LATENESS: Final = timedelta(seconds=75)  # an SDK exports every 60 s
LOOKBACK: Final = timedelta(hours=1)  # a point that has none before it in this time begins anew
MINUTE: Final = timedelta(minutes=1)
SELECTED_FOR: Final = timedelta(days=31)  # how long a metric may be silent before it is called missing

_GOOD, _BAD, _ALL = 1, 2, 3
_GOOD_AND_BAD, _GOOD_OF_ALL, _BAD_OF_ALL = 1, 2, 3
_COUNTER, _HISTOGRAM, _GAUGE = 1, 2, 3
_COMPARISONS = {"<": 1, "<=": 2, ">": 3, ">=": 4}
_KIND_NAMES = {_COUNTER: "a counter", _HISTOGRAM: "a histogram", _GAUGE: "a gauge"}
# a quick choice of series, before the exact one
_NEAR = "metric IN {metrics:Array(String)} AND service IN {services:Array(String)}"
_QUERIES: dict[int, tuple[str, ...]] = {
    _COUNTER: ("count_counters",),
    _HISTOGRAM: ("count_histograms", "count_exponential_histograms"),
    _GAUGE: ("count_gauges",),
}


@dataclass(frozen=True, slots=True)
class MetricCount:
    """Minutes, and by series what is wrong with its metrics, as texts."""

    minutes: list[SliMinute]
    problems: dict[int, list[str]]


@dataclass(frozen=True, slots=True)
class _Selector:
    indicator: MetricIndicator
    metric: MetricSelector
    kind: int
    role: int
    shape: int = 0
    threshold: float = 0.0


def recount_metrics(
    database: Database,
    indicators: Iterable[MetricIndicator],
    *,
    since: datetime,
    oldest: datetime | None = None,
    most: int = MOST_GROUPS,
) -> MetricCount:
    """Count every minute that received points since *since*, and those that hang on them, from *oldest* on.

    Minutes that hold nothing any more come with nothing in them: a late point may show that a later one was a
    repetition.
    """
    wanted = list(indicators)
    if not wanted:
        return MetricCount([], {})
    earliest = EPOCH if oldest is None else oldest
    services = sorted({indicator.service for indicator in wanted})
    rows = database.rows("count_touched", {"since": whole(since), "oldest": whole(earliest), "services": services})
    found = [
        count_metrics(database, wanted, start=max(start, earliest), end=end, most=most)
        for start, end in _ranges([row["minute"] for row in rows])
    ]
    problems: dict[int, list[str]] = {}
    for part in found:
        problems |= part.problems
    return MetricCount([minute for part in found for minute in part.minutes], problems)


def count_metrics(
    database: Database,
    indicators: Iterable[MetricIndicator],
    *,
    start: datetime,
    end: datetime,
    most: int = MOST_GROUPS,
) -> MetricCount:
    """Count all minutes of [*start*, *end*), which are whole minutes; those that lost their events come empty."""
    wanted = list(indicators)
    selectors = [selector for indicator in wanted for selector in _selectors(indicator)]
    found = [
        _count(database, query, [item for item in selectors if item.kind == kind], (start, end), most)
        for kind, queries in _QUERIES.items()
        for query in queries
        if any(item.kind == kind for item in selectors)
    ]
    counted = _merged(found)
    series = {indicator.series_id: indicator for indicator in wanted}
    places = {(key, start + n * MINUTE) for key in series for n in range((end - start) // MINUTE)}
    gone = emptied(database, counted.minutes, places, wholes=True, source="metrics")
    problems = {key: [_doubt_text(series[key], doubt)] for key, doubt in counted.doubts.items()}
    return MetricCount([*counted.minutes, *gone], problems)


def missing_metrics(
    database: Database, indicators: Iterable[MetricIndicator], *, now: datetime
) -> dict[int, list[str]]:
    """Return by series which of its metrics nobody sends, or sends as something that cannot be counted."""
    selectors = [selector for indicator in indicators for selector in _selectors(indicator)]
    if not selectors:
        return {}
    parameters = _parameters(selectors, now - SELECTED_FOR, now)
    rows = database.rows("count_selectors", parameters, series_selected=load_query("count_selected"))
    found = {(row["series"], row["role"]) for row in rows}
    lacking = [item for item in selectors if (item.indicator.series_id, item.role) not in found]
    if not lacking:
        return {}
    rows = database.rows("count_metric_kinds", parameters)
    types = {(row["metric_name"], row["service_name"]): row["types"] for row in rows}
    problems: dict[int, list[str]] = {}
    for item in lacking:
        sent = types.get((item.metric.metric, item.indicator.service), [])
        problems.setdefault(item.indicator.series_id, []).append(_missing_text(item, sent))
    return problems


def _count(
    database: Database, query: str, selectors: Sequence[_Selector], between: tuple[datetime, datetime], most: int
) -> Counted:
    grouped = {
        item.indicator.series_id: label_names(item.indicator.group_by) for item in selectors if item.indicator.group_by
    }
    return count_groups(
        database,
        query,
        _parameters(selectors, *between),
        grouped,
        source="metrics",
        most=most,
        series_selected=load_query("count_selected"),
        series_near=_NEAR,
    )


def _selectors(indicator: MetricIndicator) -> list[_Selector]:
    match indicator:
        case CounterIndicator(good=good, bad=bad, total=total):
            shape = _GOOD_AND_BAD if total is None else _BAD_OF_ALL if good is None else _GOOD_OF_ALL
            parts = ((good, _GOOD), (bad, _BAD), (total, _ALL))
            return [_Selector(indicator, part, _COUNTER, role, shape) for part, role in parts if part is not None]
        case HistogramIndicator(metric=metric, at_most=at_most):
            return [_Selector(indicator, metric, _HISTOGRAM, _GOOD, threshold=float(at_most))]
        case GaugeIndicator(metric=metric, op=op, value=value):
            return [_Selector(indicator, metric, _GAUGE, _COMPARISONS[op], threshold=float(value))]


def _parameters(selectors: Sequence[_Selector], start: datetime, end: datetime) -> dict[str, Any]:
    return {
        "slis": [item.indicator.series_id for item in selectors],
        "roles": [item.role for item in selectors],
        "shapes": [item.shape for item in selectors],
        "kinds": [item.kind for item in selectors],
        "thresholds": [item.threshold for item in selectors],
        "metrics": [item.metric.metric for item in selectors],
        "services": [item.indicator.service for item in selectors],
        "any_environments": [item.indicator.environment is None for item in selectors],
        "environments": [item.indicator.environment or "" for item in selectors],
        "keys": [[key for key, _ in item.metric.attributes] for item in selectors],
        "values": [[value for _, value in item.metric.attributes] for item in selectors],
        "label_names": [list(label_names(item.indicator.group_by)) for item in selectors],
        "from_ns": nanoseconds(start),
        "to_ns": nanoseconds(end),
        "lookback_ns": LOOKBACK // timedelta(microseconds=1) * 1000,
    }


def _ranges(minutes: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Return what has to be counted again when *minutes* (ascending) received points, as ranges that do not touch.

    A point on a minute's edge belongs to the minute before.
    """
    found: list[tuple[datetime, datetime]] = []
    for minute in minutes:
        start, end = minute - MINUTE, minute + LOOKBACK + 2 * MINUTE
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _merged(parts: Sequence[Counted]) -> Counted:
    """Return *parts* as one; a histogram may have been sent in both forms, then its minutes add up."""
    minutes: dict[tuple[int, datetime, str], SliMinute] = {}
    doubts: dict[int, Doubt] = {}
    for part in parts:
        for item in part.minutes:
            key = (item.series, item.minute, item.group)
            minutes[key] = item if key not in minutes else _sum(minutes[key], item)
        doubts |= part.doubts
    return Counted(list(minutes.values()), doubts)


def _sum(one: SliMinute, other: SliMinute) -> SliMinute:
    return replace(one, good=one.good + other.good, total=one.total + other.total, seen=one.seen + other.seen)


def _doubt_text(indicator: MetricIndicator, doubt: Doubt) -> str:
    if isinstance(indicator, HistogramIndicator):
        name = indicator.metric.metric
        if doubt.bound == float("-inf"):
            return f"histogram {name!r} has no buckets: {doubt.events:,} values cannot be told good from bad"
        return (
            f"histogram {name!r} has no bound at {indicator.at_most}: {doubt.events:,} values were told good from bad"
            f" by the bound {doubt.bound:g}; choose a bound as threshold"
        )
    assert isinstance(indicator, CounterIndicator)
    assert indicator.total is not None
    part = indicator.good or indicator.bad
    assert part is not None
    return (
        f"counter {part.metric!r} rose by {doubt.events:,} more than {indicator.total.metric!r}, of which it should be"
        " a part: it was counted as all of it"
    )


def _missing_text(item: _Selector, types: Sequence[str]) -> str:
    name, service = item.metric.metric, item.indicator.service
    if not types:
        return f"no metric {name!r} came from service {service!r} in this month or the last"
    asked = ", ".join(f"{key} = {value!r}" for key, value in item.metric.attributes)
    environment = item.indicator.environment
    where = asked + (f" in environment {environment!r}" if environment is not None else "")
    return (
        f"metric {name!r} of service {service!r} came as {' and '.join(types)}; no series of it is"
        f" {_KIND_NAMES[item.kind]}{' with ' + where.strip() if where.strip() else ''}"
    )
