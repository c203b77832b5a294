"""Objectives over spans: what is counted, what is good, how much of it must be."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from slo.errors import InvalidObjective
from slo.policy import AlertPolicy
from slo.predicate import SPAN_KINDS, Predicate, canonical

SloKind = Literal["availability", "latency", "custom"]
REQUEST_KINDS: Final = ("server", "consumer")


@dataclass(frozen=True, slots=True)
class NotError:
    """Good is a span without error."""


@dataclass(frozen=True, slots=True)
class FasterThan:
    """Good is a span that took at most *threshold_ns* nanoseconds."""

    threshold_ns: int

    def __post_init__(self) -> None:
        if self.threshold_ns <= 0:
            raise InvalidObjective(f"latency threshold {self.threshold_ns} ns must be above 0")


@dataclass(frozen=True, slots=True)
class Matches:
    """Good is a span that *predicate* holds for."""

    predicate: Predicate


Good: TypeAlias = NotError | FasterThan | Matches


@dataclass(frozen=True, slots=True)
class Indicator:
    """Which spans are counted, and which of them are good. *environment* None counts every environment."""

    service: str
    environment: str | None
    kinds: tuple[str, ...] = REQUEST_KINDS
    filter: Predicate | None = None
    good: Good = NotError()
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.service:
            raise InvalidObjective("an indicator needs a service name")
        if not self.kinds or not set(self.kinds) <= set(SPAN_KINDS):
            raise InvalidObjective(f"span kinds {list(self.kinds)} must be some of {', '.join(SPAN_KINDS)}")

    @property
    def series_id(self) -> int:
        """A stable 63-bit hash of exactly what decides the counts: equal indicators share their stored minutes."""
        digest = hashlib.blake2b(self._series_text().encode(), digest_size=8).digest()
        return int.from_bytes(digest) >> 1

    def _series_text(self) -> str:
        parts = {
            "source": "spans",
            "service": self.service,
            "environment": self.environment,
            "kinds": sorted(set(self.kinds)),
            "filter": None if self.filter is None else canonical(self.filter),
            "good": _good_text(self.good),
            "group_by": self.group_by,
        }
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Slo:
    """An objective: at least *target* of the indicator's events are good over a rolling *window*.

    `source` is the name of the file it was read from, or "draft".
    """

    id: str
    name: str
    service: str
    environment: str
    indicator: Indicator
    target: Decimal
    window: timedelta
    policy: AlertPolicy
    draft: bool
    source: str
    description: str = ""

    def __post_init__(self) -> None:
        if not self.target.is_finite() or not 0 < self.target < 1:
            raise InvalidObjective(f"target {self.target} of {self.id!r} must lie between 0 and 1, such as 0.999")
        if self.window <= timedelta(0) or self.window % timedelta(minutes=1):
            raise InvalidObjective(f"window {self.window} of {self.id!r} must be whole minutes above 0, such as 30d")

    @property
    def kind(self) -> SloKind:
        match self.indicator.good:
            case NotError():
                return "availability"
            case FasterThan():
                return "latency"
            case Matches():
                return "custom"

    @property
    def threshold_ms(self) -> float | None:
        """The latency threshold of a latency objective, None for any other."""
        good = self.indicator.good
        return good.threshold_ns / 1e6 if isinstance(good, FasterThan) else None


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events of one window: `good` of `total`."""

    good: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.good <= self.total:
            raise InvalidObjective(f"{self.good} good events of {self.total} cannot be: 0 <= good <= total")

    @property
    def bad(self) -> int:
        return self.total - self.good

    def __add__(self, other: "EventCounts") -> "EventCounts":
        return EventCounts(self.good + other.good, self.total + other.total)


def _good_text(good: Good) -> str:
    match good:
        case NotError():
            return "not error"
        case FasterThan(threshold_ns):
            return f"duration_ns <= {threshold_ns}"
        case Matches(predicate):
            return canonical(predicate)
