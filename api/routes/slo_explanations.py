"""Why a budget is where it is, and where it goes."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Context, Ctx
from api.slo_answer import find_slo
from slo.blame_share import Share
from slo.forecast import Forecast
from slo.model import Slo
from storage.exemplar_traces import ExemplarTrace
from storage.explanations import RankedDifference, explain
from storage.forecasts import forecasts
from storage.sli_corrections import Correction, corrections
from storage.sli_minutes import steps
from storage.slo_windows import slo_windows

router = APIRouter(tags=["slos"])


@router.get("/slos/{slo_id}/forecast")
def get_forecast(ctx: Ctx, slo_id: str) -> m.Page[m.SloForecast]:
    """Return what becomes of the budget if things go on as in the last 1 h, 6 h and 24 h; none for slices of time."""
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    found = forecasts(ctx.database, slo, end=slo_windows(slo, now).end)
    return m.Page(items=[_forecast(item) for item in found])


@router.get("/slos/{slo_id}/explanation")
def get_explanation(
    ctx: Ctx, slo_id: str, window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 3600
) -> m.SloExplanation:
    """Return who spent the budget in the last *window_s* seconds, and what bad requests have in common.

    Kept for a minute. An objective that does not count requests has its counts only.
    """
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    return ctx.explanations.answer((slo, window_s), now, lambda: _explained(ctx, slo, window_s, now))


def _explained(ctx: Context, slo: Slo, window_s: int, now: datetime) -> m.SloExplanation:
    end = slo_windows(slo, now).end
    start = end - timedelta(seconds=window_s)
    found = explain(ctx.database, slo, start=start, end=end)
    if found is None:
        counted = steps(ctx.database, slo.indicator.series_id, start=start, end=end, step_s=window_s)
        bad, good = sum(step.bad for step in counted), sum(step.good for step in counted)
        return m.SloExplanation(start=start, end=end, bad=bad, total=good + bad)
    blamed = found.blame
    return m.SloExplanation(
        start=start,
        end=end,
        bad=found.total.bad,
        total=found.total.total,
        looked_at=blamed.charged,
        sampled=blamed.sampled,
        summary=blamed.text,
        spenders=[_spender(share, count) for share, count in zip(blamed.shares, blamed.estimates, strict=True)],
        differences=[_difference(each) for each in found.differences],
        traces=[_guilty(each) for each in found.traces],
    )


def _spender(share: Share, requests: int) -> m.Spender:
    return m.Spender(service=share.service, operation=share.operation, share=float(share.share), requests=requests)


def _difference(each: RankedDifference) -> m.Difference:
    found = each.attribution
    return m.Difference(
        attribute=found.attribute,
        value=found.value,
        good=found.events.good,
        bad=found.events.bad,
        share_in_bad=found.share_in_bad,
        share_in_good=found.share_in_good,
        lift=found.lift,
        low=found.interval.low,
        high=found.interval.high,
        budget_without=each.budget_without,
        sampled=each.sampled,
    )


def _guilty(each: ExemplarTrace) -> m.GuiltyTrace:
    return m.GuiltyTrace(
        trace_id=each.trace_id,
        span_id=each.charge.span_id,
        service=each.charge.service,
        operation=each.charge.operation,
        why=each.charge.why,
        duration_ms=each.duration_ms,
        at=each.started_at,
    )


@router.get("/slos/{slo_id}/corrections")
def list_corrections(
    ctx: Ctx, slo_id: str, window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 86400
) -> m.Page[m.SloCorrection]:
    """Return the minutes whose verdict late data changed in the last *window_s* seconds, the newest first."""
    now = datetime.now(UTC)
    found = corrections(ctx.database, start=now - timedelta(seconds=window_s), end=now, slo_id=slo_id)
    return m.Page(items=[_correction(each) for each in found])


def _correction(each: Correction) -> m.SloCorrection:
    return m.SloCorrection(
        at=each.at,
        minute=each.minute,
        group=each.group,
        good_before=each.before.good,
        bad_before=each.before.bad,
        good_after=each.after.good,
        bad_after=each.after.bad,
        verdict_before=each.verdict_before,
        verdict_after=each.verdict_after,
        cause=each.cause,
    )


def _forecast(item: Forecast) -> m.SloForecast:
    return m.SloForecast(
        scenario=item.scenario.name,
        span_s=int(item.scenario.span.total_seconds()),
        bad_per_minute=float(item.bad_per_minute),
        total_per_minute=float(item.total_per_minute),
        exhausted_at=item.exhausted_at,
        recovers_at=item.recovers_at,
        curve=[m.ForecastPoint(at=point.at, error_budget_remaining=point.remaining) for point in item.curve],
    )
