"""How far the past of objectives is counted, and counting it anew."""

from datetime import UTC, datetime

from fastapi import APIRouter

from api import models as m
from api.context import Ctx
from api.slo_answer import find_slo
from storage.sli_backfills import Backfill, backfills
from storage.sli_count import request_backfill

router = APIRouter(tags=["slos"])


@router.post("/slos/{slo_id}/backfill", status_code=202)
def post_backfill(ctx: Ctx, slo_id: str) -> m.BackfillRequest:
    """Ask that the past of an objective is counted anew from what is stored: the next evaluation begins.

    Minutes keep their counts until they are counted again.
    """
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    series = slo.indicator.series_id
    request_backfill(ctx.database, series, slo_id=slo.id, now=now)
    slos = ctx.catalog.load(ctx.database, now).slos.values()
    shared = [other.id for other in slos if other.indicator.series_id == series and other.id != slo.id]
    return m.BackfillRequest(slo_id=slo.id, requested_at=now, shared_with=shared)


@router.get("/backfills")
def list_backfills(ctx: Ctx) -> m.Page[m.Backfill]:
    """Return how far the past of objectives is counted, and from what: the newest of each first."""
    return m.Page(items=[_backfill(each) for each in backfills(ctx.database)])


def _backfill(each: Backfill) -> m.Backfill:
    return m.Backfill(
        slo_id=each.slo_id,
        starts_at=each.start,
        ends_at=each.end,
        done_until=each.done_until,
        progress=each.progress,
        source=each.source,
        started_at=each.started_at,
        finished_at=each.finished_at,
        minutes=each.minutes,
    )
