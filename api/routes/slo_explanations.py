"""Why a budget is where it is, and where it goes."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter

from api import models as m
from api.context import Ctx
from api.slo_answer import find_slo
from slo.evaluation import window_bounds
from slo.forecast import Forecast
from storage.forecasts import forecasts
from storage.standing import LATENESS

router = APIRouter(tags=["slos"])


@router.get("/slos/{slo_id}/forecast")
def get_forecast(ctx: Ctx, slo_id: str) -> m.Page[m.SloForecast]:
    """Return what becomes of the budget if things go on as in the last 1 h, 6 h and 24 h; none for slices of time."""
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    _, end = window_bounds(now, timedelta(0), LATENESS)
    return m.Page(items=[_forecast(item) for item in forecasts(ctx.database, slo, end=end)])


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
