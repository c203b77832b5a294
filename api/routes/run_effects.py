"""What a fault did beyond the verdict: to calls between services, to caches, to budgets; and who served meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from api import models as m
from api.comparison import Compared
from api.context import Ctx
from api.problem import ProblemError
from api.selection import Environment, Time, require_range
from slo.budgeting import Occurrences
from slo.confidence import Interval, difference_interval
from slo.indicator import CacheIndicator, SpanIndicator
from slo.model import Slo
from storage.run_effects import EdgeCalls, cache_lookups, edge_calls
from storage.served_versions import served_steps, served_versions
from storage.sli_sides import SideCounts, count_sides
from storage.standing import Standing, standings

router = APIRouter(tags=["runs"])

ENOUGH_CALLS: Final = 20  # below it a ratio of calls says nothing
MORE: Final = 1.5
LONGEST_IN_STEPS: Final = timedelta(hours=24)

Step = Annotated[int | None, Query(ge=1, le=3600, description="Length of steps in seconds; left out: one sum.")]


@router.get("/propagation")
def list_edge_effects(ctx: Ctx, compared: Compared) -> m.Page[m.EdgeEffect]:
    """Return how calls between services differed, the busiest edge first; intervals are at 95 %."""
    return m.Page(items=[_edge(found) for found in edge_calls(ctx.database, compared)])


@router.get("/cache-effects")
def list_cache_effects(ctx: Ctx, compared: Compared) -> m.Page[m.CacheEffect]:
    """Return how hit ratios of caches differed, as far as spans tell of lookups."""
    return m.Page(
        items=[
            m.CacheEffect(
                service=found.service,
                cache=found.cache,
                control_ratio=found.control.ratio,
                treatment_ratio=found.treatment.ratio,
                control_lookups=found.control.lookups,
                treatment_lookups=found.treatment.lookups,
            )
            for found in cache_lookups(ctx.database, compared)
        ]
    )


@router.get("/budget-effects")
def list_budget_effects(
    ctx: Ctx, compared: Compared, service: Annotated[list[str], Query(description="Repeatable.")]
) -> m.Page[m.SloSides]:
    """Return the events of every objective of the services, where events of spans are what its budget is made of.

    Objectives over metrics have no traces to be split by, and those of slices of time no budget of events: neither is
    here. With an environment, objectives of others are not either; one of all environments has its events of all.
    """
    now = datetime.now(UTC)
    slos = [
        slo
        for slo in ctx.catalog.load(ctx.database, now).slos.values()
        if slo.service in service
        and (compared.environment is None or slo.indicator.environment in (None, compared.environment))
        and isinstance(slo.budgeting, Occurrences)
    ]
    sources = {slo.id: slo.indicator for slo in slos if isinstance(slo.indicator, SpanIndicator | CacheIndicator)}
    counted = count_sides(ctx.database, sources.values(), compared)
    found = standings(ctx.database, [slo for slo in slos if slo.id in sources], now)
    return m.Page(items=[_sides(standing, counted[standing.slo.indicator.series_id]) for standing in found])


@router.get("/versions")
def list_served_versions(
    ctx: Ctx, start: Time, end: Time, service: str = "", environment: Environment = None, step_s: Step = None
) -> m.Page[m.ServedVersion]:
    """Return which versions of a service, or of all, answered requests; by the minute if it is more than an hour.

    With *step_s* there is an item for each step in which a version had requests, newest first, with exact times.
    """
    require_range(start, end)
    asked: dict[str, Any] = {"start": start, "end": end, "service": service, "environment": environment}
    if step_s is None:
        found = served_versions(ctx.database, **asked)
    elif end - start > LONGEST_IN_STEPS:
        raise ProblemError(
            422, f"start to end is {end - start}; in steps it is at most {LONGEST_IN_STEPS} of raw spans"
        )
    else:
        found = served_steps(ctx.database, **asked, step_s=step_s)
    return m.Page(items=[m.ServedVersion.model_validate(item, from_attributes=True) for item in found])


def _edge(found: EdgeCalls) -> m.EdgeEffect:
    interval = _interval(found)
    return m.EdgeEffect(
        client=found.client,
        server=found.server,
        control_calls=found.control.calls,
        control_errors=found.control.errors,
        treatment_calls=found.treatment.calls,
        treatment_errors=found.treatment.errors,
        control_p95_ms=found.control.p95_ms,
        treatment_p95_ms=found.treatment.p95_ms,
        calls_per_request_control=found.control.per_trace,
        calls_per_request_treatment=found.treatment.per_trace,
        error_difference_low=None if interval is None else interval.low,
        error_difference_high=None if interval is None else interval.high,
        note=_note(found),
    )


def _interval(found: EdgeCalls) -> Interval | None:
    control, treatment = found.control, found.treatment
    if not control.calls or not treatment.calls:
        return None
    return difference_interval(control.errors, control.calls, treatment.errors, treatment.calls)


def _note(found: EdgeCalls) -> str:
    """Return what the number of calls tells by itself: retries, a fallback, a dependency that is left alone."""
    before, after = found.control.per_trace, found.treatment.per_trace
    if before is None or after is None or max(found.control.calls, found.treatment.calls) < ENOUGH_CALLS:
        return ""
    if not before:
        return "called under the fault only: a fallback"
    if not after:
        return "not called any more"
    return f"{after:.1f} calls a request instead of {before:.1f}: retried" if after >= MORE * before else ""


def _sides(standing: Standing, found: SideCounts) -> m.SloSides:
    slo, evaluation = standing.slo, standing.evaluation
    total = evaluation.counts.total
    return m.SloSides(
        slo_id=slo.id,
        service=slo.service,
        environment=slo.environment,
        objective=float(slo.target),
        total=found.whole.total,
        bad=found.whole.bad,
        control_total=found.control.total,
        control_bad=found.control.bad,
        treatment_total=found.treatment.total,
        treatment_bad=found.treatment.bad,
        window_total=total,
        budget_events=_allowed(slo, total),
        error_budget_remaining=evaluation.error_budget_remaining,
    )


def _allowed(slo: Slo, total: int) -> float | None:
    return float((1 - slo.target) * total) if total else None
