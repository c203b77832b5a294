"""Objectives: how much of what an indicator counts must be good, over which window."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from slo.budget_policy import BudgetAction, BudgetAlert, ExhaustionAlert
from slo.budgeting import OCCURRENCES, Budgeting, Freshness, Occurrences, Throughput
from slo.errors import InvalidObjective
from slo.indicator import CacheIndicator, FasterThan, HistogramIndicator, Indicator, NotError, SpanIndicator
from slo.policy import AlertPolicy
from slo.window import Window

SloKind = Literal["availability", "latency", "cache", "throughput", "freshness", "custom"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Time that does not touch the budget: planned maintenance in [start, end), and why."""

    start: datetime
    end: datetime
    reason: str

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidObjective(f"exclusion {self.start.isoformat()} needs a time zone; write 2026-03-01T22:00:00Z")
        if self.end <= self.start:
            raise InvalidObjective(f"exclusion {self.start.isoformat()} must end after it starts")


@dataclass(frozen=True, slots=True)
class Slo:
    """An objective: at least *target* of the indicator's events (or slices of time) are good over a *window*.

    `source` is the name of the file it was read from, or "draft". `min_total` and `min_bad` are what a window must
    hold before its burn rate may alert. `sla` is the promise to customers, shown beside the objective. `lateness` is
    how long rows may be on their way, None for the default. Any alert of the objective fires when its condition was met
    `alert_for`, and ends when it was clear `keep_firing_for`.
    """

    id: str
    name: str
    service: str
    environment: str
    indicator: Indicator
    target: Decimal
    window: Window
    policy: AlertPolicy
    draft: bool
    source: str
    description: str = ""
    budgeting: Budgeting = OCCURRENCES
    min_total: int = 0
    min_bad: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    sla: Decimal | None = None
    lateness: timedelta | None = None
    owner: str = ""
    runbook: str = ""
    budget_alerts: tuple[BudgetAlert, ...] = ()
    exhaustion_alert: ExhaustionAlert | None = None
    budget_policy: tuple[BudgetAction, ...] = ()
    alert_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        for name, ratio in (("target", self.target), ("sla", self.sla)):
            if ratio is not None and (not ratio.is_finite() or not 0 < ratio < 1):
                raise InvalidObjective(f"{name} {ratio} of {self.id!r} must lie between 0 and 1, such as 0.999")
        if self.min_total < 0 or self.min_bad < 0:
            raise InvalidObjective(f"min-total and min-bad of {self.id!r} must be 0 or more")
        if self.exhaustion_alert is not None:
            self._check_exhaustion(self.exhaustion_alert)
        by_start = sorted(self.exclusions, key=lambda exclusion: exclusion.start)
        for one, two in pairwise(by_start):
            if two.start < one.end:  # what both exclude would be subtracted twice
                raise InvalidObjective(
                    f"the exclusions {one.reason!r} and {two.reason!r} of {self.id!r} overlap; write one for both"
                )

    def _check_exhaustion(self, alert: ExhaustionAlert) -> None:
        if not isinstance(self.budgeting, Occurrences):  # forecasts are of events
            raise InvalidObjective(
                f"exhaustion-alert {alert} of {self.id!r} has a use with Occurrences only; remove it"
            )
        if alert.within > self.period:  # so far do forecasts reach
            raise InvalidObjective(f"exhaustion-alert {alert} of {self.id!r} is longer than its window {self.window}")

    @property
    def period(self) -> timedelta:
        """The window's nominal length: a calendar month counts as 30 days."""
        return self.window.nominal

    @property
    def kind(self) -> SloKind:
        match self.budgeting, self.indicator:
            case Throughput(), _:
                return "throughput"
            case Freshness(), _:
                return "freshness"
            case _, CacheIndicator():
                return "cache"
            case _, SpanIndicator(good=NotError()):
                return "availability"
            case _, SpanIndicator(good=FasterThan()) | HistogramIndicator():
                return "latency"
            case _:
                return "custom"

    @property
    def threshold_ms(self) -> float | None:
        """The latency threshold of a latency objective over spans, None for any other."""
        if isinstance(self.indicator, SpanIndicator) and isinstance(self.indicator.good, FasterThan):
            return self.indicator.good.threshold_ns / 1e6
        return None


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events (or slices of time) of one window: `good` of `total`."""

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

    def __sub__(self, other: "EventCounts") -> "EventCounts":
        """Return these events without *other*, which are some of them."""
        return EventCounts(self.good - other.good, self.total - other.total)


NO_EVENTS = EventCounts(0, 0)
