"""Maintenance windows: planned work that does not touch the budget, for the objectives that it matches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slo.errors import InvalidObjective
from slo.exclusion import whole_minutes
from slo.model import Exclusion, Slo
from slo.window import MINUTE


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Work on what matches `service`, `environment` and `slo_id` ("" matches any) in [start, end), whole minutes.

    `ended_early_at` is when it was over or called off before its time, None otherwise.
    """

    id: str
    start: datetime
    end: datetime
    reason: str
    author: str
    service: str
    environment: str
    slo_id: str
    created_at: datetime
    ended_early_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidObjective(f"maintenance from {self.start.isoformat()} needs a time zone; write it with a Z")
        if self.end <= self.start:
            raise InvalidObjective(f"maintenance from {self.start.isoformat()} must end after it starts")
        if any(moment.second or moment.microsecond for moment in (self.start, self.end)):
            raise InvalidObjective(f"maintenance from {self.start.isoformat()} must start and end at whole minutes")

    @property
    def until(self) -> datetime:
        """When it really was over; not after `start` when it was called off before it began."""
        return self.end if self.ended_early_at is None else min(self.end, self.ended_early_at)

    def applies_to(self, slo: Slo) -> bool:
        """Whether the window is meant for *slo*."""
        return (
            self.service in ("", slo.service)
            and self.environment in ("", slo.environment)
            and self.slo_id in ("", slo.id)
        )


def exclusions_of(windows: Iterable[Maintenance], slo: Slo) -> tuple[Exclusion, ...]:
    """Return the time that *windows* exclude for *slo*, oldest first; windows that overlap or touch become one.

    The objective's own exclusions, which its file names, are not among them.
    """
    return merged(
        Exclusion(window.start, window.until, window.reason)
        for window in windows
        if window.start < window.until and window.applies_to(slo)
    )


def merged(exclusions: Iterable[Exclusion]) -> tuple[Exclusion, ...]:
    """Return the same time, oldest first, in whole minutes: what overlaps or touches becomes one, with all reasons."""
    found: list[Exclusion] = []
    for item in sorted(exclusions, key=lambda item: (item.start, item.end)):
        start, end = whole_minutes(item.start, item.end)
        if found and start <= found[-1].end:
            last = found.pop()
            found.append(Exclusion(last.start, max(last.end, end), _joined(last.reason, item.reason)))
        else:
            found.append(Exclusion(start, end, item.reason))
    return tuple(found)


def is_excluded(exclusions: Iterable[Exclusion], minute: datetime) -> bool:
    """Whether the minute that starts at *minute* touches excluded time."""
    return any(item.start < minute + MINUTE and minute < item.end for item in exclusions)


def _joined(first: str, second: str) -> str:
    return first if second in first.split("; ") else f"{first}; {second}"
