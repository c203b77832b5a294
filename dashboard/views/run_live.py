"""Both sides of a run over time: which steps are asked for, and what the answers say. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from api import models as m
from dashboard.views import charts, run_timeline, runs, texts, units
from dashboard.views.markup import Column, Markup, lines, muted, table

MOST_STEPS = 20
LEAST_STEP_S = 5
SETTLED = timedelta(seconds=20)  # spans hardly come later


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time that is counted on its own."""

    start: datetime
    end: datetime


def steps(item: m.Run, now: datetime) -> list[Step]:
    """Return the stretches of the run up to *now*, each at least 5 s and whole, at most 20 of them."""
    found = run_timeline.phases(item)
    start = min([item.started_at, *(phase.started_at for phase in found)])
    end = max([item.ended_at or now, *(phase.ended_at for phase in found)])
    size = timedelta(seconds=max(LEAST_STEP_S, math.ceil((end - start).total_seconds() / MOST_STEPS)))
    amount = int((min(end, now) - start) / size)
    return [Step(start + size * place, start + size * (place + 1)) for place in range(min(amount, MOST_STEPS))]


def fault_so_far(item: m.Run, now: datetime) -> Step | None:
    """Return the stretch of the fault up to *now*, None before it."""
    fault = next((phase for phase in run_timeline.phases(item) if phase.name == "fault"), None)
    if fault is None or fault.started_at >= now:
        return None
    return Step(fault.started_at, min(fault.ended_at, now))


def sides(item: m.Run) -> list[m.Arm | None]:
    """Return which sides can be told apart while it runs: both arms, or only all requests together."""
    return ["control", "treatment"] if item.comparison == "concurrent" and item.groups else [None]


def side_name(side: m.Arm | None) -> str:
    return side or "all requests"


def frame(counted: Mapping[Step, Mapping[m.Arm | None, m.SliCount]], measure: str) -> pd.DataFrame:
    """Return "failed" in per cent or "p95" in milliseconds, a row a step and a column a side; gaps stay gaps."""
    named = list(dict.fromkeys(side for found in counted.values() for side in found))
    columns: dict[str, object] = {"time": pd.to_datetime([step.start for step in counted], utc=True)}
    for side in named:
        values = [_measure(found.get(side), measure) for found in counted.values()]
        columns[side_name(side)] = pd.array(values, dtype="Float64")
    return pd.DataFrame(columns)


def _measure(count: m.SliCount | None, measure: str) -> float | None:
    if count is None or not count.total:
        return None
    return count.p95_ms if measure == "p95" else count.errors / count.total * 100


def bands(item: m.Run, now: datetime) -> list[charts.Band]:
    """Return the fault as far as it has come."""
    found = fault_so_far(item, now)
    return [charts.Band("fault", found.start, found.end)] if found else []


def so_far(item: m.Run, counted: Sequence[tuple[str, m.Arm | None, m.SliCount]]) -> Markup:
    """Return what was counted under the fault so far, a row for each service and side."""
    columns = (
        Column("Service"),
        Column("Side"),
        Column("Requests", numeric=True),
        Column("Failed", numeric=True),
        Column("p95", numeric=True),
        Column("Newest span"),
    )
    rows = [
        (
            texts.name(service, 60),
            side_name(side) if side else muted("all requests, under the fault"),
            units.count(count.total),
            lines(
                units.percent(count.errors / count.total) if count.total else muted("no data"),
                muted(f"{units.count(count.errors)} failed"),
            ),
            units.duration(count.p95_ms),
            units.clock(count.newest_span_at),
        )
        for service, side, count in counted
    ]
    return table(columns, rows, caption=f"Under the fault so far: {runs.comparison(item)}")
