"""Exact counts of requests and of calls between services in any span of time: what an experiment is judged by."""

from dataclasses import dataclass
from datetime import datetime

from storage.arms import Selection
from storage.client import Database


@dataclass(frozen=True, slots=True)
class RequestCount:
    total: int
    errors: int
    slow: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class CallCount:
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


def count_requests(
    database: Database, service: str, selection: Selection, *, threshold_ms: float | None = None
) -> RequestCount:
    """Count the selected request spans of *service*; `slow` is 0 without a threshold."""
    parameters = selection.parameters() | {
        "service": service,
        "threshold_ns": round(threshold_ms * 1e6) if threshold_ms else 0,
    }
    return RequestCount(**database.rows("sli_count", parameters)[0])


def count_calls(database: Database, client: str, server: str, selection: Selection) -> CallCount:
    """Count the calls of *client* to *server*, those that never arrived included.

    Environment and version of the selection are those of the client.
    """
    parameters = selection.parameters() | {"client": client, "server": server}
    return CallCount(**database.rows("edge_count", parameters)[0])


def newest_span_at(database: Database, *, window_s: int, service: str = "") -> datetime | None:
    """Return the start of the newest span of the last *window_s* seconds."""
    newest: datetime | None = database.rows("newest_span", {"window_s": window_s, "service": service})[0]["newest"]
    return newest
