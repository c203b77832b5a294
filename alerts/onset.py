"""When it began: the first minute of the trouble that an alert tells of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from slo.budget import exceeds
from slo.model import EventCounts

QUIET: Final = timedelta(minutes=10)  # so long without trouble, and what comes after is another one


@dataclass(frozen=True, slots=True)
class Minute:
    """What an indicator counted in the minute that begins at `at`."""

    at: datetime
    counts: EventCounts


def onset(minutes: Iterable[Minute], target: Decimal) -> datetime | None:
    """Return the first minute of the last trouble, None without any.

    A minute is in trouble when it spends the budget faster than it may (burn rate above 1). Less than QUIET between two
    of them is one trouble: errors come in bursts.
    """
    began: datetime | None = None
    last: datetime | None = None
    for minute in sorted(minutes, key=lambda minute: minute.at):
        if not exceeds(minute.counts, target, 1):
            continue
        if last is None or minute.at - last > QUIET:
            began = minute.at
        last = minute.at
    return began
