"""Incidents: alerts that belong together, and how long people took."""

from collections.abc import Sequence
from datetime import datetime

from api import models as m
from dashboard.views import alerts, looks, units
from dashboard.views.markup import Column, Markup, lines, link, muted, table, tag


def listing(incidents: Sequence[m.Incident], now: datetime) -> Markup:
    """Return the incidents, in the order given."""
    columns = (
        Column("State"),
        Column("Incident"),
        Column("Began"),
        Column("Detected after", numeric=True),
        Column("Taken on after", numeric=True),
        Column("Lasted", numeric=True),
        Column("Alerts"),
    )
    rows = [
        (
            looks.alert(item.state),
            lines(link(alerts.href(item.id), item.title), muted(f"{item.service} · {item.environment}")),
            lines(units.ago(item.began_at, now), muted(units.instant(item.began_at))),
            units.length(item.time_to_detect_s),
            seconds(item.time_to_acknowledge_s),
            _lasted(item, now),
            lines(
                f"{units.plural(item.pages, 'page')}, {units.plural(item.tickets, 'ticket')}",
                muted(units.plural(item.note_count, "note")) if item.note_count else "",
            ),
        )
        for item in incidents
    ]
    return table(columns, rows, caption="Incidents, newest first")


def metrics(found: Sequence[m.IncidentMetrics]) -> Markup:
    """Return the mean times of each service."""
    columns = (
        Column("Service"),
        Column("Incidents", numeric=True),
        Column("MTTD", numeric=True),
        Column("MTTA", numeric=True),
        Column("MTTR", numeric=True),
        Column("MTBF", numeric=True),
    )
    rows = [
        (
            lines(item.service, muted(item.environment)),
            units.count(item.incidents),
            *(seconds(value) for value in (item.mttd_s, item.mtta_s, item.mttr_s, item.mtbf_s)),
        )
        for item in found
    ]
    return table(columns, rows, caption="Mean times to detect, take on and resolve, and between incidents")


def notes(found: Sequence[m.IncidentNote]) -> Markup:
    """Return what people wrote, oldest first."""
    rows = [tag("li", lines(item.text, muted(f"{item.author}, {units.instant(item.at)}"))) for item in found]
    return tag("ul", *rows, css="nl-list")


def seconds(value: float | None) -> str:
    return units.MISSING if value is None else units.length(value)


def _lasted(item: m.Incident, now: datetime) -> str:
    length = units.length(((item.resolved_at or now) - item.began_at).total_seconds())
    return length if item.resolved_at else f"{length} so far"
