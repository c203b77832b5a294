"""The audit of SLI minutes: those whose verdict changed after it had been given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from slo.model import EventCounts
from storage.client import Database
from storage.times import text

Verdict = Literal["no data", "met", "missed"]
LATE_DATA = "late data"


@dataclass(frozen=True, slots=True)
class Correction:
    """A minute of an objective (of one `group`, "" for all) that was judged anew `at` a moment, and what it held."""

    at: datetime
    slo_id: str
    series: int
    group: str
    minute: datetime
    before: EventCounts
    after: EventCounts
    verdict_before: Verdict
    verdict_after: Verdict
    cause: str = LATE_DATA


def corrections(
    database: Database, *, start: datetime, end: datetime, slo_id: str = "", limit: int = 1000
) -> list[Correction]:
    """Return what was judged anew in [*start*, *end*), of one objective or ("") of all, the newest first."""
    parameters = {"start": text(start), "end": text(end), "slo_id": slo_id, "limit": limit}
    return [
        Correction(
            at=row["at"],
            slo_id=row["slo_id"],
            series=row["series"],
            group=row["grp"],
            minute=row["minute"],
            before=EventCounts(row["good_before"], row["good_before"] + row["bad_before"]),
            after=EventCounts(row["good_after"], row["good_after"] + row["bad_after"]),
            verdict_before=row["before"],
            verdict_after=row["after"],
            cause=row["cause"],
        )
        for row in database.rows("count_corrections", parameters)
    ]


def save_corrections(database: Database, items: Iterable[Correction]) -> None:
    rows = [
        (
            item.at,
            item.slo_id,
            item.series,
            item.group,
            item.minute,
            item.before.good,
            item.before.bad,
            item.after.good,
            item.after.bad,
            item.verdict_before,
            item.verdict_after,
            item.cause,
        )
        for item in items
    ]
    counts = ["good_before", "bad_before", "good_after", "bad_after"]
    columns = ["at", "slo_id", "series", "grp", "minute", *counts, "verdict_before", "verdict_after", "cause"]
    database.insert("sli_corrections", rows, columns)
