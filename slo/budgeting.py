"""Budgeting methods: what one unit of an error budget is, an event or a slice of time.

Occurrences and Timeslices are OpenSLO's. Throughput and freshness are floors: slices of time too, that are good while
enough happens. OpenSLO's RatioTimeslices is a mean of ratios, which lets a quiet hour outweigh a busy one; it is not
offered.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from slo.errors import InvalidObjective
from slo.window import LONGEST, MINUTE

EmptySlices = Literal["ignore", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every event counts."""


@dataclass(frozen=True, slots=True)
class Timeslices:
    """Every slice of *length* counts: good when at least *target* of its events are; *empty* ones as told."""

    target: Decimal
    length: timedelta = MINUTE
    empty: EmptySlices = "ignore"

    def __post_init__(self) -> None:
        if not self.target.is_finite() or not 0 < self.target <= 1:
            raise InvalidObjective(f"timeSliceTarget {self.target} must lie above 0 and at most at 1, such as 0.95")
        _check_length(self.length)


@dataclass(frozen=True, slots=True)
class Throughput:
    """A floor: a slice of *length* is good when at least *at_least* events happened in it; an empty one is bad."""

    at_least: int
    length: timedelta = MINUTE

    def __post_init__(self) -> None:
        if self.at_least < 1:
            raise InvalidObjective(f"a throughput floor of {self.at_least} is always met; write at least 1 event")
        _check_length(self.length)


@dataclass(frozen=True, slots=True)
class Freshness:
    """A floor: a minute is good when some good event happened in it or in the minutes before, *within* in all."""

    within: timedelta

    def __post_init__(self) -> None:
        if self.within < MINUTE or self.within % MINUTE:
            raise InvalidObjective(f"a freshness of {self.within} must be whole minutes, such as 10m")
        if self.within > LONGEST:
            raise InvalidObjective(f"a freshness of {self.within} is longer than ten years; write a shorter one")


OCCURRENCES: Final = Occurrences()
Budgeting: TypeAlias = Occurrences | Timeslices | Throughput | Freshness


def _check_length(length: timedelta) -> None:
    if length < MINUTE or length % MINUTE or timedelta(days=1) % length:
        raise InvalidObjective(f"a time slice of {length} must be whole minutes that divide a day, such as 5m or 1h")
