"""Services by rate, errors and duration of their requests, from the one-minute rollup."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.client import Database
from storage.histogram import quantile_ms
from storage.times import whole

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ServiceRed:
    """Requests of one service in a window of `window_s` seconds; a service younger than the window shortens it."""

    name: str
    environment: str
    versions: list[str]
    window_s: int
    requests: int
    errors: int
    rate_per_s: float
    error_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class RedStep:
    at: datetime
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class OperationRed:
    name: str
    kind: str
    requests: int
    errors: int
    rate_per_s: float
    error_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None


def services(database: Database, *, start: datetime, end: datetime, service: str = "") -> list[ServiceRed]:
    """Return every service that had requests in [start, end), or the one named *service*."""
    parameters = {"start": whole(start), "end": whole(end), "service": service}
    return [_service(row, start, end) for row in database.rows("services", parameters)]


def request_services(database: Database, *, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """Return (service, environment) of everything that sent request spans in [since, until)."""
    rows = database.rows("request_services", {"since": whole(since), "until": whole(until)})
    return [(row["service"], row["environment"]) for row in rows]


def series(
    database: Database, service: str, environment: str, *, start: datetime, end: datetime, step_s: int
) -> list[RedStep]:
    parameters = _of(service, environment, start, end) | {"step_s": step_s}
    return [
        RedStep(
            row["at"], row["total"], row["failed"], quantile_ms(row["buckets"], 0.5), quantile_ms(row["buckets"], 0.95)
        )
        for row in database.rows("service_series", parameters)
    ]


def operations(
    database: Database, service: str, environment: str, *, start: datetime, end: datetime
) -> list[OperationRed]:
    window_s = (end - start).total_seconds()
    return [
        OperationRed(
            name=row["name"],
            kind=row["kind_name"],
            requests=row["total"],
            errors=row["failed"],
            rate_per_s=row["total"] / window_s,
            error_ratio=_ratio(row["failed"], row["total"]),
            p50_ms=quantile_ms(row["buckets"], 0.5),
            p95_ms=quantile_ms(row["buckets"], 0.95),
        )
        for row in database.rows("operations", _of(service, environment, start, end))
    ]


def _of(service: str, environment: str, start: datetime, end: datetime) -> dict[str, Any]:
    return {"service": service, "environment": environment, "start": whole(start), "end": whole(end)}


def _service(row: dict[str, Any], start: datetime, end: datetime) -> ServiceRed:
    seen_from = max(start, row["first_minute"])
    window = max(end - seen_from, MINUTE)
    return ServiceRed(
        name=row["name"],
        environment=row["environment"],
        versions=row["versions"],
        window_s=round((end - start).total_seconds()),
        requests=row["total"],
        errors=row["failed"],
        rate_per_s=row["total"] / window.total_seconds(),
        error_ratio=_ratio(row["failed"], row["total"]),
        p50_ms=quantile_ms(row["buckets"], 0.5),
        p95_ms=quantile_ms(row["buckets"], 0.95),
        p99_ms=quantile_ms(row["buckets"], 0.99),
        last_seen=row["last_minute"],
    )


def _ratio(part: int, total: int) -> float | None:
    return part / total if total else None


def latency_buckets(database: Database, *, start: datetime, end: datetime) -> dict[tuple[str, str], dict[int, int]]:
    """Return the latency histogram of every (service, environment)'s requests in [start, end)."""
    parameters = {"start": whole(start), "end": whole(end), "service": ""}
    return {(row["name"], row["environment"]): row["buckets"] for row in database.rows("services", parameters)}
