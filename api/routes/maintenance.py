"""Planned work: announced, listed, ended; never erased, because past budgets are judged by it."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import APIRouter

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from api.slo_answer import find_slo
from slo.errors import InvalidObjective
from slo.exclusion import whole_minutes
from slo.maintenance import Maintenance
from storage.maintenance import maintenance, save_maintenance

router = APIRouter(tags=["maintenance"])


@router.get("/maintenance")
def list_maintenance(ctx: Ctx) -> m.Page[m.Maintenance]:
    """Return all maintenance on record, the newest first."""
    return m.Page(items=[maintenance_answer(item) for item in reversed(maintenance(ctx.database))])


@router.post("/maintenance", status_code=201)
def post_maintenance(ctx: Ctx, asked: m.NewMaintenance) -> m.Maintenance:
    """Announce planned work, or note past work; the minutes that it touches do not count."""
    if not asked.reason.strip():
        raise ProblemError(422, "reason is empty; say what the work is, as the report shows it")
    now = datetime.now(UTC)
    if asked.slo_id:
        find_slo(ctx, asked.slo_id, now)
    try:
        found = _announced(asked, now)
    except InvalidObjective as error:
        raise ProblemError(422, str(error)) from error
    save_maintenance(ctx.database, found, now=now)
    return maintenance_answer(found)


@router.delete("/maintenance/{maintenance_id}")
def end_maintenance(ctx: Ctx, maintenance_id: str) -> m.Maintenance:
    """End maintenance now, or call it off before it begins. It stays on record; what is over stays as it is."""
    found = maintenance(ctx.database, window_id=maintenance_id)
    if not maintenance_id or not found:
        raise ProblemError(404, f"no maintenance {maintenance_id!r}; GET /api/v1/maintenance lists it")
    now = datetime.now(UTC)
    (window,) = found
    if window.until <= now:
        return maintenance_answer(window)
    _, minute = whole_minutes(now, now)
    ended = replace(window, ended_early_at=max(min(minute, window.until), window.start))
    save_maintenance(ctx.database, ended, now=now)
    return maintenance_answer(ended)


def maintenance_answer(window: Maintenance) -> m.Maintenance:
    return m.Maintenance.model_validate(window, from_attributes=True)


def _announced(asked: m.NewMaintenance, now: datetime) -> Maintenance:
    start, end = (_utc(moment) for moment in (asked.start, asked.end))
    if end <= start:
        raise InvalidObjective(f"end={end.isoformat()} must lie after start={start.isoformat()}")
    start, end = whole_minutes(start, end)
    created = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as it is stored
    fields = asked.model_dump(exclude={"start", "end"})
    return Maintenance(id=f"maintenance-{secrets.token_hex(4)}", start=start, end=end, created_at=created, **fields)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidObjective(f"time {moment.isoformat()} has no zone; write {moment.isoformat()}Z for UTC")
    return moment.astimezone(UTC)
