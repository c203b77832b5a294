"""Experiment runs, and annotations over time."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api import models as m
from api.context import Context, Ctx
from api.problem import ProblemError
from storage.annotations import annotations
from storage.runs import load_runs, save_run

router = APIRouter(tags=["runs"])

SILENT_AFTER = timedelta(seconds=30)


@router.get("/runs")
def list_runs(ctx: Ctx) -> m.Page[m.Run]:
    return m.Page(items=_runs(ctx))


@router.get("/runs/{run_id}")
def get_run(ctx: Ctx, run_id: str) -> m.Run:
    found = _runs(ctx, run_id)
    if not found:
        raise ProblemError(404, f"no run {run_id!r}; GET /api/v1/runs lists the newest")
    return found[0]


@router.put("/runs/{run_id}", status_code=204)
def put_run(ctx: Ctx, run_id: str, run: m.Run) -> Response:
    """Store the present state of a run; its runner calls this as the run goes on."""
    if run.id != run_id:
        raise ProblemError(422, f"the body's id {run.id!r} is not that of the path, {run_id!r}")
    save_run(ctx.database, run_id, run.model_dump_json(), started_at=run.started_at, now=datetime.now(UTC))
    return Response(status_code=204)


@router.get("/annotations")
def list_annotations(ctx: Ctx, window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 86400) -> m.Page[m.Annotation]:
    """Return what happened in the last *window_s* seconds, runs of experiments included."""
    end = datetime.now(UTC)
    start = end - timedelta(seconds=window_s)
    noted = [
        m.Annotation.model_validate(item, from_attributes=True)
        for item in annotations(ctx.database, start=start, end=end)
    ]
    runs = [_as_annotation(run) for run in _runs(ctx) if (run.ended_at or end) >= start]
    return m.Page(items=sorted(noted + runs, key=lambda item: item.started_at))


def _runs(ctx: Context, run_id: str = "") -> list[m.Run]:
    now = datetime.now(UTC)
    return [_aged(m.Run.model_validate_json(body), now) for body in load_runs(ctx.database, run_id)]


def _aged(run: m.Run, now: datetime) -> m.Run:
    """Return *run*; one whose runner fell silent while it was running was aborted."""
    if run.status != "running" or now - run.heartbeat_at <= SILENT_AFTER:
        return run
    summary = "The runner fell silent; its faults ended with their lease."
    return run.model_copy(update={"status": "aborted", "ended_at": run.heartbeat_at, "summary": summary})


def _as_annotation(run: m.Run) -> m.Annotation:
    """Return the band that a run draws: its fault window, or all of it before the fault."""
    fault = next((window for window in run.windows if window.phase == "fault"), None)
    return m.Annotation(
        id=run.id,
        kind="chaos",
        title=run.title,
        started_at=fault.started_at if fault else run.started_at,
        ended_at=fault.ended_at if fault else run.ended_at,
        services=run.services,
        url=f"/run?id={run.id}",
    )
