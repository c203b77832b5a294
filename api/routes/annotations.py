"""What happened over time, for charts: deployments, incidents and other notes, and the faults of runs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.run_answer import run_summary
from storage.annotations import annotations
from storage.runs import RunRow, list_runs

router = APIRouter(tags=["runs"])

MOST_RUNS: Final = 200


@router.get("/annotations")
def list_annotations(ctx: Ctx, window_s: Annotated[int, Query(ge=60, le=400 * 86400)] = 86400) -> m.Page[m.Annotation]:
    """Return what happened in the last *window_s* seconds, the newest runs of experiments included."""
    end = datetime.now(UTC)
    start = end - timedelta(seconds=window_s)
    noted = [
        m.Annotation.model_validate(item, from_attributes=True)
        for item in annotations(ctx.database, start=start, end=end)
    ]
    runs = [_as_annotation(row, end) for row in list_runs(ctx.database, since=start, limit=MOST_RUNS).runs]
    return m.Page(items=sorted(noted + runs, key=lambda item: item.started_at))


def _as_annotation(row: RunRow, now: datetime) -> m.Annotation:
    """Return the band that a run draws: its fault window, or all of it before the fault."""
    run = run_summary(row, now)
    windows = [m.RunWindow.model_validate(window) for window in row.windows]
    fault = next((window for window in windows if window.phase == "fault"), None)
    return m.Annotation(
        id=run.id,
        kind="chaos",
        title=run.title,
        started_at=fault.started_at if fault else run.started_at,
        ended_at=fault.ended_at if fault else run.ended_at,
        services=run.services,
        url=f"/run?id={run.id}",
    )
