"""What came of every attempt to deliver a notification."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.client import Database
from storage.times import text

LONGEST_ERROR = 1000
_COLUMNS = ("notification_id", "attempt", "channel", "status", "error", "at", "took_ms")


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """Attempt number `attempt` (from 1); `status` is sent, failed (it is tried again) or dead (it is not)."""

    notification_id: str
    attempt: int
    channel: str
    status: str
    error: str
    at: datetime
    took_ms: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A line of the delivery log: message `number` of a group, and an attempt to deliver it."""

    notification_id: str
    channel: str
    group_key: str
    number: int
    firing: tuple[str, ...]
    resolved: tuple[str, ...]
    attempt: int
    status: str
    error: str
    at: datetime
    took_ms: int


def store_attempts(database: Database, attempts: Sequence[AttemptRow]) -> None:
    """Store *attempts* in one insert; errors are cut to 1,000 characters."""
    rows = [
        (
            item.notification_id,
            item.attempt,
            item.channel,
            item.status,
            item.error[:LONGEST_ERROR],
            item.at,
            item.took_ms,
        )
        for item in attempts
    ]
    database.insert("delivery_attempts", rows, _COLUMNS)


def delivery_log(
    database: Database,
    *,
    since: datetime,
    alert_id: str = "",
    channel: str = "",
    status: str = "",
    limit: int = 1000,
) -> list[Delivery]:
    """Return the newest *limit* attempts since *since*, newest first; "" is any alert, channel or status."""
    asked = {"alert_id": alert_id, "channel": channel, "status": status}
    parameters = {"since": text(since), **asked, "limit": limit}
    return [
        Delivery(**row | {"firing": tuple(row["firing"]), "resolved": tuple(row["resolved"])})
        for row in database.rows("delivery_log", parameters)
    ]


def delivered_alerts(database: Database, *, since: datetime) -> set[str]:
    """Return the alerts of which some message reached a channel since *since*."""
    return {row["alert_id"] for row in database.rows("delivered_alerts", {"since": text(since)})}
