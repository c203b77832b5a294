"""Objectives and where they stand."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Context, Ctx
from api.problem import ProblemError
from slo.budget import budget_remaining, sli
from slo.duration import format_duration
from slo.evaluation import HOUR
from slo.indicator import SpanIndicator
from slo.model import EventCounts, Slo
from storage.histogram import quantile_ms
from storage.services import latency_buckets
from storage.sli_minutes import SliStep, steps
from storage.standing import Standing, standings

router = APIRouter(tags=["slos"])


@router.get("/slos")
def list_slos(ctx: Ctx) -> m.Page[m.Slo]:
    now = datetime.now(UTC)
    slos = ctx.catalog.load(ctx.database, now).slos.values()
    return m.Page(items=_answers(ctx, standings(ctx.database, slos, now), now))


@router.get("/slos/{slo_id}")
def get_slo(ctx: Ctx, slo_id: str) -> m.Slo:
    now = datetime.now(UTC)
    return _answers(ctx, standings(ctx.database, [_find(ctx, slo_id, now)], now), now)[0]


@router.get("/slos/{slo_id}/minutes")
def get_slo_minutes(
    ctx: Ctx,
    slo_id: str,
    window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 86400,
    step_s: Annotated[int, Query(ge=60, le=86400)] = 60,
) -> m.Page[m.SloMinute]:
    """Return the counted events of the last *window_s* seconds, and the budget left at the end of each step."""
    now = datetime.now(UTC)
    slo = _find(ctx, slo_id, now)
    end = now.replace(second=0, microsecond=0)
    start = end - timedelta(seconds=window_s)
    series = slo.indicator.series_id
    counted = steps(ctx.database, series, start=start - slo.period, end=end, step_s=step_s)
    return m.Page(items=[minute for minute in _with_budget(slo, counted, step_s) if minute.at >= start])


def _with_budget(slo: Slo, counted: list[SliStep], step_s: int) -> list[m.SloMinute]:
    """Return every step with the budget left over the objective's window up to its end: running sums, one pass.

    A step longer than the window stands for itself.
    """
    sums = [EventCounts(0, 0), *accumulate((_counts(step) for step in counted), EventCounts.__add__)]
    first = 0
    found = []
    for index, step in enumerate(counted):
        while first < index and counted[first].at + slo.period < step.at + timedelta(seconds=step_s):
            first += 1
        upto, before = sums[index + 1], sums[first]
        window = EventCounts(upto.good - before.good, upto.total - before.total)
        remaining = budget_remaining(window, slo.target)
        found.append(
            m.SloMinute(
                at=step.at, good=step.good, bad=step.bad, total=step.good + step.bad, error_budget_remaining=remaining
            )
        )
    return found


def _counts(step: SliStep) -> EventCounts:
    return EventCounts(step.good, step.good + step.bad)


def _find(ctx: Context, slo_id: str, now: datetime) -> Slo:
    slos = ctx.catalog.load(ctx.database, now).slos
    if slo_id not in slos:
        raise ProblemError(404, f"no objective {slo_id!r}; GET /api/v1/slos lists them")
    return slos[slo_id]


def _answers(ctx: Context, found: list[Standing], now: datetime) -> list[m.Slo]:
    buckets = latency_buckets(ctx.database, start=now - HOUR, end=now)
    return [_answer(standing, buckets) for standing in found]


def _answer(standing: Standing, buckets: dict[tuple[str, str], dict[int, int]]) -> m.Slo:
    slo, now = standing.slo, standing.evaluation
    return m.Slo(
        id=slo.id,
        service=slo.service,
        name=slo.name,
        objective=float(slo.target),
        window=str(slo.window),
        environment=slo.environment,
        draft=slo.draft,
        kind=slo.kind,
        threshold_ms=slo.threshold_ms,
        percentile_ms=_percentile(slo, buckets),
        coverage=now.coverage,
        state=now.state,
        provisional=now.provisional,
        low_confidence=now.low_confidence,
        sli=now.sli,
        good=now.counts.good,
        bad=now.counts.bad,
        total=now.counts.total,
        error_budget_remaining=now.error_budget_remaining,
        burn_rates=now.burn_rates,
        hour=_window_counts(slo, now.hour),
        policy=slo.policy.name,
        source=slo.source,
        description=slo.description,
        as_of=standing.as_of,
    )


def _window_counts(slo: Slo, counts: EventCounts) -> m.WindowCounts:
    return m.WindowCounts(
        window=format_duration(HOUR),
        sli=sli(counts),
        good=counts.good,
        bad=counts.bad,
        total=counts.total,
        error_budget_remaining=budget_remaining(counts, slo.target),
    )


def _percentile(slo: Slo, buckets: dict[tuple[str, str], dict[int, int]]) -> float | None:
    """Return the percentile that a latency objective speaks of; the rollup does not know filters, so none for those."""
    indicator = slo.indicator
    if slo.kind != "latency" or not isinstance(indicator, SpanIndicator):
        return None
    if indicator.filter is not None or indicator.environment is None:
        return None
    return quantile_ms(buckets.get((slo.service, indicator.environment), {}), float(slo.target))
