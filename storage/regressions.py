"""Which operations of a service got slower or fail more: a version or an hour against the one before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from slo.model import EventCounts
from slo.regression import Change, LatencyChange, error_change, latency_change
from storage.client import Database
from storage.times import whole

Against = Literal["version", "hour", "week"]

ENOUGH: Final = 100  # requests of an operation on each side, and of a version
CONFIDENCE: Final = 0.95
VERSIONS_FROM: Final = timedelta(days=14)
OF_A_VERSION: Final = timedelta(days=1)  # the last day that it served: a day has every hour once
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Side:
    """The requests of [start, end), of one version if `version` is not None."""

    start: datetime
    end: datetime
    version: str | None = None


@dataclass(frozen=True, slots=True)
class OperationChange:
    name: str
    kind: str
    errors: Change
    latency: LatencyChange


@dataclass(frozen=True, slots=True)
class Regressions:
    """Operations that both sides had requests of, the busiest first; `compared` of them had enough."""

    before: Side
    after: Side
    compared: int
    changes: tuple[OperationChange, ...]


def regressions(
    database: Database, service: str, environment: str, *, against: Against, now: datetime
) -> Regressions | None:
    """Return how the operations of *service* changed; None where there are no two versions with ENOUGH requests.

    Each operation is tested twice, so the doubt is shared by two tests of each that has enough requests on both sides
    (Bonferroni). A sampled span counts for all it stands for, which makes the intervals of sampled services too narrow.
    """
    end = now.replace(second=0, microsecond=0)
    if against == "version":
        sides = _versions(database, service, environment, end)
        if sides is None:
            return None
    else:
        back = HOUR if against == "hour" else timedelta(weeks=1)
        sides = Side(end - HOUR - back, end - back), Side(end - HOUR, end)
    before, after = (_operations(database, service, environment, side) for side in sides)
    both = [key for key in after if key in before]
    compared = sum(min(before[key]["total"], after[key]["total"]) >= ENOUGH for key in both)
    confidence = 1 - (1 - CONFIDENCE) / max(1, 2 * compared)
    return Regressions(*sides, compared, tuple(_change(key, before[key], after[key], confidence) for key in both))


def _versions(database: Database, service: str, environment: str, end: datetime) -> tuple[Side, Side] | None:
    """Return the version before the newest, and the newest."""
    parameters = {
        "service": service,
        "environment": environment,
        "start": whole(end - VERSIONS_FROM),
        "end": whole(end),
        "enough": ENOUGH,
    }
    rows = database.rows("service_versions", parameters)
    if len(rows) < 2:
        return None
    newest, earlier = (
        Side(max(row["first_minute"], upto - OF_A_VERSION), upto, row["version"])
        for row in rows[:2]
        for upto in [row["last_minute"] + MINUTE]
    )
    return earlier, newest


def _operations(
    database: Database, service: str, environment: str, side: Side
) -> dict[tuple[str, str], dict[str, Any]]:
    parameters = {
        "service": service,
        "environment": environment,
        "start": whole(side.start),
        "end": whole(side.end),
        "any_version": side.version is None,
        "version": side.version or "",
    }
    return {(row["name"], row["kind_name"]): row for row in database.rows("operation_latencies", parameters)}


def _change(key: tuple[str, str], before: dict[str, Any], after: dict[str, Any], confidence: float) -> OperationChange:
    errors = error_change(_events(before), _events(after), min_total=ENOUGH, confidence=confidence)
    latency = latency_change(before["buckets"], after["buckets"], min_total=ENOUGH, confidence=confidence)
    return OperationChange(*key, errors, latency)


def _events(row: dict[str, Any]) -> EventCounts:
    return EventCounts(row["total"] - row["failed"], row["total"])
