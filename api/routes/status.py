"""The service about itself."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from slo.errors import SloFileProblem
from storage.requests import newest_span_at
from storage.seen_services import CLOCKS_DIFFER, SEEN_WITHIN
from storage.services import request_services
from storage.slo_catalog import Catalog
from storage.totals import span_total

router = APIRouter(tags=["status"])
probes = APIRouter(tags=["probes"])


@router.get("/status")
def get_status(ctx: Ctx, request: Request) -> m.Status:
    now = datetime.now(UTC)
    catalog = ctx.catalog.load(ctx.database, now)
    tick, ingest = ctx.tick(), ctx.ingest()
    return m.Status(
        version=ctx.version,
        started_at=ctx.started_at,
        spans_stored=span_total(ctx.database),
        services=len(request_services(ctx.database, since=now - SEEN_WITHIN, until=now + CLOCKS_DIFFER)),
        newest_span_at=newest_span_at(ctx.database, window_s=86400),
        last_tick_at=tick.at,
        last_tick_error=tick.error,
        addresses=dict(ctx.addresses),
        ingest=ingest,
        slo_files=catalog.files,
        slo_errors=[_error(problem) for problem in catalog.problems if problem.level == "error"],
        notices=[*_notices(catalog, ingest, tick.error), *ctx.alerting_problems()],
        may_operate=request.state.may_operate,
    )


@probes.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer as long as the process lives."""
    return {"status": "ok"}


@probes.get("/readyz")
def readyz(ctx: Ctx) -> dict[str, str]:
    """Answer 200 when the database does."""
    ctx.database.command("SELECT 1")
    return {"status": "ready"}


@probes.get("/metrics")
def prometheus_metrics(ctx: Ctx) -> Response:
    return Response(generate_latest(ctx.registry), media_type=CONTENT_TYPE_LATEST)


@probes.get("/api/v1/{path:path}", include_in_schema=False)
def unknown(path: str) -> None:
    raise ProblemError(404, f"no resource /api/v1/{path[:200]}; /docs lists them")


def _error(problem: SloFileProblem) -> m.SloFileError:
    reason = f"{problem.path}: {problem.reason}" if problem.path else problem.reason
    return m.SloFileError(file=problem.file, line=problem.line, reason=reason)


def _notices(catalog: Catalog, ingest: list[m.IngestStatus], tick_error: str) -> list[str]:
    """Return what a person should know now, in sentences."""
    found = [
        f"{lane.dead_letters} request(s) of {lane.signal} could not be read by the database and lie in dead-letter/"
        for lane in ingest
        if lane.dead_letters
    ]
    found += [f"{lane.signal} wait in the spool: {lane.last_error}" for lane in ingest if lane.last_error]
    if tick_error:
        found.append(f"the last evaluation failed: {tick_error}")
    if catalog.problems:
        found.append(f"{len(catalog.problems)} problem(s) in SLO files; 'ninelives slo validate' shows them")
    return found
