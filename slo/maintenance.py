"""Maintenance windows: planned work that does not touch the budget, for the objectives that it matches."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slo.errors import InvalidObjective
from slo.model import Exclusion, Slo


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
    """Return the time that *windows* exclude for *slo*, oldest first; they may overlap.

    The objective's own exclusions, which its file names, are not among them.
    """
    found = [
        Exclusion(window.start, window.until, window.reason)
        for window in windows
        if window.start < window.until and window.applies_to(slo)
    ]
    return tuple(sorted(found, key=lambda item: (item.start, item.end)))
