"""One SLO over time: budget burn-down, good and bad events, minutes counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from api import models as m
from dashboard.views import charts, units
from dashboard.views.markup import Markup, Tone, grid, tile

_MOST_POINTS = 360
# a budget overspent many times over would press everything else into one line
_LOWEST_SHOWN = -100
POLICY_LEVEL = 25  # per cent: below it an objective is at risk
# lines without a plate behind them: at least 3:1 on both themes
_SHADES = ("#d97706", "#8b5cf6", "#64748b")


def step_seconds(window_s: int) -> int:
    """Return the step, whole minutes, that keeps a chart of *window_s* under about 360 points.

    >>> step_seconds(3600), step_seconds(86400), step_seconds(30 * 86400)
    (60, 240, 7200)
    """
    return max(60, -(-window_s // (_MOST_POINTS * 60)) * 60)


def frame(minutes: Sequence[m.SloMinute]) -> pd.DataFrame:
    """Return the steps with the budget left in per cent, split at zero; unknown stays missing."""
    left = [None if item.error_budget_remaining is None else item.error_budget_remaining * 100 for item in minutes]
    return pd.DataFrame(
        {
            "time": pd.to_datetime([item.at for item in minutes], utc=True),
            "budget left": pd.array([_above(left, place) for place in range(len(left))], dtype="Float64"),
            "overspent": pd.array([_below(left, place) for place in range(len(left))], dtype="Float64"),
            "good events": [item.good for item in minutes],
            "bad events": [item.bad for item in minutes],
        }
    )


def _above(values: Sequence[float | None], place: int) -> float | None:
    value = values[place]
    return value if value is not None and value >= 0 else None


def _below(values: Sequence[float | None], place: int) -> float | None:
    """Return a value below zero, and zero beside one, so that the two lines meet."""
    value = values[place]
    if value is None or value < 0:
        return value
    beside = [values[near] for near in (place - 1, place + 1) if 0 <= near < len(values)]
    return 0.0 if any(near is not None and near < 0 for near in beside) else None


@dataclass(frozen=True, slots=True)
class Events:
    """What happened beside the budget: experiments, deployments, alerts."""

    bands: Sequence[charts.Band] = ()
    deployments: Sequence[charts.Marker] = ()
    alerts: Sequence[charts.Marker] = ()


def burn_down(
    minutes: Sequence[m.SloMinute], events: Events, forecasts: Sequence[m.SloForecast] = (), *, until: datetime
) -> charts.Option:
    """Return the chart of the budget left: green above zero, red below, and what is forecast, dashed, up to *until*."""
    data = _with_forecasts(frame(minutes)[["time", "budget left", "overspent"]], forecasts, until)
    shown = data.drop(columns="time").min().min()
    lowest = 0.0 if pd.isna(shown) else min(float(shown), 0.0)
    cut = lowest < _LOWEST_SHOWN
    option = charts.over_time(
        data,
        [
            charts.Line("budget left", color=charts.GREEN, area=True),
            charts.Line("overspent", color=charts.RED, area=True),
            *(charts.Line(_name(item), color=_SHADES[place], dashed=True) for place, item in enumerate(forecasts)),
        ],
        unit="% of the budget" + (f", axis cut at {_LOWEST_SHOWN} %" if cut else ""),
        value_format="%.2f %%",
        floor=max(_LOWEST_SHOWN, math.floor(lowest / 50) * 50),
        ceiling=100,
    )
    # round steps: from 0 to 100 the chart would choose 30
    option["yAxis"][0]["interval"] = 25 if lowest >= 0 else 50
    option = charts.add_bands(option, events.bands)
    option = charts.add_markers(option, events.alerts)
    option = charts.add_level(option, POLICY_LEVEL, f"{POLICY_LEVEL} %: at risk")
    return charts.add_markers(option, events.deployments, color=charts.SLATE, series=1)


def in_sight(forecasts: Sequence[m.SloForecast], until: datetime) -> list[m.SloForecast]:
    """Return the forecasts of which the chart would show something up to *until*: not those below its floor."""
    return [
        item
        for item in forecasts
        if any(
            point.at <= until
            and point.error_budget_remaining is not None
            and point.error_budget_remaining * 100 > _LOWEST_SHOWN
            for point in item.curve
        )
    ]


def _with_forecasts(data: pd.DataFrame, forecasts: Sequence[m.SloForecast], until: datetime) -> pd.DataFrame:
    """Return *data* with the moments to come below it, and a column for each scenario."""
    coming = [
        pd.DataFrame(
            {
                "time": pd.to_datetime([point.at for point in item.curve if point.at <= until], utc=True),
                _name(item): pd.array(
                    [_percent(point.error_budget_remaining) for point in item.curve if point.at <= until],
                    dtype="Float64",
                ),
            }
        )
        for item in forecasts
    ]
    return pd.concat([data, *coming], ignore_index=True)


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _name(item: m.SloForecast) -> str:
    return f"if as in the {item.scenario}"


def events(minutes: Sequence[m.SloMinute], bands: Sequence[charts.Band]) -> charts.Option:
    """Return the chart of good and bad events, stacked."""
    option = charts.over_time(
        frame(minutes)[["time", "good events", "bad events"]],
        [
            charts.Line("good events", color=charts.BLUE, bars=True),
            charts.Line("bad events", color=charts.RED, bars=True),
        ],
        unit="events a step",
        value_format="%,d events",
    )
    return charts.add_bands(option, bands, in_front=True)


def alert_markers(alerts: Sequence[m.Alert], slo_id: str, start: datetime, end: datetime) -> list[charts.Marker]:
    """Return the alerts of one SLO that began in [start, end]."""
    return [
        charts.Marker(f"Alert ({item.severity})", item.started_at)
        for item in alerts
        if item.slo_id == slo_id and start <= item.started_at <= end
    ]


def tally(minutes: Sequence[m.SloMinute], objective: float, step_s: int) -> Markup:
    """Return how many steps met the objective, missed it, or had no traffic."""
    counted = [item for item in minutes if item.total]
    # exact: bad / total > 1 - objective, without dividing
    missed = sum(1 for item in counted if item.good < objective * item.total)
    unit = "minutes" if step_s == 60 else f"steps of {units.length(step_s)}"
    bad: Tone = "bad" if missed else "good"
    return grid(
        [
            tile("Met the objective", units.count(len(counted) - missed), unit, "good"),
            tile("Missed the objective", units.count(missed), unit, bad),
            tile("Without traffic", units.count(len(minutes) - len(counted)), unit, "none"),
        ]
    )
