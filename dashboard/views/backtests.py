"""What an objective would have alerted on."""

from api import models as m
from dashboard.views import slos, units
from dashboard.views.markup import Column, Markup, facts, join, lines, muted, table


def result(found: m.Backtest) -> Markup:
    """Return a backtest's numbers, its alerts and the incidents that no alert told of."""
    days = (found.end - found.start).total_seconds() / 86400
    pairs = [
        ("Replayed", f"{units.objective(found.target)} over {found.window}, {days:g} days"),
        ("SLI", lines(slos.sli(found.sli), muted(f"{units.count(found.bad)} bad of {units.count(found.total)}"))),
        ("Pages a week", f"{found.pages_per_week:.1f} ({units.count(found.pages)} in all)"),
        ("Alerts that told of an incident", units.percent(found.precision, 0)),
        ("Incidents that an alert told of", units.percent(found.recall, 0)),
    ]
    if found.counted_from is not None and found.counted_from > found.start:
        pairs.append(("Counted from", units.instant(found.counted_from)))
    return join([facts(pairs), *(muted(warning) for warning in found.warnings), _alerts(found), _missed(found)])


def _alerts(found: m.Backtest) -> Markup:
    if not found.alerts:
        return muted("No alert would have been sent.")
    columns = (
        Column("Severity"),
        Column("Fired"),
        Column("Lasted", numeric=True),
        Column("Highest burn rate", numeric=True),
        Column("Budget spent", numeric=True),
        Column("Told of"),
    )
    rows = [
        (
            item.severity,
            lines(units.instant(item.fired_at), muted(item.summary)),
            units.length((item.resolved_at - item.fired_at).total_seconds()) if item.resolved_at else "to the end",
            units.burn(item.peak_burn_rate),
            units.percent(item.budget_spent, 1),
            ", ".join(item.incidents) or muted("no incident on record"),
        )
        for item in found.alerts
    ]
    return table(columns, rows, caption="Alerts that would have been sent")


def _missed(found: m.Backtest) -> Markup:
    if not found.missed:
        return Markup("")
    rows = [(item.title, units.instant(item.start), item.source) for item in found.missed]
    return table(
        (Column("Incident without an alert"), Column("Began"), Column("Known from")), rows, caption="Missed incidents"
    )
