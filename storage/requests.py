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


@dataclass(frozen=True, slots=True)
class LatencySample:
    """Durations of requests, the shortest first, of `total` that there are."""

    total: int
    durations_ms: list[float]


def count_requests(
    database: Database, service: str, selection: Selection, *, threshold_ms: float | None = None
) -> RequestCount:
    """Count the selected request spans of *service*; `slow` is 0 without a threshold."""
    parameters = selection.parameters() | {
        "service": service,
        "threshold_ns": _nanoseconds(threshold_ms),
    }
    return RequestCount(**database.rows("sli_count", parameters)[0])


def count_calls(database: Database, client: str, server: str, selection: Selection) -> CallCount:
    """Count the calls of *client* to *server*, those that never arrived included.

    Environment and version of the selection are those of the client.
    """
    parameters = selection.parameters() | {"client": client, "server": server}
    return CallCount(**database.rows("edge_count", parameters)[0])


def latency_sample(database: Database, service: str, selection: Selection, *, limit: int) -> LatencySample:
    """Return the durations of at most *limit* of the selected requests of *service*, the same ones every time.

    They are drawn by their trace ids, evenly over time and over what they took.
    """
    parameters = selection.parameters() | {"service": service, "limit": limit}
    return LatencySample(**database.rows("latency_sample", parameters)[0])


def worst_traces(
    database: Database, service: str, selection: Selection, *, threshold_ms: float | None = None, limit: int
) -> list[str]:
    """Return trace ids of the selected requests of *service*: those that failed first, then the slowest.

    With a threshold only those that failed or took longer than it.
    """
    parameters = selection.parameters() | {
        "service": service,
        "threshold_ns": _nanoseconds(threshold_ms),
        "limit": limit,
    }
    return [row["trace_id_hex"] for row in database.rows("worst_requests", parameters)]


def newest_span_at(database: Database, *, window_s: int, service: str = "") -> datetime | None:
    """Return the start of the newest span of the last *window_s* seconds."""
    newest: datetime | None = database.rows("newest_span", {"window_s": window_s, "service": service})[0]["newest"]
    return newest


def _nanoseconds(threshold_ms: float | None) -> int:
    """Return a threshold of queries, 0 for none."""
    return round(threshold_ms * 1e6) if threshold_ms else 0
