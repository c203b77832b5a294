"""Objectives and their standings as the API tells them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from api import models as m
from api.context import Context
from api.double_entry import problems_of
from api.problem import ProblemError
from slo.budget import budget_remaining, burn_rate, sli
from slo.budgeting import Budgeting, Freshness, Occurrences, Throughput, Timeslices
from slo.confidence import burn_rate_bound, surely_exceeds
from slo.duration import format_duration
from slo.evaluation import HOUR, ConditionResult, Evaluation, budget_window
from slo.forecast import SCENARIOS
from slo.indicator import SpanIndicator
from slo.model import EventCounts, Slo
from slo.nines import allowed_downtime
from slo.wording import promise
from storage.forecasts import forecasts
from storage.histogram import quantile_ms
from storage.services import latency_buckets
from storage.sli_trend import daily_slis
from storage.standing import GroupStanding, Standing

MOST_FORECASTS = 20  # each reads its objective's whole window
Buckets = dict[tuple[str, str], dict[int, int]]


def find_slo(ctx: Context, slo_id: str, now: datetime) -> Slo:
    """Return the objective in force that is called *slo_id*.

    Raises:
        ProblemError: 404, there is none.
    """
    slos = ctx.catalog.load(ctx.database, now).slos
    if slo_id not in slos:
        raise ProblemError(404, f"no objective {slo_id!r}; GET /api/v1/slos lists them")
    return slos[slo_id]


def answers(ctx: Context, found: list[Standing], now: datetime) -> list[m.Slo]:
    """Return what the API tells of *found*."""
    counted = [standing.slo for standing in found if isinstance(standing.slo.budgeting, Occurrences)]
    known = _Known(
        latency_buckets(ctx.database, start=now - HOUR, end=now),
        problems_of(ctx, [standing.slo for standing in found], now),
        _exhaustions(ctx, found, now),
        daily_slis(ctx.database, counted, now),
    )
    return [_answer(standing, known) for standing in found]


@dataclass(frozen=True, slots=True)
class _Known:
    """What answers need beside the standings; `exhaustions` by SLO id, for those that were looked at, `trends` too."""

    buckets: Buckets
    problems: Mapping[str, list[str]]
    exhaustions: Mapping[str, datetime | None]
    trends: Mapping[str, list[float | None]]


def _exhaustions(ctx: Context, found: list[Standing], now: datetime) -> dict[str, datetime | None]:
    """Return when the budgets of those with the least left end, if things go on as in the last hour."""
    left = {standing.slo.id: standing.evaluation.error_budget_remaining for standing in found}
    spendable = [standing for standing in found if (left[standing.slo.id] or 0) > 0]
    least = sorted(spendable, key=lambda standing: left[standing.slo.id] or 0)[:MOST_FORECASTS]
    return {
        standing.slo.id: ctx.exhaustions.answer(standing.slo, now, partial(_exhausted_at, ctx, standing))
        for standing in least
        if isinstance(standing.slo.budgeting, Occurrences)
    }


def _exhausted_at(ctx: Context, standing: Standing) -> datetime | None:
    (coming,) = forecasts(ctx.database, standing.slo, end=standing.as_of, scenarios=SCENARIOS[:1])
    return coming.exhausted_at


def _answer(standing: Standing, known: _Known) -> m.Slo:
    slo, now = standing.slo, standing.evaluation
    return m.Slo(
        id=slo.id,
        service=slo.service,
        name=slo.name,
        objective=float(slo.target),
        window=str(slo.window),
        environment=slo.environment,
        draft=slo.draft,
        kind=slo.kind,
        threshold_ms=slo.threshold_ms,
        percentile_ms=_percentile(slo, known.buckets),
        coverage=now.coverage,
        state=now.state,
        provisional=now.provisional,
        low_confidence=now.low_confidence,
        sli=now.sli,
        good=now.counts.good,
        bad=now.counts.bad,
        total=now.counts.total,
        error_budget_remaining=now.error_budget_remaining,
        burn_rates=now.burn_rates,
        hour=_window_counts(format_duration(HOUR), now.hour, budget_remaining(now.hour, slo.target)),
        policy=slo.policy.name,
        source=slo.source,
        description=slo.description,
        as_of=standing.as_of,
        period_s=int(slo.period.total_seconds()),
        elapsed_s=int(budget_window(slo, standing.as_of).total_seconds()),
        allowed_downtime_s=allowed_downtime(slo.target, slo.period).total_seconds(),
        budgeting=_budgeting(slo.budgeting),
        promise=promise(slo),
        estimated=now.estimated,
        budget_remaining_so_far=now.budget_remaining_so_far,
        unadjusted=_unadjusted(slo, now),
        sla=None if slo.sla is None else float(slo.sla),
        owner=slo.owner,
        runbook=slo.runbook,
        conditions=[_condition(slo, result) for result in now.conditions],
        groups=[_group(group) for group in standing.groups],
        forecast=slo.id in known.exhaustions,
        runs_out_at=known.exhaustions.get(slo.id),
        trend=known.trends.get(slo.id, []),
        problems=known.problems.get(slo.id, []),
        burn_rate_at_least=burn_rate_bound(now.counts, slo.target),
        surely_burning=surely_exceeds(now.counts, slo.target, 1),
    )


def _budgeting(method: Budgeting) -> Literal["occurrences", "timeslices", "throughput", "freshness"]:
    match method:
        case Occurrences():
            return "occurrences"
        case Timeslices():
            return "timeslices"
        case Throughput():
            return "throughput"
        case Freshness():
            return "freshness"


def _unadjusted(slo: Slo, now: Evaluation) -> m.WindowCounts | None:
    if now.unadjusted is None:
        return None
    return _window_counts(str(slo.window), now.unadjusted.counts, now.unadjusted.error_budget_remaining)


def _window_counts(window: str, counts: EventCounts, remaining: float | None) -> m.WindowCounts:
    return m.WindowCounts(
        window=window,
        sli=sli(counts),
        good=counts.good,
        bad=counts.bad,
        total=counts.total,
        error_budget_remaining=remaining,
    )


def _group(group: GroupStanding) -> m.SloGroup:
    now = group.evaluation
    return m.SloGroup(
        labels=dict(group.labels),
        state=now.state,
        sli=now.sli,
        good=now.counts.good,
        bad=now.counts.bad,
        total=now.counts.total,
        error_budget_remaining=now.error_budget_remaining,
    )


def _condition(slo: Slo, result: ConditionResult) -> m.SloCondition:
    return m.SloCondition(
        severity=result.condition.severity,
        long=format_duration(result.condition.long),
        short=format_duration(result.condition.short),
        factor=float(result.condition.factor),
        long_burn_rate=burn_rate(result.long, slo.target),
        short_burn_rate=burn_rate(result.short, slo.target),
        met=result.met,
        has_data=result.has_data,
    )


def _percentile(slo: Slo, buckets: Buckets) -> float | None:
    """Return the percentile that a latency objective speaks of; the rollup does not know filters, so none for those."""
    indicator = slo.indicator
    if slo.kind != "latency" or not isinstance(indicator, SpanIndicator):
        return None
    if indicator.filter is not None or indicator.environment is None:
        return None
    return quantile_ms(buckets.get((slo.service, indicator.environment), {}), float(slo.target))
