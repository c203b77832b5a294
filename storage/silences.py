"""Silences, as rows: what their matchers mean is the business of `alerts`."""

from dataclasses import dataclass
from datetime import UTC, datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """One silence; *matchers* as they are written. `expired_at` is None while nobody ended it."""

    id: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    until_resolved: bool
    created_at: datetime
    expired_at: datetime | None = None


def save_silence(database: Database, silence: SilenceRow, *, now: datetime) -> None:
    """Store *silence* in place of the one of its id; of two stored at *now* the later stays."""
    s = silence
    row = (
        s.id, list(s.matchers), s.starts_at, s.ends_at, s.author, s.comment, s.until_resolved, s.created_at,
        s.expired_at, now,
    )  # fmt: skip
    columns = [
        "id", "matchers", "starts_at", "ends_at", "author", "comment", "until_resolved", "created_at", "expired_at",
        "updated_at",
    ]  # fmt: skip
    database.insert("silences", [row], columns)


def silences(database: Database, *, since: datetime | None = None) -> list[SilenceRow]:
    """Return the silences that end after *since*, all without it, in order of their start."""
    rows = database.rows("silences", {"since": text(since or datetime.fromtimestamp(0, UTC))})
    return [SilenceRow(**{**row, "matchers": tuple(row["matchers"])}) for row in rows]
