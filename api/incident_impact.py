"""What an incident cost: the exact events of its objectives, and the share of their budgets."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from alerts.evidence import Evidence
from alerts.incident import Incident
from alerts.postmortem import Impact
from api.context import Context
from slo.budgeting import Occurrences
from slo.exclusion import whole_minutes
from slo.model import EventCounts, Slo
from slo.window import RollingWindow
from storage.sli_sums import event_sums


def impacts(ctx: Context, incident: Incident, evidence: Iterable[Evidence], now: datetime) -> list[Impact]:
    """Return the impact of *incident* on each of its objectives that is in force still, in the order of its alerts.

    It is counted from where the evidence begins to look, without any from when the first condition was met, to the
    end, or to *now*.
    """
    slos = ctx.catalog.load(ctx.database, now).slos
    affected = dict.fromkeys(alert.slo_id for alert in incident.alerts if alert.slo_id in slos)
    begin = min([incident.began_at, *(each.start for each in evidence)])
    start, end = whole_minutes(begin, incident.resolved_at or now)
    return [_impact(ctx, slos[slo_id], start.astimezone(UTC), end.astimezone(UTC)) for slo_id in affected]


def _impact(ctx: Context, slo: Slo, start: datetime, end: datetime) -> Impact:
    window = end - slo.window.nominal if isinstance(slo.window, RollingWindow) else start
    sums = event_sums(ctx.database, [slo.indicator.series_id], {window, start, end})[slo.indicator.series_id]
    found = sums.between(start, end)
    spent = _spent(slo, found, sums.between(window, end))
    return Impact(slo.id, slo.name, start, end, found.bad, found.total, None if spent is None else float(spent))


def _spent(slo: Slo, found: EventCounts, window: EventCounts) -> Fraction | None:
    """Return bad / ((1 - target) * total of the window that ends with the incident).

    None where the budget is not of events in a rolling window, or there were none.
    """
    if not (isinstance(slo.budgeting, Occurrences) and isinstance(slo.window, RollingWindow) and window.total):
        return None
    return found.bad / (Fraction(Decimal(1) - slo.target) * window.total)
