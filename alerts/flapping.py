"""Alerts that come and go: from the fourth time within an hour on, one alert that stays says more than many."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

FLAPPING_FIRINGS: Final = 4
FLAPPING_WITHIN: Final = timedelta(hours=1)
CALM_FOR: Final = timedelta(minutes=30)  # how long a flapping alert must be clear before it is resolved


def recent_firings(firings: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return those of *firings* that lie at most `FLAPPING_WITHIN` before *now*.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    >>> len(recent_firings([noon - timedelta(minutes=61), noon - timedelta(minutes=60), noon], noon))
    2
    """
    return tuple(at for at in firings if now - at <= FLAPPING_WITHIN)


def is_flapping(firings: tuple[datetime, ...]) -> bool:
    """Whether an alert that fired at *firings*, all of them recent, is flapping."""
    return len(firings) >= FLAPPING_FIRINGS


def flapping_note(firings: tuple[datetime, ...]) -> str:
    """Return what is added to the summary of a flapping alert.

    >>> from datetime import UTC
    >>> flapping_note((datetime(2026, 3, 1, tzinfo=UTC),) * 4)
    'flapping: fired 4 times in the last hour'
    """
    return f"flapping: fired {len(firings)} times in the last hour"


def held_for(keep_firing_for: timedelta, *, flapping: bool) -> timedelta:
    """Return how long an alert must be clear before it is resolved."""
    return max(keep_firing_for, CALM_FOR) if flapping else keep_firing_for
