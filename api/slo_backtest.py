"""A backtest as the API is asked for it, and as it answers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.backtest import Backtest, Judged, RecordedTrouble, backtest
from api import models as m
from api.context import Context
from api.problem import ProblemError
from api.recorded_trouble import recorded_trouble
from api.slo_answer import find_slo
from slo.budget import sli
from slo.budgeting import Freshness
from slo.errors import InvalidObjective
from slo.evaluation import needed_windows, window_bounds
from slo.model import Slo
from slo.openslo import read_openslo
from slo.standard_policy import standard_policy
from storage.maintenance import maintenance_exclusions
from storage.slo_past import minute_history
from storage.slo_windows import LATENESS, lateness_of

DEFAULT: Final = timedelta(days=30)
LONGEST: Final = timedelta(days=400)
LONGEST_SLICE: Final = timedelta(days=1)


def run_backtests(ctx: Context, asked: m.BacktestRequest, now: datetime) -> list[m.Backtest]:
    """Return a backtest of each objective that *asked* is about.

    Raises:
        ProblemError: 404 for an unknown id, 422 for a text that cannot be read or a time that makes no sense.
    """
    start, end = _period(asked, now)
    candidates, warnings = _candidates(ctx, asked, now)
    try:
        return [_answer(_run(ctx, slo, start, end, now), warnings) for slo in candidates]
    except InvalidObjective as error:
        raise ProblemError(422, str(error)) from error


def _period(asked: m.BacktestRequest, now: datetime) -> tuple[datetime, datetime]:
    _, latest = window_bounds(now, timedelta(0), min(LATENESS.values()))
    end = latest if asked.end is None else min(_minute(asked.end), latest)
    start = end - DEFAULT if asked.start is None else _minute(asked.start)
    if not timedelta(0) < end - start <= LONGEST:
        raise ProblemError(
            422, f"start={start.isoformat()} must lie before end={end.isoformat()}, at most {LONGEST.days} days"
        )
    return start, end


def _minute(moment: datetime) -> datetime:
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(second=0, microsecond=0)


def _candidates(ctx: Context, asked: m.BacktestRequest, now: datetime) -> tuple[list[Slo], list[str]]:
    if bool(asked.text) == bool(asked.slo_id):
        raise ProblemError(422, "give either text, an OpenSLO document, or slo_id, an objective that is there")
    if asked.slo_id:
        slo = find_slo(ctx, asked.slo_id, now)
        return [slo if asked.target is None else _with_target(slo, asked.target)], []
    slos, problems = read_openslo(asked.text, asked.file)
    wrong = [str(problem) for problem in problems if problem.level == "error"]
    if wrong or not slos:
        raise ProblemError(
            422, "; ".join(wrong) or "the text holds no objective; write an OpenSLO document of kind SLO"
        )
    return slos, [str(problem) for problem in problems]


def _with_target(slo: Slo, target: Decimal) -> Slo:
    """Return *slo* with another target, and the standard alerts that fit it: those it had may never fire now."""
    try:
        return replace(slo, target=target, policy=standard_policy(target, slo.period).policy)
    except InvalidObjective as error:
        raise ProblemError(422, str(error)) from error


def _run(ctx: Context, slo: Slo, start: datetime, end: datetime, now: datetime) -> Backtest:
    reach = slo.budgeting.within if isinstance(slo.budgeting, Freshness) else LONGEST_SLICE
    oldest = start - max(needed_windows(slo, start)) - reach
    exclusions = maintenance_exclusions(ctx.database, slo, oldest, end)
    history = minute_history(ctx.database, slo, oldest, end, exclusions)
    series = slo.indicator.series_id
    same = {item.id for item in ctx.catalog.load(ctx.database, now).slos.values() if item.indicator.series_id == series}
    incidents = recorded_trouble(ctx.database, slo, start, end, ignored=same)
    return backtest(slo, history, incidents, start, end, delay=lateness_of(slo))


def _answer(found: Backtest, warnings: list[str]) -> m.Backtest:
    slo, counts = found.slo, found.counts
    return m.Backtest(
        slo_id=slo.id,
        name=slo.name,
        service=slo.service,
        environment=slo.environment,
        target=float(slo.target),
        window=str(slo.window),
        start=found.start,
        end=found.end,
        counted_from=found.first_minute,
        sli=sli(counts),
        good=counts.good,
        bad=counts.bad,
        total=counts.total,
        alerts=[_alert(alert) for alert in found.alerts],
        pages=found.pages,
        pages_per_week=found.pages_per_week,
        precision=found.precision,
        recall=found.recall,
        incidents=[_incident(incident) for incident in found.incidents],
        missed=[_incident(incident) for incident in found.missed],
        worst_day=_worst_day(found),
        warnings=warnings,
    )


def _alert(alert: Judged) -> m.BacktestAlert:
    episode = alert.episode
    return m.BacktestAlert(
        severity=episode.fired.severity,
        fired_at=episode.fired.at,
        resolved_at=None if episode.resolved is None else episode.resolved.at,
        peak_burn_rate=episode.peak_burn_rate,
        budget_spent=episode.budget_spent,
        summary=episode.fired.summary,
        incidents=[incident.title for incident in alert.incidents],
    )


def _incident(incident: RecordedTrouble) -> m.BacktestIncident:
    return m.BacktestIncident.model_validate(incident, from_attributes=True)


def _worst_day(found: Backtest) -> m.BacktestDay | None:
    if found.worst_day is None:
        return None
    day, counts = found.worst_day
    return m.BacktestDay(day=day, sli=sli(counts), good=counts.good, bad=counts.bad, total=counts.total)
