"""A metric over time: what can be asked of it, its chart with exemplars, and its series in numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd

from api import models as m
from dashboard.views import charts, traces, units
from dashboard.views.markup import Column, Markup, lines, link, muted, table, tag

RATE, INCREASE = "Rate a second", "Increase a step"
STATS = {"Last value": "last", "Average": "avg", "Minimum": "min", "Maximum": "max"}
TOGETHER, APART = "Everything together", "Each series"
GAP = 3
LISTED = 20
EXEMPLARS = "exemplars"

_UNITS = {"1": "", "By": "B", "s": "s", "ms": "ms", "us": "µs", "ns": "ns"}
_SERIES_COLUMNS = (
    Column("Series"),
    Column("Last", numeric=True),
    Column("Min", numeric=True),
    Column("Mean", numeric=True),
    Column("Max", numeric=True),
)
_EXEMPLAR_COLUMNS = (Column("When"), Column("Value", numeric=True), Column("Trace"), Column("Attributes"))
_PURPLE = "#7c3aed"


def title(item: m.MetricName) -> str:
    """Return how a metric is named in a list."""
    return f"{item.metric} ({item.type.replace('_', ' ')}{f', {item.unit}' if item.unit else ''})"


def aggregations(item: m.MetricName) -> list[str]:
    """Return what can be shown of a metric, the most useful first."""
    if item.type in {"histogram", "exponential_histogram"}:
        return ["p95", "p50", "p99", RATE]
    if item.type == "summary":
        return ["p50", "p95", "p99", RATE]
    if item.type == "sum" and (item.monotonic or item.temporality == "delta"):
        return [RATE, INCREASE]
    return list(STATS)


def groupings(series: Sequence[m.MetricSeries]) -> list[str]:
    """Return what a metric's series can be grouped by: labels that differ or are its own attributes."""
    keys = {key for item in series for key in item.labels}
    return sorted(keys, key=lambda key: (key not in {"service", "environment"}, key))


def value_of(step: m.MetricStep, shown: str) -> float | None:
    """Return what *shown* (one of `aggregations`) is of a step."""
    if shown.startswith("p"):
        return (step.quantiles or {}).get(f"{float(shown[1:]) / 100:g}")
    return step.increase if shown == INCREASE else step.value


def unit_of(item: m.MetricName, shown: str) -> str:
    """Return the unit of what is shown: of a histogram's rate it is observations."""
    unit = _UNITS.get(item.unit, item.unit.strip("{}"))
    if shown == RATE:
        counted = "observations" if item.type in {"histogram", "exponential_histogram", "summary"} else unit
        return f"{counted}/s".strip()
    return unit


def names(series: Sequence[m.MetricSeries]) -> list[str]:
    """Return a name for each series, by the labels that tell them apart, each name once."""
    varying = {
        key for item in series for key in item.labels if len({str(other.labels.get(key)) for other in series}) > 1
    }
    found: list[str] = []
    for item in series:
        parts = [_label(item.labels, key) for key in sorted(item.labels) if key in varying or len(series) == 1]
        name = ", ".join(parts) or "all"
        found.append(name if name not in found else f"{name} #{len(found) + 1}")
    return found


def _label(labels: Mapping[str, Any], key: str) -> str:
    value = labels[key]
    shown = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return shown if key in {"service", "environment"} and shown else f"{key}={shown or 'none'}"


def frame(series: Sequence[m.MetricSeries], shown: str) -> pd.DataFrame:
    """Return a column of times and one for each series."""
    times = sorted({step.at for item in series for step in item.steps})
    columns: dict[str, Any] = {"time": pd.to_datetime(times, utc=True)}
    for name, item in zip(names(series), series, strict=True):
        values = {step.at: value_of(step, shown) for step in item.steps}
        columns[name] = pd.array([values.get(at) for at in times], dtype="Float64")
    return pd.DataFrame(columns)


def points(steps: Sequence[m.MetricStep], shown: str) -> list[list[str | float | None]]:
    """Return a line's points; a pause of over three times the usual one between points is a gap.

    Exporters send less often than a chart has steps, so a step without data is no gap by itself.
    """
    known = [(step.at, value) for step in steps if (value := value_of(step, shown)) is not None]
    pauses = [later - earlier for (earlier, _), (later, _) in pairwise(known)]
    longest = sorted(pauses)[len(pauses) // 2] * GAP if pauses else timedelta(0)
    found: list[list[str | float | None]] = []
    for place, (at, value) in enumerate(known):
        if place and pauses[place - 1] > longest:
            found.append([_iso(at - pauses[place - 1] / 2), None])
        found.append([_iso(at), value])
    return found


def chart(answer: m.Metric, shown: str, bands: Sequence[charts.Band]) -> charts.Option:
    """Return the series as lines, with exemplars as points where they have the axis' unit."""
    data = frame(answer.items, shown)
    unit = unit_of(answer.kind, shown)
    counts = shown in {RATE, INCREASE} or answer.kind.type.endswith("histogram")
    option = charts.over_time(
        data,
        [charts.Line(name) for name in data.columns[1:]],
        unit=unit,
        value_format=f"%.4g {unit}".strip(),
        floor=0 if counts else None,
    )
    for line, item in zip(option["series"], answer.items, strict=True):
        line["data"] = points(item.steps, shown)
        line["showSymbol"] = len(line["data"]) < 3  # a lone point is no line
        del line["encode"]
    if shows_exemplars(answer.kind, shown) and answer.exemplars:
        option["series"].append(_diamonds(answer.exemplars))
    option["xAxis"] |= {"min": _iso(answer.start), "max": _iso(answer.end)}
    return charts.add_bands(option, bands)


def shows_exemplars(item: m.MetricName, shown: str) -> bool:
    """Return whether exemplars, which are single values, fit what is shown."""
    return shown not in {RATE, INCREASE} and item.type != "summary"


def _diamonds(exemplars: Sequence[m.Exemplar]) -> charts.Option:
    return {
        "type": "scatter",
        "name": EXEMPLARS,
        "color": _PURPLE,
        "symbol": "diamond",
        "symbolSize": 10,
        "itemStyle": {"opacity": 0.7, "borderColor": "#ffffff", "borderWidth": 1},
        "selectedMode": "single",
        "data": [[_iso(item.at), item.value] for item in exemplars],
        "tooltip": {"trigger": "item"},
    }


def picked(selection: Mapping[str, Any], drawn: Sequence[m.Exemplar]) -> m.Exemplar | None:
    """Return the exemplar, of those *drawn*, that a chart's *selection* names; None when it names none."""
    for part in selection.get("selected", ()):
        if part.get("series_name") == EXEMPLARS and part.get("data_indices"):
            return drawn[int(part["data_indices"][0])]
    return None


def listing(answer: m.Metric, shown: str) -> Markup:
    """Return the series in numbers."""
    unit = unit_of(answer.kind, shown)
    rows = []
    for name, one in zip(names(answer.items), answer.items, strict=True):
        values = [value for step in one.steps if (value := value_of(step, shown)) is not None]
        mark = muted("bounds do not fit its values") if one.unusable_bounds else ""
        numbers = (values[-1], min(values), sum(values) / len(values), max(values)) if values else (None,) * 4
        rows.append((lines(name, mark), *(amount(value, unit) for value in numbers)))
    return table(_SERIES_COLUMNS, rows, caption="Series in numbers")


def exemplars(answer: m.Metric, now: datetime) -> Markup:
    """Return the exemplars, newest first, each with its trace."""
    unit = _UNITS.get(answer.kind.unit, answer.kind.unit.strip("{}"))
    rows = [
        (
            lines(units.ago(one.at, now), muted(units.clock(one.at))),
            amount(one.value, unit),
            link(traces.href(one.trace_id, one.span_id), f"trace {one.trace_id[:8]}")
            if one.trace_id
            else units.MISSING,
            ", ".join(f"{key}={value}" for key, value in sorted(one.attributes.items())) or muted(units.MISSING),
        )
        for one in answer.exemplars[:LISTED]
    ]
    return table(_EXEMPLAR_COLUMNS, rows, caption="Exemplars, newest first")


def amount(value: float | None, unit: str) -> str:
    """Return a value with its unit.

    >>> amount(1234567.0, "B"), amount(0.01234, "s"), amount(3.0, "")
    ('1,234,567 B', '0.01234 s', '3')
    """
    if value is None:
        return units.MISSING
    shown = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return f"{shown} {unit}".strip()


def about(item: m.MetricName) -> Markup:
    """Return what a metric says of itself."""
    kind = item.type.replace("_", " ")
    kind = f"{'monotonic ' if item.monotonic else ''}{kind}"
    parts = [
        kind,
        item.temporality if item.temporality != "unspecified" else "",
        f"unit {item.unit}" if item.unit else "",
    ]
    sent = f"{units.count(item.series)} series from {', '.join(item.services)}"
    return tag("p", lines(item.description, muted(", ".join(part for part in [*parts, sent] if part))))


def takeaway(answer: m.Metric, shown: str) -> str:
    """Return what the chart says, for those who cannot see it."""
    unit = unit_of(answer.kind, shown)
    told = []
    for name, one in list(zip(names(answer.items), answer.items, strict=True))[:3]:
        values = [value for step in one.steps if (value := value_of(step, shown)) is not None]
        told.append(f"{name} {amount(values[-1] if values else None, unit)}")
    return f"{shown} of {answer.kind.metric}, last: {'; '.join(told) or 'no data'}"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
