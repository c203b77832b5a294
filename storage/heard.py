"""When services were heard of: a span or a metric point of theirs came in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.client import Database
from storage.times import whole


@dataclass(frozen=True, slots=True)
class HeardService:
    """`arrived`: when something came last, as far as that is known.

    `first` and `last`: its oldest and newest minute with a span or a point in what was read.
    `hours`: by hours since 1970, in which of their minutes: bit 0 is the first minute.
    """

    service: str
    environment: str
    arrived: datetime
    first: datetime
    last: datetime
    hours: dict[int, int]


def heard_past(database: Database, *, since: datetime, hours_since: datetime, now: datetime) -> list[HeardService]:
    """Return everyone who was heard of in [since, now], with the hours from *hours_since* on.

    Of metrics the hours reach back for as long as arrivals are kept, three days. This reads the minute rollup from
    *since* on: for the start of a process, not for each tick.
    """
    parameters = {"since": whole(since), "hours_since": whole(hours_since), "now": whole(now)}
    return [_heard(row) for row in database.rows("heard_past", parameters)]


def heard_since(database: Database, *, since: datetime) -> list[HeardService]:
    """Return who was heard of in what arrived since *since*, however old it was."""
    return [_heard(row) for row in database.rows("heard_since", {"since": whole(since)})]


def _heard(row: dict[str, Any]) -> HeardService:
    return HeardService(**row | {"hours": dict(row["hours"])})
