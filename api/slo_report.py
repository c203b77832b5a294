"""A month's report, put together from what is stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.transition import Transition, readable
from api import models as m
from slo.indicator import SpanIndicator
from slo.model import Slo
from slo.report import EndOfMonth, Figures, ReportedIncident, SloMonth, Spender, slo_month, totals
from slo.revision import Revision
from slo.stretch import stretches
from storage.blame import blame
from storage.client import Database
from storage.maintenance import maintenance_exclusions
from storage.slo_past import first_minute, judged_stretches, standings_at, standings_then
from storage.slo_revisions import load_revisions
from storage.standing import Standing
from storage.transitions import transitions

LONGEST: Final = timedelta(days=30)  # an alert that began earlier than this before the month is not looked up


def slo_months(database: Database, slos: Sequence[Slo], start: datetime, end: datetime) -> list[SloMonth]:
    """Return the month [start, end) of each of *slos*, in their order."""
    revisions = load_revisions(database, [slo.id for slo in slos]) if slos else {}
    incidents = _incidents(database, start, end)
    then = standings_then(database, slos, revisions, end)
    months = [
        _month(database, slo, start, end, revisions=revisions.get(slo.id, ()), incidents=incidents.get(slo.id, ()))
        for slo in slos
    ]
    ends = zip(months, then, standings_at(database, slos, end), strict=True)
    return [replace(month, end_then=_end(by_then), end_today=_end(by_now)) for month, by_then, by_now in ends]


def report_answer(month: str, start: datetime, end: datetime, *, complete: bool, months: list[SloMonth]) -> m.SloReport:
    """Return what the API tells of *months*."""
    found = totals(months)
    mean = None if found.mean_duration is None else found.mean_duration.total_seconds()
    return m.SloReport(
        month=month,
        start=start,
        end=end,
        complete=complete,
        slos=[_answer(item) for item in months],
        totals=m.ReportTotals(
            objectives=found.objectives,
            met=found.met,
            missed=found.missed,
            without_data=found.without_data,
            pages=found.pages,
            tickets=found.tickets,
            mean_duration_s=mean,
        ),
    )


def _month(
    database: Database,
    slo: Slo,
    start: datetime,
    end: datetime,
    *,
    revisions: Sequence[Revision],
    incidents: Iterable[ReportedIncident],
) -> SloMonth:
    exclusions = maintenance_exclusions(database, slo, start, end)
    judged = judged_stretches(database, stretches(revisions, slo, start, end), exclusions)
    spenders, charged = _spenders(database, slo, start, end)
    today = judged_stretches(database, stretches((), slo, start, end), exclusions)
    return slo_month(
        slo,
        start,
        end,
        judged=judged,
        today=today,
        exclusions=(*exclusions, *slo.exclusions),
        first_minute=first_minute(database, slo),
        revisions=revisions,
        incidents=list(incidents),
        spenders=spenders,
        charged=charged,
    )


def _end(standing: Standing) -> EndOfMonth:
    return EndOfMonth(standing.evaluation.state, standing.evaluation.error_budget_remaining)


def _spenders(database: Database, slo: Slo, start: datetime, end: datetime) -> tuple[list[Spender] | None, int]:
    """Return who spent the budget, as far as the requests are stored still, and how many bad events that is."""
    if not isinstance(slo.indicator, SpanIndicator):
        return None, 0
    found = blame(database, slo.indicator, start=start, end=end)
    if not found.shares:
        return None, 0
    return [Spender(share.service, share.operation, float(share.share)) for share in found.shares], found.bad


def _incidents(database: Database, start: datetime, end: datetime) -> Mapping[str, list[ReportedIncident]]:
    """Return the alerts that fired or were firing in [start, end), by objective."""
    fired: dict[str, Transition] = {}
    last: dict[str, Transition] = {}
    for transition in readable(transitions(database, since=start - LONGEST)):
        last[transition.alert_id] = transition
        if transition.state == "firing" and transition.changes_state:
            fired[transition.alert_id] = transition
    found: dict[str, list[ReportedIncident]] = {}
    for alert_id, began in fired.items():
        over = last[alert_id].resolved_at
        if began.at < end and (over is None or over > start):
            incident = ReportedIncident(alert_id, began.severity, began.at, over, began.summary)
            found.setdefault(began.slo_id, []).append(incident)
    return found


def _answer(month: SloMonth) -> m.ReportSlo:
    slo = month.slo
    return m.ReportSlo(
        id=slo.id,
        name=slo.name,
        service=slo.service,
        environment=slo.environment,
        draft=slo.draft,
        target=str(slo.target),
        window=str(slo.window),
        judged=_figures(month.judged),
        today=_figures(month.today),
        judged_in_full=None if month.judged_in_full is None else _figures(month.judged_in_full),
        today_in_full=None if month.today_in_full is None else _figures(month.today_in_full),
        excluded_s=month.excluded.total_seconds(),
        coverage=month.coverage,
        nines=month.nines,
        incidents=[_incident(incident) for incident in month.incidents],
        changes=[m.ReportChange.model_validate(change, from_attributes=True) for change in month.changes],
        spenders=None
        if month.spenders is None
        else [m.ReportSpender.model_validate(spender, from_attributes=True) for spender in month.spenders],
        charged=month.charged,
        end_then=m.ReportEnd.model_validate(month.end_then, from_attributes=True),
        end_today=m.ReportEnd.model_validate(month.end_today, from_attributes=True),
    )


def _figures(figures: Figures) -> m.ReportFigures:
    counts = figures.counts
    return m.ReportFigures(
        good=counts.good,
        bad=counts.bad,
        total=counts.total,
        sli=figures.sli,
        error_budget_remaining=figures.error_budget_remaining,
        met=figures.met,
    )


def _incident(incident: ReportedIncident) -> m.ReportIncident:
    return m.ReportIncident(
        alert_id=incident.alert_id,
        severity=incident.severity,
        start=incident.start,
        end=incident.end,
        duration_s=None if incident.end is None else (incident.end - incident.start).total_seconds(),
        summary=incident.summary,
    )
