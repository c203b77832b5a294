"""Log records: search, newest first."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Ctx
from api.problem import ProblemError
from api.window import pairs, window
from storage.logs import Cursor, LogSearch, search_logs

router = APIRouter(tags=["logs"])

TRACE_ID = re.compile(r"[0-9a-f]{32}")
Time = Annotated[datetime | None, Query(description="RFC 3339; without an offset it is UTC.")]


@router.get("/logs")
def list_logs(
    ctx: Ctx,
    text: Annotated[str, Query(max_length=1000, description="Found anywhere in the body.")] = "",
    service: str = "",
    environment: str = "",
    min_severity: Annotated[
        int, Query(ge=0, le=24, description="OpenTelemetry's number: 9 info, 13 warn, 17 error.")
    ] = 0,
    trace_id: str = "",
    attribute: Annotated[list[str] | None, Query(description="`key=value` of the record. Repeatable.")] = None,
    start: Time = None,
    end: Time = None,
    window_s: Annotated[int, Query(ge=1, le=400 * 86400)] = 3600,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.")] = "",
) -> m.Page[m.LogRecord]:
    """Return the newest log records that match everything asked for."""
    if trace_id and not TRACE_ID.fullmatch(trace_id.lower()):
        raise ProblemError(400, f"trace_id={trace_id[:80]!r} is no trace id: 32 hexadecimal digits")
    first, last = window(start, end, window_s)
    search = LogSearch(first, last, text, service, environment, min_severity, trace_id.lower(), pairs(attribute or []))
    page = search_logs(ctx.database, search, limit=limit, cursor=_cursor(cursor))
    return m.Page(
        items=[m.LogRecord.model_validate(item, from_attributes=True) for item in page.records],
        next_cursor=str(page.next_cursor) if page.next_cursor else None,
    )


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.parse(text) if text else None
    except ValueError as error:
        raise ProblemError(400, str(error)) from error
