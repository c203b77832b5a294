"""SLI minutes: good and bad events of each series and group, as they were counted last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from slo.model import EventCounts
from storage.client import Database
from storage.times import whole

CountSource = Literal["spans", "rollup", "metrics"]


@dataclass(frozen=True, slots=True)
class SliMinute:
    """Counts of one minute. `seen` events stand for `total` ones where spans were sampled; `group` "" is no group."""

    series: int
    minute: datetime
    good: int
    total: int
    seen: int
    group: str = ""
    source: CountSource = "spans"


@dataclass(frozen=True, slots=True)
class SliStep:
    at: datetime
    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class SeriesWindows:
    """Events of one series by window, and the first minute that holds any (None: the series is empty)."""

    counts: Mapping[timedelta, EventCounts]
    first_minute: datetime | None


def write_minutes(database: Database, minutes: Sequence[SliMinute], *, revision: int) -> None:
    """Store counts; they replace those of an earlier *revision* (milliseconds since 1970)."""
    rows = [(m.series, m.group, m.minute, m.good, m.total - m.good, m.seen, m.source, revision) for m in minutes]
    database.insert("sli_minutes", rows, ["series", "grp", "minute", "good", "bad", "seen", "source", "revision"])


def last_write(database: Database) -> datetime | None:
    """Return when SLI minutes were last written, None when never."""
    milliseconds = database.rows("last_revision")[0]["revision"]
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def windows(
    database: Database, series: Iterable[int], lengths: Iterable[timedelta], *, end: datetime
) -> dict[int, SeriesWindows]:
    """Return the events of each of *series* over windows of *lengths* that end at *end* (exclusive, a whole minute)."""
    ordered = sorted(lengths)
    wanted = sorted(set(series))
    if not ordered or not wanted:
        return {}
    parameters = {
        "series": wanted,
        "starts": [whole(end - length) for length in ordered],
        "oldest": whole(end - ordered[-1]),
        "end": whole(end),
    }
    found = {row["series"]: row for row in database.rows("sli_windows", parameters)}
    nothing = SeriesWindows(dict.fromkeys(ordered, EventCounts(0, 0)), None)
    return {key: _windows(found[key], ordered) if key in found else nothing for key in wanted}


def steps(database: Database, series: int, *, start: datetime, end: datetime, step_s: int) -> list[SliStep]:
    """Return the minutes of *series* in [start, end), summed in steps of *step_s* seconds; empty steps are left out."""
    parameters = {"series": series, "start": whole(start), "end": whole(end), "step_s": step_s}
    return [SliStep(row["at"], row["good"], row["bad"]) for row in database.rows("sli_steps", parameters)]


def _windows(row: dict[str, Any], lengths: list[timedelta]) -> SeriesWindows:
    counts = {
        length: EventCounts(good=good, total=good + bad)
        for length, good, bad in zip(lengths, row["good"], row["bad"], strict=True)
    }
    return SeriesWindows(counts, row["first_minute"])
