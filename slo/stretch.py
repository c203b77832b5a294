"""Stretches of the past, each judged by the definition that was in force in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slo.exclusion import whole_minutes
from slo.model import NO_EVENTS, EventCounts, Slo
from slo.revision import Revision, reigns


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) of the past, in which the indicator of `slo` counts and its target judges."""

    slo: Slo
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class JudgedStretch:
    """The events of a stretch: all of them, and those of them in excluded time."""

    stretch: Stretch
    counts: EventCounts
    excluded: EventCounts = NO_EVENTS

    @property
    def net(self) -> EventCounts:
        return self.counts - self.excluded


def stretches(revisions: Iterable[Revision], today: Slo, start: datetime, end: datetime) -> tuple[Stretch, ...]:
    """Return what judges each part of [start, end), in whole minutes; parts in a row with one judge are one.

    A minute is judged by the definition that was in force when it began.
    """
    found: list[Stretch] = []
    for reign in reigns(revisions, today, start, end):
        begun = found[-1].end if found else reign.start
        _, upto = whole_minutes(reign.end, reign.end)
        if upto == begun:
            continue
        if found and _same_judge(found[-1].slo, reign.slo):
            begun = found.pop().start
        found.append(Stretch(reign.slo, begun, upto))
    return tuple(found)


def _same_judge(one: Slo, other: Slo) -> bool:
    return (one.target, one.indicator.series_id, one.budgeting) == (
        other.target,
        other.indicator.series_id,
        other.budgeting,
    )
