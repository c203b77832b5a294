"""How far the past of SLIs is counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from storage.client import Database
from storage.sli_minutes import CountSource

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Backfill:
    """The counting of one series' past from one source, newest first.

    Attributes:
        start: Where it ends; what is older there is no source for.
        end: Where it began (exclusive): what is newer is counted as it comes.
        done_until: From here to `end` all is counted.
        minutes: How many minutes were written, groups not counted.
    """

    series: int
    slo_id: str
    source: CountSource
    start: datetime
    end: datetime
    done_until: datetime
    started_at: datetime
    finished_at: datetime | None = None
    minutes: int = 0

    @property
    def revision(self) -> int:
        """A number that grows with every step, and from one backfill of the series to the next."""
        steps = (self.end - self.done_until) // MINUTE + (self.finished_at is not None)
        return int(self.started_at.timestamp() * 1000) * 1_000_000 + steps

    @property
    def progress(self) -> float:
        """How much of the time is counted, 0..1."""
        if self.finished_at is not None or self.end <= self.start:
            return 1.0
        return (self.end - self.done_until) / (self.end - self.start)


def backfills(database: Database) -> list[Backfill]:
    """Return the last backfill of every series and source, the newest first."""
    return [
        Backfill(
            series=row["series"],
            slo_id=row["slo_id"],
            source=row["source_name"],
            start=row["covers_from"],
            end=row["covers_until"],
            done_until=row["done_until"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            minutes=row["minutes"],
        )
        for row in database.rows("count_backfills")
    ]


def save_backfills(database: Database, items: Iterable[Backfill]) -> None:
    rows = [
        (
            item.series,
            item.slo_id,
            item.source,
            item.start,
            item.end,
            item.done_until,
            item.started_at,
            item.finished_at,
            item.minutes,
            item.revision,
        )
        for item in items
    ]
    columns = ["series", "slo_id", "source", "covers_from", "covers_until", "done_until", "started_at", "finished_at"]
    database.insert("sli_backfills", rows, [*columns, "minutes", "revision"])


def whole_days_since(database: Database, now: datetime, retention: timedelta) -> datetime:
    """Return from when on every day is still stored whole: what is older may have been dropped, and is not recounted.

    A day is dropped when its start lies *retention* back, and earlier where the disk budget asked for it.
    """
    oldest = datetime.combine((now - retention).astimezone(UTC).date(), time.min, UTC) + timedelta(days=1)
    dropped = database.rows("count_dropped")[0]["day"]
    return oldest if dropped is None else max(oldest, dropped + timedelta(days=1))
