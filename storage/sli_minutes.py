"""SLI minutes: good and bad events of each series and group, as they were counted last, and their sums by hours.

The hours are summed again from the minutes after each write. A process that ends in between leaves minutes that are
newer than every hour: `sum_newest_hours`, at the start, sums those hours again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from slo.model import EventCounts
from storage.client import Database, load_query
from storage.sli_sums import RunningSums, cut_hours, event_sums, first_minutes, group_sums
from storage.times import whole

CountSource = Literal["spans", "rollup", "metrics"]
WRITTEN_HOURS = "{hours:Array(DateTime('UTC'))}"
WRITTEN_SERIES = "{series:Array(UInt64)}"
NEWEST = "FROM sli_minutes WHERE revision >= (SELECT max(revision) FROM sli_hours)"
NEWEST_HOURS = f"(SELECT DISTINCT toStartOfHour(minute) {NEWEST})"
NEWEST_SERIES = f"(SELECT DISTINCT series {NEWEST})"


@dataclass(frozen=True, slots=True)
class SliMinute:
    """Counts of one minute. `seen` events stand for `total` ones where spans were sampled.

    `group` "" is the minute as a whole; the groups of a series with groups add up to it.
    """

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
    """Events of one series by window, all groups together, and the first minute that ever held any (None: none did).

    `groups` holds the windows of each group, where they were asked for.
    """

    counts: Mapping[timedelta, EventCounts]
    first_minute: datetime | None
    groups: Mapping[str, Mapping[timedelta, EventCounts]] = field(default_factory=dict)


def write_minutes(database: Database, minutes: Sequence[SliMinute], *, revision: int) -> None:
    """Store counts and sum their hours; they replace those of an earlier *revision* (milliseconds since 1970)."""
    if not minutes:
        return
    rows = [(m.series, m.group, m.minute, m.good, m.total - m.good, m.seen, m.source, revision) for m in minutes]
    database.insert("sli_minutes", rows, ["series", "grp", "minute", "good", "bad", "seen", "source", "revision"])
    hours = sorted({whole(minute.astimezone(UTC).replace(minute=0)) for minute in {m.minute for m in minutes}})
    parameters = {"hours": hours, "series": sorted({m.series for m in minutes})}
    database.command(_sum_hours(WRITTEN_HOURS, WRITTEN_SERIES), parameters)


def sum_newest_hours(database: Database) -> None:
    """Sum the hours again whose minutes are as new as the newest hour, or newer: all where no hour is summed yet."""
    database.command(_sum_hours(NEWEST_HOURS, NEWEST_SERIES))


def last_write(database: Database) -> datetime | None:
    """Return when SLI minutes were last written and summed, None when never."""
    milliseconds = database.rows("last_revision")[0]["revision"]
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def windows(
    database: Database,
    series: Iterable[int],
    lengths: Iterable[timedelta],
    *,
    end: datetime,
    grouped: Iterable[int] = (),
) -> dict[int, SeriesWindows]:
    """Return the events of each of *series* over windows of *lengths* that end at *end* (exclusive, a whole minute).

    Those of *series* that are *grouped* have `groups` too: the 50 with the most bad events in the longest window, and
    "(other)" for what is left.
    """
    ordered, wanted = sorted(lengths), set(series)
    if not ordered or not wanted:
        return {}
    moments = [end, *(end - length for length in ordered)]
    groups = group_sums(database, wanted.intersection(grouped), moments)
    firsts = first_minutes(database, wanted)

    def by_length(of: RunningSums) -> dict[timedelta, EventCounts]:
        return {length: of.between(end - length, end) for length in ordered}

    return {
        key: SeriesWindows(
            by_length(of),
            _before(firsts.get(key), end),
            {group: by_length(part) for group, part in groups.get(key, {}).items()},
        )
        for key, of in event_sums(database, wanted, moments).items()
    }


def steps(database: Database, series: int, *, start: datetime, end: datetime, step_s: int) -> list[SliStep]:
    """Return the minutes of *series* in [start, end), summed in steps of *step_s* seconds; empty steps are left out."""
    parameters = {
        "series": series,
        "start": whole(start),
        "end": whole(end),
        "step_s": step_s,
        "whole_hours": step_s % 3600 == 0,
        "edges": cut_hours([start, end]),
    }
    return [SliStep(row["at"], row["good"], row["bad"]) for row in database.rows("sli_steps", parameters)]


def _sum_hours(hours: str, series: str) -> str:
    rows = load_query("sli_hours").replace("/*hours*/", hours).replace("/*series*/", series)
    return f"INSERT INTO sli_hours (series, grp, hour, good, bad, seen, minutes, first, revision) {rows}"


def _before(first: datetime | None, end: datetime) -> datetime | None:
    """Return *first* unless it was not known yet at *end*."""
    return first if first is not None and first < end else None
