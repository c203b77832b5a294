"""The client's calls about what a fault did beside the verdict of its run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api import models as m
from api.transport import Transport


class EffectCalls(Transport):
    """Typed calls; environment None is any.

    What is compared with [start, end): its own control arm, where *groups* split the requests, or the *baseline*, start
    and end of a stretch of time before it. One of the two must be given.
    """

    def propagation(
        self,
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        groups: m.Groups | None = None,
        baseline: tuple[datetime, datetime] | None = None,
    ) -> list[m.EdgeEffect]:
        """Return how calls between services differed, the busiest edge first."""
        return self._get(
            m.Page[m.EdgeEffect], "propagation", **_compared(start, end, environment, groups, baseline)
        ).items

    def cache_effects(
        self,
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        groups: m.Groups | None = None,
        baseline: tuple[datetime, datetime] | None = None,
    ) -> list[m.CacheEffect]:
        """Return how hit ratios differed, as far as spans tell of lookups."""
        return self._get(
            m.Page[m.CacheEffect], "cache-effects", **_compared(start, end, environment, groups, baseline)
        ).items

    def budget_effects(
        self,
        services: Sequence[str],
        *,
        start: datetime,
        end: datetime,
        environment: str | None = None,
        groups: m.Groups | None = None,
        baseline: tuple[datetime, datetime] | None = None,
    ) -> list[m.SloSides]:
        """Return the events of the objectives of *services*, counted as every evaluation counts them."""
        compared = _compared(start, end, environment, groups, baseline)
        return self._get(m.Page[m.SloSides], "budget-effects", service=services, **compared).items

    def versions(
        self,
        *,
        start: datetime,
        end: datetime,
        service: str = "",
        environment: str | None = None,
        step_s: int | None = None,
    ) -> list[m.ServedVersion]:
        """Return which versions of a service, "" for all, answered requests in [start, end).

        With *step_s* there is one item for each step of so many seconds in which a version did, over 24 h at most.
        """
        return self._get(
            m.Page[m.ServedVersion],
            "versions",
            start=start.isoformat(),
            end=end.isoformat(),
            service=service,
            environment=environment,
            step_s=step_s,
        ).items


def _compared(
    start: datetime,
    end: datetime,
    environment: str | None,
    groups: m.Groups | None,
    baseline: tuple[datetime, datetime] | None,
) -> dict[str, Any]:
    before = baseline or (None, None)
    return {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "environment": environment,
        "share": None if groups is None else groups.share,
        "seed": None if groups is None else groups.seed,
        "baseline_start": None if before[0] is None else before[0].isoformat(),
        "baseline_end": None if before[1] is None else before[1].isoformat(),
    }
