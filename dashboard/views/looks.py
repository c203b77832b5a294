"""How states, severities and verdicts look: the same icon, word and colour on every page."""

from datetime import datetime, timedelta

from api import models as m
from dashboard.views.markup import Look, Markup, chip, flag, join
from dashboard.views.units import MISSING

SLO_STATES: dict[m.SloState, Look] = {
    "exhausted": Look("✕", "Exhausted", "bad"),
    "burning": Look("◆", "Burning", "bad"),
    "at_risk": Look("▲", "At risk", "warn"),
    "no_data": Look("?", "No data", "none"),
    "no_traffic": Look(MISSING, "No traffic", "none"),
    "ok": Look("✓", "OK", "good"),
}
# worst first: the order of the entries above
SLO_RANK: dict[m.SloState, int] = {state: rank for rank, state in enumerate(SLO_STATES)}

ALERT_STATES: dict[m.AlertState, Look] = {
    "firing": Look("●", "Firing", "bad"),
    "pending": Look("◔", "Pending", "warn"),
    "resolved": Look("✓", "Resolved", "good"),
}

VERDICTS: dict[m.Verdict, Look] = {
    "held": Look("✓", "Held", "good"),
    "deviated": Look("✕", "Deviated", "bad"),
    "inconclusive": Look("?", "Inconclusive", "warn"),
    "not_injected": Look("∅", "Not injected", "none"),
    "aborted": Look("■", "Aborted", "warn"),
}

RUN_STATES: dict[m.RunStatus, Look] = {
    "running": Look("▶", "Running", "info"),
    "finished": Look("✓", "Finished", "good"),
    "aborted": Look("■", "Aborted", "warn"),
    "failed": Look("∅", "Not run", "none"),
}

SERVICE_WITHOUT_SLO = Look(MISSING, "No SLO", "none")
_HEARTBEAT_LIMIT = timedelta(seconds=30)


def slo(state: m.SloState) -> Markup:
    return chip(SLO_STATES[state])


def slo_flags(item: m.Slo) -> Markup:
    """Return the marks that say how far the numbers can be trusted."""
    marks = []
    if item.draft:
        marks.append(flag("draft", "Made from the traffic seen; adopt it to keep and change it"))
    if item.provisional:
        days = (item.elapsed_s or item.period_s) / 86400
        covered = f"{item.coverage * days:.1f} of {days:.4g} d"
        marks.append(flag(f"provisional, {covered}", f"Data covers {covered} of the window"))
    if item.low_confidence:
        marks.append(flag("low confidence", "Too few events for a firm statement"))
    return join(marks, " ")


def alert(state: m.AlertState) -> Markup:
    return chip(ALERT_STATES[state])


def run_status(run: m.Run | m.RunSummary, now: datetime) -> m.RunStatus:
    """Return the run's state; a run that stopped reporting is aborted."""
    silent = now - run.heartbeat_at > _HEARTBEAT_LIMIT
    return "aborted" if run.status == "running" and silent else run.status


def run(item: m.Run | m.RunSummary, now: datetime) -> Markup:
    """Return the run's verdict, or its state while there is none."""
    if item.verdict is not None:
        return chip(VERDICTS[item.verdict])
    return chip(RUN_STATES[run_status(item, now)])
