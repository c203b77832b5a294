"""Charts of runs: an effect with its interval and margin, the same over many runs, both sides over time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from api import models as m
from dashboard.views import charts, run_verdict, texts, units
from dashboard.views.charts import AMBER, BLUE, GREEN, PURPLE, RED, SLATE, Option

_COLORS: dict[m.Verdict, str] = {
    "held": GREEN,
    "deviated": RED,
    "inconclusive": AMBER,
    "not_injected": SLATE,
    "aborted": SLATE,
}
_WHISKER, _MARGIN = "#64748b", "#8b5cf6"  # at least 3:1 on both themes
ORANGE = "#d97706"  # red is kept for what is wrong
_MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Effect:
    """One run's finding on one line of the hypothesis, for the history."""

    at: datetime
    version: str
    finding: m.Finding


def interval(item: m.Finding) -> Option | None:
    """Return the chart of one finding, None without an interval: dot, whisker, and the margin as a line."""
    if item.difference is None or item.interval_low is None or item.interval_high is None:
        return None
    low, middle, high, margin = (
        value * 100 for value in (item.interval_low, item.difference, item.interval_high, item.margin)
    )
    least, most = min(0.0, low, margin), max(0.0, high, margin)
    room = (most - least) * 0.12 or 1.0
    name = run_verdict.points(item.margin)
    return {
        "animation": False,
        "grid": {"left": 12, "right": 20, "top": 26, "bottom": 34},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": {
            "type": "value",
            "min": round(least - room, 4),
            "max": round(most + room, 4),
            "name": "difference in percentage points (right of the margin is worse than allowed)",
            "nameLocation": "middle",
            "nameGap": 20,
            "nameTextStyle": {"fontSize": 11, "overflow": "truncate", "width": 320},
            "axisLabel": {"hideOverlap": True, "fontSize": 11, "showMinLabel": False, "showMaxLabel": False},
            "splitNumber": 5,
        },
        "yAxis": {"type": "value", "min": 0, "max": 1, "show": False},
        "series": [
            _whisker([[low, _MIDDLE], [high, _MIDDLE]], [2, 14]) | {"markLine": _zero("xAxis")},
            {
                "type": "scatter",
                "name": run_verdict.points(item.difference),
                "symbolSize": 13,
                "color": _COLORS[item.verdict],
                "itemStyle": {"opacity": 1},
                "data": [[middle, _MIDDLE]],
                "markLine": _level("xAxis", margin, f"margin {name}", place="end"),
                "z": 4,
            },
        ],
    }


def interval_text(item: m.Finding) -> str:
    """Return what the chart shows, for those who do not see it."""
    said = f"{item.verdict}: difference {run_verdict.points(item.difference)}, {run_verdict.interval(item)}"
    return f"{texts.shortened(item.hypothesis)}; {said}, margin {run_verdict.points(item.margin)}"


def history(items: Sequence[Effect]) -> Option:
    """Return the chart of one line of the hypothesis over the runs, oldest first: a dot and a whisker for each."""
    known = [item for item in items if item.finding.difference is not None]
    names = [_label(item) for item in known]
    ends = [value * 100 for item in known for value in _ends(item.finding)]
    least, most = min([0.0, *ends]), max([1.0, *ends])
    whiskers = [
        _whisker([[place, _percent(low)], [place, _percent(high)]], [10, 2])
        for place, item in enumerate(known)
        if (low := item.finding.interval_low) is not None and (high := item.finding.interval_high) is not None
    ]
    dots = [
        {
            "type": "scatter",
            "name": verdict.replace("_", " "),
            "symbolSize": 13,
            "color": color,
            "itemStyle": {"opacity": 1},
            "z": 4,
            "data": [
                [place, _percent(item.finding.difference)]
                for place, item in enumerate(known)
                if item.finding.verdict == verdict
            ],
        }
        for verdict, color in _COLORS.items()
        if any(item.finding.verdict == verdict for item in known)
    ]
    if dots:
        margin = known[-1].finding.margin
        whiskers[:1] = [whisker | {"markLine": _zero("yAxis")} for whisker in whiskers[:1]]
        dots[0]["markLine"] = _level(
            "yAxis", margin * 100, f"margin {run_verdict.points(margin)}", place="insideEndTop"
        )
    return {
        "animation": False,
        "grid": {"left": 8, "right": 20, "top": 56, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "type": "scroll", "data": [dot["name"] for dot in dots]},
        "tooltip": {"trigger": "item", "confine": True},
        "xAxis": {
            "type": "category",
            "data": names,
            "axisLabel": {"hideOverlap": True, "interval": 0, "fontSize": 11, "lineHeight": 15},
        },
        "yAxis": {
            "type": "value",
            "name": "effect, percentage points",
            "min": math.floor(least),
            "max": math.ceil(most * 1.15),
            "nameTextStyle": {"align": "left"},
            "splitNumber": 4,
        },
        "series": [*whiskers, *dots],
    }


def history_text(items: Sequence[Effect]) -> str:
    """Return what the history shows, for those who do not see it."""
    told = [f"{_when(item)} {item.finding.verdict} {run_verdict.points(item.finding.difference)}" for item in items]
    return f"Effect of the fault in {units.plural(len(told), 'run')}, oldest first: {'; '.join(told)}"


def sides(frame: pd.DataFrame, phases: Sequence[charts.Band], *, unit: str, value_format: str) -> Option:
    """Return the chart of both sides over time, the fault shaded; *frame* has "time" and one column a side."""
    colors = (BLUE, ORANGE)
    columns = [name for name in frame.columns if name != "time"]
    lines = [charts.Line(name, color=color) for name, color in zip(columns, colors, strict=False)]
    option = charts.over_time(frame, lines, unit=unit, value_format=value_format)
    return charts.add_bands(option, phases)


def _whisker(data: list[list[float | None]], cap: list[int]) -> dict[str, Any]:
    return {
        "type": "line",
        "data": data,
        "symbol": "rect",
        "symbolSize": cap,
        "color": _WHISKER,
        "lineStyle": {"width": 2, "color": _WHISKER},
        "silent": True,
        "tooltip": {"show": False},
    }


def _level(axis: str, value: float, name: str, *, place: str) -> dict[str, Any]:
    return {
        "silent": True,
        "symbol": ["none", "none"],
        "lineStyle": {"color": _MARGIN, "type": "dashed", "width": 2},
        "label": charts.plate(PURPLE) | {"formatter": "{b}", "position": place},
        "data": [{"name": name, axis: value}],
    }


def _zero(axis: str) -> dict[str, Any]:
    line = {"color": _WHISKER, "type": "solid", "width": 1}
    return {
        "silent": True,
        "symbol": ["none", "none"],
        "label": {"show": False},
        "lineStyle": line,
        "data": [{axis: 0}],
    }


def _ends(item: m.Finding) -> list[float]:
    """Return all that the axis must hold."""
    known = (item.interval_low, item.difference, item.interval_high, item.margin)
    return [value for value in known if value is not None]


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else ratio * 100


def _when(item: Effect) -> str:
    return f"{item.at.astimezone(UTC):%d %b %H:%M}"


def _label(item: Effect) -> str:
    return f"{_when(item)}\n{texts.shortened(item.version, 14)}" if item.version else _when(item)
