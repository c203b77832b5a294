"""Runs of experiments: what their runners report, and the wish that one ends."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from api.run_answer import run_summary, stop_reason, whole_run
from storage.runs import RunCursor, RunStop, list_runs, load_run, request_stop, requested_stop, save_run

router = APIRouter(tags=["runs"])
JSON_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}


async def _content(request: Request) -> bytes:
    return await request.body()


@router.get("/runs")
def get_runs(
    ctx: Ctx,
    experiment: str = "",
    environment: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.")] = "",
) -> m.Page[m.RunSummary]:
    """Return runs of one experiment and environment, or of any, newest first."""
    now = datetime.now(UTC)
    page = list_runs(ctx.database, experiment=experiment, environment=environment, limit=limit, cursor=_cursor(cursor))
    return m.Page(
        items=[run_summary(row, now) for row in page.runs],
        next_cursor=str(page.next_cursor) if page.next_cursor else None,
    )


@router.get("/runs/{run_id}")
def get_run(ctx: Ctx, run_id: str) -> m.Run:
    return whole_run(_body(ctx, run_id), requested_stop(ctx.database, run_id), datetime.now(UTC))


@router.put("/runs/{run_id}")
def put_run(ctx: Ctx, run_id: str, run: m.Run) -> m.RunState:
    """Store the present state of a run, and tell its runner whether the run shall end."""
    if run.id != run_id:
        raise ProblemError(422, f"the body's id {run.id!r} is not that of the path, {run_id!r}")
    save_run(ctx.database, run_id, run.model_dump_json(), started_at=run.started_at, now=datetime.now(UTC))
    return m.RunState(stop_reason=stop_reason(requested_stop(ctx.database, run_id)))


@router.post("/runs/import", status_code=201, openapi_extra=JSON_BODY)
def import_run(ctx: Ctx, content: Annotated[bytes, Depends(_content)]) -> m.Run:
    """Store the run that a Chaos Toolkit journal, which is the body, records; the same journal is the same run."""
    if ctx.read_journal is None:
        raise ProblemError(
            409, "this process reads no journals; send it to the API of 'ninelives up' or 'ninelives api'"
        )
    try:
        run = ctx.read_journal(content)
    except ValueError as error:
        raise ProblemError(422, str(error)[:2000]) from error
    save_run(ctx.database, run.id, run.model_dump_json(), started_at=run.started_at, now=datetime.now(UTC))
    return run


@router.post("/runs/{run_id}/stop", status_code=202)
def stop_run(ctx: Ctx, request: Request, run_id: str, asked: m.StopRequest) -> m.RunState:
    """Ask the runner to end its run: it hears of it with its next heartbeat and takes its faults back."""
    run = m.Run.model_validate_json(_body(ctx, run_id))
    if run.status != "running":
        raise ProblemError(409, f"run {run_id!r} is {run.status}, there is nothing left to stop")
    stop = RunStop(
        run_id, datetime.now(UTC), asked.by.strip(), getattr(request.state, "token", ""), asked.reason.strip()
    )
    request_stop(ctx.database, stop)
    return m.RunState(stop_reason=stop_reason(requested_stop(ctx.database, run_id)))


def _body(ctx: Ctx, run_id: str) -> str:
    body = load_run(ctx.database, run_id)
    if body is None:
        raise ProblemError(
            404, f"no run {run_id!r}; GET /api/v1/runs lists them, a new one a few seconds after its start"
        )
    return body


def _cursor(text: str) -> RunCursor | None:
    try:
        return RunCursor.parse(text) if text else None
    except ValueError as error:
        raise ProblemError(400, str(error)) from error
