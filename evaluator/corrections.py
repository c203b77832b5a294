"""What late data changed: minutes that had been judged, and are judged otherwise now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.model import EventCounts, Slo
from slo.window import MINUTE
from storage.client import Database
from storage.sli_corrections import Correction, Verdict
from storage.sli_groups import stored_minutes
from storage.sli_minutes import SliMinute

SETTLED_AFTER: Final = timedelta(minutes=5)  # a minute that changes sooner was not late, it was not through

Place = tuple[int, str, datetime]  # (series, group, minute)


def minute_verdict(slo: Slo, counts: EventCounts) -> Verdict:
    """Return whether a minute that held *counts* met the target by itself.

    A throughput floor is compared with the minute's share of it. Good and total are compared as integers with the
    decimal target, so that a minute that meets it exactly is met.
    """
    match slo.budgeting:
        case Throughput(at_least, length):
            return "met" if counts.total * (length // MINUTE) >= at_least else "missed"
        case Freshness():
            return "met" if counts.good else "missed"
        case Timeslices(target=target):
            pass
        case _:
            target = slo.target
    if not counts.total:
        return "no data"
    return "met" if counts.good >= target * counts.total else "missed"


def settled(minutes: Iterable[SliMinute], judged_at: datetime | None) -> list[SliMinute]:
    """Return those of *minutes* that were over for 5 minutes when all were judged, at *judged_at* (None: never)."""
    if judged_at is None:
        return []
    return [item for item in minutes if item.minute + MINUTE + SETTLED_AFTER <= judged_at]


def stored_before(database: Database, minutes: Sequence[SliMinute]) -> dict[Place, EventCounts]:
    """Return what is stored of the places of *minutes*; a place that is missing held nothing."""
    if not minutes:
        return {}
    numbers = sorted({int(item.minute.timestamp()) // 60 for item in minutes})
    stored = stored_minutes(database, {item.series for item in minutes}, numbers, wholes=True)
    return {place_of(item): EventCounts(item.good, item.total) for item in stored}


def shrunk(minutes: Iterable[SliMinute], before: Mapping[Place, EventCounts]) -> set[tuple[int, datetime]]:
    """Return (series, minute) where fewer spans are left than were counted before.

    Spans are only added, so the rest of them was dropped, and what is stored is nearer to the truth.
    """
    return {
        (item.series, item.minute)
        for item in minutes
        if item.source == "spans" and not item.group and item.total < _held(before, item).total
    }


def corrections_of(
    slos: Iterable[Slo], minutes: Iterable[SliMinute], before: Mapping[Place, EventCounts], *, now: datetime
) -> list[Correction]:
    """Return what *minutes* change in the verdicts of *slos*."""
    by_series: dict[int, list[Slo]] = {}
    for slo in slos:
        by_series.setdefault(slo.indicator.series_id, []).append(slo)
    found: list[Correction] = []
    for item in minutes:
        old, new = _held(before, item), EventCounts(item.good, item.total)
        if old == new or (item.source == "spans" and new.total < old.total):
            continue  # spans are never less: a group that shrank is counted among the others now
        for slo in by_series.get(item.series, ()):
            verdicts = minute_verdict(slo, old), minute_verdict(slo, new)
            if verdicts[0] != verdicts[1]:
                found.append(Correction(now, slo.id, item.series, item.group, item.minute, old, new, *verdicts))
    return found


def place_of(minute: SliMinute) -> Place:
    return (minute.series, minute.group, minute.minute)


def _held(before: Mapping[Place, EventCounts], minute: SliMinute) -> EventCounts:
    return before.get(place_of(minute), EventCounts(0, 0))
