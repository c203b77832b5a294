"""Notifications as rows: what is in the bodies is the business of `alerts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.append_log import append
from storage.client import Database
from storage.times import text

_COLUMNS = ("id", "channel", "group_key", "number", "at", "firing", "resolved", "body")


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """Message number `number` of a group on a channel; *firing* and *resolved* are alert ids, *body* is its JSON."""

    id: str
    channel: str
    group_key: str
    number: int
    at: datetime
    firing: tuple[str, ...]
    resolved: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A notification that was neither delivered nor given up after `attempts`; `writer` is to deliver it."""

    row: NotificationRow
    writer: str
    attempts: int


def append_notifications(
    database: Database, rows: Sequence[NotificationRow], *, writer: str, after: int, now: datetime
) -> bool:
    """Store *rows* as one batch that *writer* delivers; False when another was first, see `append_log.append`.

    A notification that is appended again goes over to *writer*: the newest row of an id names who delivers it.
    """
    values = [tuple(getattr(row, column) for column in _COLUMNS) for row in rows]
    return append(database, "notifications", values, _COLUMNS, writer=writer, after=after, now=now)


def notifications(database: Database, *, since: datetime, after: int = 0) -> list[str]:
    """Return the bodies of those since *since* that came in batches behind *after*, each once, oldest first.

    The last one of each group on each channel is among them however old it is: its number is the last that was given.
    """
    parameters = {"since": text(since), "after": after}
    return [row["body"] for row in database.rows("notifications", parameters)]


def unsettled(database: Database, *, since: datetime) -> list[Unsettled]:
    """Return the notifications since *since* that are still to be delivered, each group's in order."""
    found = []
    for row in database.rows("unsettled_notifications", {"since": text(since)}):
        writer, attempts = row.pop("writer"), row.pop("attempts")
        row |= {"firing": tuple(row["firing"]), "resolved": tuple(row["resolved"])}
        found.append(Unsettled(NotificationRow(**row), writer, attempts))
    return found


def told_transitions(database: Database, alert_ids: Sequence[str]) -> list[str]:
    """Return the bodies of all transitions of *alert_ids*, oldest first."""
    found: list[str] = []
    for start in range(0, len(alert_ids), _IDS_A_QUERY):
        chunk = list(alert_ids[start : start + _IDS_A_QUERY])
        found += [row["body"] for row in database.rows("told_transitions", {"alert_ids": chunk})]
    return found


_IDS_A_QUERY = 200  # ids travel in the address of a request, which servers limit
