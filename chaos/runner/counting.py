"""What is counted on each side of a comparison, through the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.client import ApiClient
from api.models import Arm as ArmName
from api.models import (
    CacheEffect,
    Comparison,
    EdgeCount,
    EdgeEffect,
    Groups,
    LatencySample,
    RunWindow,
    SliCount,
    SloSides,
)
from chaos.experiments.hypotheses import Judged
from chaos.judge.decision import Arm

SAMPLED = 2000


@dataclass(frozen=True, slots=True)
class Side:
    """The requests of one window; of one arm where requests are split, of one version where releases are compared."""

    start: datetime
    end: datetime
    arm: ArmName | None = None
    version: str | None = None

    @classmethod
    def of(cls, window: RunWindow, arm: ArmName | None = None) -> "Side":
        return cls(window.started_at, window.ended_at, arm)

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Counting:
    """Asks the API for counts. Every method raises ApiError when it refuses or does not answer."""

    api: ApiClient
    environment: str | None = None
    groups: Groups | None = None

    def sli(self, service: str, side: Side, *, threshold_ms: float | None = None) -> SliCount:
        return self.api.sli(
            service,
            start=side.start,
            end=side.end,
            environment=self.environment,
            threshold_ms=threshold_ms,
            arm=side.arm,
            groups=self.groups,
            version=side.version,
        )

    @property
    def comparison(self) -> Comparison:
        return "before/after" if self.groups is None else "concurrent"

    def arm(self, line: Judged, side: Side) -> Arm:
        """Return what is bad for *line* on one side."""
        count = self.sli(line.service, side, threshold_ms=line.threshold_ms)
        return Arm(count.errors if line.sli == "availability" else count.slow, count.total, count.p95_ms)

    def edge(self, client: str, server: str, side: Side) -> EdgeCount:
        return self.api.edge(
            client,
            server,
            start=side.start,
            end=side.end,
            environment=self.environment,
            arm=side.arm,
            groups=self.groups,
        )

    def latencies(self, service: str, side: Side) -> LatencySample:
        return self.api.latencies(
            service,
            start=side.start,
            end=side.end,
            environment=self.environment,
            arm=side.arm,
            groups=self.groups,
            version=side.version,
            limit=SAMPLED,
        )

    def propagation(self, control: Side, treatment: Side) -> list[EdgeEffect]:
        """Return every edge that was called on either side; the sides are arms of one window, or two windows."""
        return self.api.propagation(**self._compared(control, treatment))

    def cache_effects(self, control: Side, treatment: Side) -> list[CacheEffect]:
        """Return the hit ratio of every cache that was asked on either side."""
        return self.api.cache_effects(**self._compared(control, treatment))

    def budget_effects(self, services: Sequence[str], control: Side, treatment: Side) -> list[SloSides]:
        """Return the events of every objective of *services*, on both sides and in the whole window of the fault."""
        return self.api.budget_effects(services, **self._compared(control, treatment))

    def exemplars(self, service: str, side: Side, limit: int) -> list[str]:
        """Return trace ids, failed requests first, then the slowest."""
        return self.api.exemplars(
            service,
            start=side.start,
            end=side.end,
            environment=self.environment,
            arm=side.arm,
            groups=self.groups,
            limit=limit,
        )

    def versions(self, service: str, side: Side) -> list[str]:
        """Return the versions that served, the busiest first; "" is a service that does not tell."""
        found = self.api.versions(start=side.start, end=side.end, service=service, environment=self.environment)
        return [each.version for each in sorted(found, key=lambda each: -each.requests)]

    def _compared(self, control: Side, treatment: Side) -> dict[str, Any]:
        split = treatment.arm is not None
        return {
            "start": treatment.start,
            "end": treatment.end,
            "environment": self.environment,
            "groups": self.groups if split else None,
            "baseline": None if split else (control.start, control.end),
        }
