"""ECharts options for lines over time. UTC axes, no animation, gaps where there is no data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from api import models as m

Option = dict[str, Any]

RED = "#dc2626"
GREEN = "#15803d"
BLUE = "#3b82f6"
PURPLE = "#6d28d9"
SLATE = "#475569"
AMBER = "#b45309"
MOST_LETTERS = 28


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: the column it reads, and how it is drawn."""

    column: str
    color: str = ""
    area: bool = False
    bars: bool = False
    right_axis: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time with a name, drawn behind the lines."""

    title: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Marker:
    """A moment with a name, drawn as a vertical line."""

    title: str
    at: datetime


def over_time(
    frame: pd.DataFrame,
    lines: Sequence[Line],
    *,
    unit: str,
    value_format: str,
    floor: float | None = 0,
    ceiling: float | None = None,
) -> Option:
    """Return the option of a chart of *lines* over the column "time" of *frame*.

    Args:
        frame: A column "time" (aware datetimes) and one for each line; missing values become gaps.
        lines: What is drawn.
        unit: The name of the left axis.
        value_format: printf form of a value in the tooltip, with its unit.
        floor: Least value of the axis, None to follow the data.
        ceiling: Greatest value of the axis, None to follow the data.
    """
    left: Option = {"type": "value", "name": unit, "nameTextStyle": {"align": "left"}, "splitNumber": 4}
    left |= {"min": floor} if floor is not None else {"scale": True}
    left |= {"max": ceiling} if ceiling is not None else {}
    return {
        "animation": False,
        "useUTC": True,
        "grid": {"left": 8, "right": 36, "top": 56, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "type": "scroll", "icon": "roundRect"},
        "tooltip": {"trigger": "axis", "valueFormatter": value_format, "confine": True},
        "dataset": {"source": frame},
        "xAxis": {
            "type": "time",
            "name": "UTC",
            "nameLocation": "end",
            "nameGap": 4,
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": [left],
        "series": [_series(line) for line in lines],
    }


def until(option: Option, end: datetime) -> Option:
    """Return *option* with a time axis that reaches to *end*, so that what happened after the last point is seen."""
    return option | {"xAxis": option["xAxis"] | {"max": _iso(end)}}


def add_bands(option: Option, bands: Iterable[Band], *, in_front: bool = False) -> Option:
    """Return *option* with chaos runs and the like drawn behind its first line, or before bars that would hide them."""
    times = option["dataset"]["source"]["time"]
    middle = times.min() + (times.max() - times.min()) / 2 if len(times) else None
    data = [_area(band, band.started_at > middle if middle is not None else False) for band in bands]
    if not data or not option["series"]:
        return option
    area: Option = {"itemStyle": {"color": PURPLE, "opacity": 0.22}, "label": plate(PURPLE), "data": data}
    if in_front:
        area["z"] = 3  # bars have 2
    return _with_series(option, 0, {"markArea": area})


def _area(band: Band, in_right_half: bool) -> list[Option]:
    # the name grows towards the middle, so it is not cut off at either edge
    place = "insideTopRight" if in_right_half else "insideTopLeft"
    begin = {"name": _short(band.title), "xAxis": _iso(band.started_at), "label": {"position": place}}
    return [begin, {"xAxis": _iso(band.ended_at)}]


def _short(title: str) -> str:
    return title if len(title) <= MOST_LETTERS else f"{title[: MOST_LETTERS - 1]}…"


def add_markers(option: Option, markers: Iterable[Marker], *, color: str = RED, series: int = 0) -> Option:
    """Return *option* with moments (alerts, deployments) as vertical lines; a second colour needs another *series*."""
    data = [{"name": _short(marker.title), "xAxis": _iso(marker.at)} for marker in markers]
    if not data or len(option["series"]) <= series:
        return option
    line: Option = {
        "symbol": ["none", "none"],
        "lineStyle": {"color": color, "type": "solid", "width": 1.5},
        "label": plate(color) | {"formatter": "{b}", "position": "end"},
        "data": data,
    }
    return _with_series(option, series, {"markLine": line})


def add_level(option: Option, value: float, title: str, *, color: str = AMBER) -> Option:
    """Return *option* with a horizontal line at *value*; one that has vertical markers keeps them."""
    line = option["series"][0].get(
        "markLine", {"symbol": ["none", "none"], "label": {"show": True, "formatter": "{b}"}, "data": []}
    )
    level: Option = {
        "name": title,
        "yAxis": value,
        "lineStyle": {"color": color, "type": "dashed", "width": 1},
        "label": plate(color) | {"position": "insideEndTop", "formatter": "{b}"},
    }
    return _with_series(option, 0, {"markLine": line | {"data": [*line["data"], level]}})


def bands_of(annotations: Iterable[m.Annotation], start: datetime, end: datetime, service: str = "") -> list[Band]:
    """Return the chaos runs that touch [start, end], cut to it; those of *service* if it is given."""
    return [
        Band(item.title, max(item.started_at, start), min(item.ended_at or end, end))
        for item in annotations
        if item.kind.startswith("chaos")
        and item.started_at < end
        and (item.ended_at or end) > start
        and (not service or not item.services or service in item.services)
    ]


def deployments_of(
    annotations: Iterable[m.Annotation], start: datetime, end: datetime, service: str = ""
) -> list[Marker]:
    """Return the moments that are not chaos (deployments and the like) between *start* and *end*."""
    return [
        Marker(item.title, item.started_at)
        for item in annotations
        if not item.kind.startswith("chaos")
        and start <= item.started_at <= end
        and (not service or not item.services or service in item.services)
    ]


def _series(line: Line) -> Option:
    series: Option = {
        "type": "bar" if line.bars else "line",
        "name": line.column,
        "encode": {"x": "time", "y": line.column, "tooltip": [line.column]},
    }
    series |= {"stack": "all", "barMaxWidth": 24} if line.bars else {"showSymbol": False, "lineStyle": {"width": 2}}
    series |= {"lineStyle": {"width": 2, "type": "dashed"}} if line.dashed else {}
    series |= {"areaStyle": {"opacity": 0.15}} if line.area else {}
    series |= {"color": line.color} if line.color else {}
    series |= {"yAxisIndex": 1} if line.right_axis else {}
    return series


def _with_series(option: Option, index: int, more: Option) -> Option:
    series = [item | more if place == index else item for place, item in enumerate(option["series"])]
    return option | {"series": series}


def plate(color: str) -> Option:
    """Return how a name on a chart is drawn."""
    # a filled plate stays readable on both themes and over the lines
    return {
        "show": True,
        "color": "#ffffff",
        "backgroundColor": color,
        "padding": [2, 5],
        "borderRadius": 3,
        "fontSize": 11,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
