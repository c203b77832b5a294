"""Whether evaluation and delivery work, seen from outside the threads that do the work."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(seconds=60)

LastTime = Callable[[], datetime | None]


class Liveness:
    """Looks at when each part of the work last succeeded; a part that hangs cannot keep it from seeing that.

    Args:
        parts: By name, what returns when it last succeeded, None if it has not since the start.
    """

    def __init__(self, parts: Mapping[str, LastTime]) -> None:
        self._parts = dict(parts)

    def alive_at(self, now: datetime) -> datetime | None:
        """Return the last time at which every part worked, not after *now*; None when one stalls or never worked."""
        times = [last() for last in self._parts.values()]
        known = [time for time in times if time is not None and _is_recent(time, now)]
        return min(now, *known) if known and len(known) == len(times) else None

    def stalled(self, now: datetime) -> str:
        """Return which parts stall, as a text for people; "" when all work."""
        texts = []
        for name, last in self._parts.items():
            time = last()
            if time is None:
                texts.append(f"{name} has not succeeded since the start")
            elif not _is_recent(time, now):
                texts.append(f"{name} last succeeded at {time.isoformat(timespec='seconds')}")
        return "; ".join(texts)


def _is_recent(time: datetime, now: datetime) -> bool:
    """Return whether *time* is within a minute of *now*; a clock that went back far proves nothing, as one ahead."""
    return abs(now - time) < LONGEST
