"""Minutes of SLIs with groups: each minute as a whole, and once for each group."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from storage.client import Database, load_query
from storage.sli_labels import MOST_GROUPS, OTHER, group_text
from storage.sli_minutes import CountSource, SliMinute

LATELY = timedelta(hours=2)  # how long a group without events keeps its place among the others
Labels = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Doubt:
    """`events` of a series that could not be counted truly, and the bound that was used instead of the threshold."""

    events: int
    bound: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Minutes, and by series what is doubtful in them."""

    minutes: list[SliMinute]
    doubts: Mapping[int, Doubt] = field(default_factory=dict)


def count_groups(
    database: Database,
    query: str,
    parameters: Mapping[str, Any],
    grouped: Labels,
    *,
    source: CountSource,
    most: int = MOST_GROUPS,
    **slots: str,
) -> Counted:
    """Return the minutes that *query* counts, with at most *most* groups a series.

    Groups that were counted in the last two hours keep their place, then those with most events; the rest is the group
    `__other__`. *query* returns series, minute, labels, good, total, seen, doubtful and bound; *grouped* names the
    labels of the series that have groups.
    """
    if not grouped:
        rows = database.rows(query, parameters, **slots)
        return Counted([_minute(row, "", source) for row in rows], _doubts(rows))
    limits = {
        "most": most,
        "other": OTHER,
        "grouped": list(grouped),
        "lately_s": LATELY // timedelta(seconds=1),
    }
    rows = database.rows("count_groups", dict(parameters) | limits, counted=load_query(query), **slots)
    wholes = [_minute(row, "", source) for row in rows]
    groups = [
        _minute(row, group_text(grouped[row["series"]], row["labels"]), source)
        for row in rows
        if row["series"] in grouped
    ]
    return Counted([*_added_up(wholes), *groups], _doubts(rows))


def folded(minutes: Iterable[SliMinute]) -> set[int]:
    """Return the series some of whose groups are counted together, because there are too many."""
    mark = f'"{OTHER}"'
    return {item.series for item in minutes if item.total and mark in item.group}


def emptied(
    database: Database,
    counted: Collection[SliMinute],
    places: Collection[tuple[int, datetime]],
    *,
    wholes: bool,
    source: CountSource,
) -> list[SliMinute]:
    """Return, with nothing in them, the groups stored at *places* (series, minute) that are not in *counted* any more.

    Written with the new counts they make sure that whatever the limit of groups was before, the groups of a minute add
    up to the minute. *wholes*: minutes as a whole may have lost their events too.
    """
    if not places:
        return []
    numbers = sorted({int(minute.timestamp()) // 60 for _, minute in places})
    stored = stored_minutes(database, {series for series, _ in places}, numbers, wholes=wholes)
    present = {(item.series, item.minute, item.group) for item in counted}
    return [
        SliMinute(item.series, item.minute, 0, 0, 0, item.group, source)
        for item in stored
        if item.total and (item.series, item.minute) in places and (item.series, item.minute, item.group) not in present
    ]


def stored_minutes(
    database: Database, series: Collection[int], minutes: Collection[int], *, wholes: bool
) -> list[SliMinute]:
    """Return what is stored of *series* in *minutes* (numbers since 1970): groups, and with *wholes* all of it."""
    parameters = {"series": sorted(series), "minutes": list(minutes), "wholes": wholes}
    return [
        SliMinute(row["series"], row["minute"], row["good"], row["good"] + row["bad"], 0, row["grp"])
        for row in database.rows("count_stored", parameters)
    ]


def _minute(row: Mapping[str, Any], group: str, source: CountSource) -> SliMinute:
    return SliMinute(row["series"], row["minute"], row["good"], row["total"], row["seen"], group, source)


def _added_up(groups: Iterable[SliMinute]) -> list[SliMinute]:
    """Return each minute as a whole: every event lies in one group, so the sum of the groups is the direct count."""
    found: dict[tuple[int, datetime], SliMinute] = {}
    for item in groups:
        key = (item.series, item.minute)
        sofar = found.get(key)
        good, total, seen = (0, 0, 0) if sofar is None else (sofar.good, sofar.total, sofar.seen)
        found[key] = SliMinute(*key, good + item.good, total + item.total, seen + item.seen, source=item.source)
    return list(found.values())


def _doubts(rows: Iterable[Mapping[str, Any]]) -> dict[int, Doubt]:
    found: dict[int, Doubt] = {}
    for row in rows:
        if row["doubtful"]:
            sofar = found.get(row["series"], Doubt(0, row["bound"]))
            found[row["series"]] = Doubt(sofar.events + row["doubtful"], min(sofar.bound, row["bound"]))
    return found
