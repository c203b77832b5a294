"""Traces: search and one by id."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from api.trace_tree import trace_of
from storage import traces

router = APIRouter(tags=["traces"])

TRACE_ID = re.compile(r"[0-9a-f]{32}")


@router.get("/traces")
def search_traces(
    ctx: Ctx,
    service: str = "",
    operation: str = "",
    errors_only: bool = False,
    min_duration_ms: Annotated[float, Query(ge=0)] = 0,
    window_s: Annotated[int, Query(ge=1, le=400 * 86400)] = 3600,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> m.Page[m.TraceSummary]:
    """Return the newest traces with a span that matches everything asked for."""
    end = datetime.now(UTC) + timedelta(seconds=1)
    found = traces.search(
        ctx.database,
        start=end - timedelta(seconds=window_s),
        end=end,
        service=service,
        operation=operation,
        errors_only=errors_only,
        min_duration_ms=min_duration_ms,
        limit=limit,
    )
    return m.Page(items=[m.TraceSummary.model_validate(item, from_attributes=True) for item in found])


@router.get("/traces/{trace_id}")
def get_trace(ctx: Ctx, trace_id: str) -> m.Trace:
    wanted = trace_id.lower()
    if not TRACE_ID.fullmatch(wanted):
        raise ProblemError(400, f"{trace_id[:80]!r} is no trace id: 32 hexadecimal digits")
    found = traces.read_trace(ctx.database, wanted)
    if not found.spans:
        raise ProblemError(404, f"no trace {wanted}: not received yet, or older than the retention")
    return trace_of(wanted, found.spans, lost=found.lost)
