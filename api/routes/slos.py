"""Objectives and where they stand."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from api.slo_answer import answers, find_slo
from slo.evaluation import remaining_at
from slo.model import EventCounts, Slo
from storage.sli_minutes import SliStep, steps
from storage.standing import standings

router = APIRouter(tags=["slos"])


@router.get("/slos")
def list_slos(ctx: Ctx) -> m.Page[m.Slo]:
    now = datetime.now(UTC)
    slos = ctx.catalog.load(ctx.database, now).slos.values()
    return m.Page(items=answers(ctx, standings(ctx.database, slos, now), now))


@router.get("/slos/{slo_id}")
def get_slo(ctx: Ctx, slo_id: str) -> m.Slo:
    now = datetime.now(UTC)
    return answers(ctx, standings(ctx.database, [find_slo(ctx, slo_id, now)], now), now)[0]


@router.get("/slos/{slo_id}/minutes")
def get_slo_minutes(
    ctx: Ctx,
    slo_id: str,
    window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 86400,
    step_s: Annotated[int, Query(ge=60, le=86400)] = 60,
) -> m.Page[m.SloMinute]:
    """Return the counted events of the last *window_s* seconds, and the budget left at the end of each step."""
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(seconds=window_s)
    series = slo.indicator.series_id
    counted = steps(ctx.database, series, start=start - slo.period, end=end, step_s=step_s)
    return m.Page(items=[minute for minute in _with_budget(slo, counted, step_s) if minute.at >= start])


@router.post("/slos/{slo_id}/adopt", status_code=201)
def adopt_slo(ctx: Ctx, slo_id: str) -> m.AdoptedSlo:
    """Write a draft into the server's folder of SLO files: from the next evaluation on it pages."""
    slo = find_slo(ctx, slo_id, datetime.now(UTC))
    if not slo.draft:
        raise ProblemError(409, f"{slo_id!r} is no draft: it is written in {slo.source}; edit it there")
    try:
        path, text = ctx.catalog.adopt(slo)
    except FileExistsError as error:
        raise ProblemError(409, f"{error.filename} is there already; edit it, or remove it first") from error
    except OSError as error:
        raise ProblemError(409, f"the file cannot be written: {error}; use 'ninelives slo adopt'") from error
    return m.AdoptedSlo(slo_id=slo.id, path=str(path), text=text)


def _with_budget(slo: Slo, counted: list[SliStep], step_s: int) -> list[m.SloMinute]:
    """Return every step with the budget left over the objective's window up to its end: running sums, one pass.

    A step longer than the window stands for itself.
    """
    length = timedelta(seconds=step_s)
    sums = [EventCounts(0, 0), *accumulate((_counts(step) for step in counted), EventCounts.__add__)]
    first = 0
    found = []
    for index, step in enumerate(counted):
        end = step.at + length
        start, _ = slo.window.period(end)
        while first < index and counted[first].at < start:
            first += 1
        upto, before = sums[index + 1], sums[first]
        window = EventCounts(upto.good - before.good, upto.total - before.total)
        remaining = remaining_at(slo, window, end)
        found.append(
            m.SloMinute(
                at=step.at, good=step.good, bad=step.bad, total=step.good + step.bad, error_budget_remaining=remaining
            )
        )
    return found


def _counts(step: SliStep) -> EventCounts:
    return EventCounts(step.good, step.good + step.bad)
