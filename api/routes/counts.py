"""Exact counts of requests and calls, of all of them or of one arm of an experiment: what it is judged by."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.selection import Selected
from storage import requests

router = APIRouter(tags=["counts"])

NEWEST_S = 86400
MOST_DURATIONS = 10_000

Threshold = Annotated[float | None, Query(gt=0, description="Slower than this is bad.")]


@router.get("/sli")
def count_requests(ctx: Ctx, service: str, selected: Selected, threshold_ms: Threshold = None) -> m.SliCount:
    """Count the requests of a service that started in [start, end), from the stored spans.

    `newest_span_at` is that of the service, whatever was selected: it tells how far the stored spans reach.
    """
    found = requests.count_requests(ctx.database, service, selected, threshold_ms=threshold_ms)
    return m.SliCount(
        service=service,
        environment=selected.environment or "",
        total=found.total,
        errors=found.errors,
        slow=found.slow,
        threshold_ms=threshold_ms,
        p50_ms=found.p50_ms,
        p95_ms=found.p95_ms,
        newest_span_at=requests.newest_span_at(ctx.database, window_s=NEWEST_S, service=service),
    )


@router.get("/edges")
def count_calls(ctx: Ctx, client: str, server: str, selected: Selected) -> m.EdgeCount:
    """Count the calls of one service to another that started in [start, end); version is that of the client."""
    found = requests.count_calls(ctx.database, client, server, selected)
    return m.EdgeCount(
        client=client, server=server, calls=found.calls, errors=found.errors, p50_ms=found.p50_ms, p95_ms=found.p95_ms
    )


@router.get("/latencies")
def sample_latencies(
    ctx: Ctx, service: str, selected: Selected, limit: Annotated[int, Query(ge=1, le=MOST_DURATIONS)] = 2000
) -> m.LatencySample:
    """Return how long requests took: of at most *limit*, drawn evenly by trace id, so that they stay the same."""
    found = requests.latency_sample(ctx.database, service, selected, limit=limit)
    return m.LatencySample.model_validate(found, from_attributes=True)


@router.get("/exemplars")
def list_exemplars(
    ctx: Ctx,
    service: str,
    selected: Selected,
    threshold_ms: Threshold = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> m.Page[str]:
    """Return trace ids of the worst requests: failed first, then the slowest; with a threshold only worse than that."""
    return m.Page(items=requests.worst_traces(ctx.database, service, selected, threshold_ms=threshold_ms, limit=limit))
