"""What objective the past would have met."""

from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import APIRouter

from api import models as m
from api.context import Context, Ctx
from api.slo_answer import find_slo
from slo.budgeting import Occurrences
from slo.indicator import FasterThan, SpanIndicator
from slo.model import EventCounts, Slo
from slo.suggest import SuggestedTarget, SuggestedThreshold, suggest_target, suggest_threshold
from slo.wording import percent_of_target
from storage.request_latencies import latencies_of
from storage.sli_minutes import steps
from storage.slo_windows import slo_windows

router = APIRouter(tags=["slos"])

HISTORY: Final = timedelta(days=30)
SPANS: Final = timedelta(days=1)  # of an indicator with a filter: its latencies are counted span by span
FEWEST_DAYS: Final = 7


@router.get("/slos/{slo_id}/suggestion")
def get_suggestion(ctx: Ctx, slo_id: str) -> m.SloSuggestion:
    """Return the target, and of a latency objective the threshold, that the past would have met.

    The target is that of the last 30 days. So is the threshold, unless the indicator has a filter: then it is that of
    the last day.
    """
    now = datetime.now(UTC)
    slo = find_slo(ctx, slo_id, now)
    target, of_target = _target(ctx, slo, now)
    threshold, of_threshold = _threshold(ctx, slo, now)
    return m.SloSuggestion(
        target=None if target is None else float(target.target),
        threshold_ms=None if threshold is None else threshold.threshold_ns / 1e6,
        why="; ".join(reason for reason in (of_target, of_threshold) if reason),
    )


def _target(ctx: Context, slo: Slo, now: datetime) -> tuple[SuggestedTarget | None, str]:
    """Return the suggested target, and what speaks for it or hinders it."""
    if not isinstance(slo.budgeting, Occurrences):
        return None, "no target: it is suggested for objectives that count events, and this one counts slices of time"
    end = slo_windows(slo, now).end
    found = steps(ctx.database, slo.indicator.series_id, start=end - HISTORY, end=end, step_s=86400)
    days = {day.at: EventCounts(day.good, day.good + day.bad) for day in found}
    target = suggest_target(days, min_windows=FEWEST_DAYS)
    if target is not None:
        worst = f"{target.worst.bad} bad of {target.worst.total} on {target.worst_start.date()}"
        return target, f"{percent_of_target(target.target)} was met on {target.met} of {target.windows} days; {worst}"
    busy = sum(counts.total > 0 for counts in days.values())
    if busy < FEWEST_DAYS:
        return None, f"no target: it takes {FEWEST_DAYS} days with traffic, and {busy} of the last 30 had any"
    return None, (
        "no target: none of the usual ones was both met on 9 of 10 days and loose enough to allow one bad event on a"
        f" day of median traffic; the {busy} days with traffic had {sum(day.total for day in days.values()):,} events"
    )


def _threshold(ctx: Context, slo: Slo, now: datetime) -> tuple[SuggestedThreshold | None, str]:
    """Return the suggested threshold and what speaks for it or hinders it, "" where none is asked for."""
    indicator = slo.indicator
    if not isinstance(indicator, SpanIndicator) or not isinstance(indicator.good, FasterThan):
        return None, ""
    span, within = (HISTORY, "30 days") if indicator.filter is None else (SPANS, "day")
    end = slo_windows(slo, now).end
    buckets = latencies_of(ctx.database, indicator, start=end - span, end=end)
    found = suggest_threshold(buckets, slo.target)
    if found is None:
        return None, f"no limit: {sum(buckets.values()):,} requests in the last {within} are too few"
    counted = f"{found.events.good} of {found.events.total} requests of the last {within}"
    limit = f"{found.threshold_ns / 1e6:g} ms"
    return found, f"{counted} took at most {limit}, the smallest usual limit for {percent_of_target(slo.target)}"
