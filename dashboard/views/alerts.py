"""Alerts: the list, and why one fired in plain words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api import models as m
from dashboard.views import looks, slos, traces, units
from dashboard.views.markup import (
    Column,
    Markup,
    facts,
    flag,
    grid,
    join,
    lines,
    link,
    muted,
    page_href,
    strong,
    table,
    tag,
    tile,
)

_COLUMNS = (
    Column("State"),
    Column("Alert"),
    Column("Severity"),
    Column("Started"),
    Column("Lasted"),
    Column("Who has it"),
    Column("Evidence"),
)
_STATE_RANK = {"firing": 0, "pending": 1, "resolved": 2}
_SEVERITY_RANK = {"page": 0, "ticket": 1}
CHOICES = ("All", "Firing", "Pending", "Silenced", "Resolved")


def chosen(alerts: Sequence[m.Alert], choice: str) -> list[m.Alert]:
    """Return those that *choice*, one of `CHOICES`, asks for; silenced ones are told apart from firing ones."""
    if choice == "Silenced":
        return [item for item in alerts if item.state != "resolved" and item.silenced_by]
    if choice in ("Firing", "Pending"):
        return [item for item in alerts if item.state == choice.lower() and not item.silenced_by]
    return [item for item in alerts if choice == "All" or item.state == choice.lower()]


def tiles(alerts: Sequence[m.Alert], incidents: Sequence[m.Incident]) -> Markup:
    """Return what is the matter now, in numbers."""
    firing = chosen(alerts, "Firing")
    pages = sum(item.severity == "page" for item in firing)
    alone = sum(item.severity == "page" and not item.acknowledgements for item in firing)
    silenced = len(chosen(alerts, "Silenced"))
    going_on = sum(item.state == "firing" for item in incidents)
    return grid(
        [
            tile("Pages firing", str(pages), f"{alone} that nobody has taken on", "bad" if pages else "good"),
            tile("Tickets firing", str(len(firing) - pages), "", "warn" if len(firing) > pages else "good"),
            tile("Silenced", str(silenced), "fire, and nobody is told", "info" if silenced else "none"),
            tile("Incidents going on", str(going_on), "", "bad" if going_on else "good"),
        ]
    )


def worst_first(alerts: Sequence[m.Alert]) -> list[m.Alert]:
    """Return firing before pending before resolved, pages before tickets, newest first."""
    return sorted(
        alerts,
        key=lambda item: (
            _STATE_RANK[item.state],
            _SEVERITY_RANK[item.severity],
            -item.started_at.timestamp(),
            item.id,
        ),
    )


def href(alert_id: str) -> str:
    return page_href("alert", id=alert_id)


def listing(alerts: Sequence[m.Alert], now: datetime) -> Markup:
    """Return the table of alerts, worst first."""
    rows = [
        (
            lines(looks.alert(item.state), marks(item)),
            lines(link(href(item.id), item.summary or item.slo_id), muted(place(item))),
            item.severity,
            lines(
                units.ago(item.started_at, now), tag("span", units.instant(item.started_at), css="nl-muted nl-whole")
            ),
            lines(*_length(item, now)),
            holder(item, now),
            worst_trace(item),
        )
        for item in worst_first(alerts)
    ]
    return table(_COLUMNS, rows, caption="Alerts, worst first")


def place(item: m.Alert) -> str:
    """Return whom it concerns: the service and its environment, as far as there are."""
    return " · ".join(part for part in (item.service, item.environment) if part) or item.rule


def marks(item: m.Alert) -> Markup:
    """Return what keeps an alert from being told, and that it comes and goes."""
    found = []
    if item.silenced_by and item.state != "resolved":
        found.append(flag("silenced", f"By {', '.join(item.silenced_by)}"))
    if item.inhibited:
        found.append(flag("inhibited", "A page of the same objective fires; this is told when that ends"))
    if item.flapping:
        found.append(flag("flapping", "It came and went several times within an hour"))
    return join(found, " ")


def lasted(item: m.Alert, now: datetime) -> str:
    """Return how long the alert has been, or was, on."""
    return " ".join(_length(item, now))


def _length(item: m.Alert, now: datetime) -> list[str]:
    length = units.length(((item.resolved_at or now) - item.started_at).total_seconds())
    return [length] if item.resolved_at else [length, "so far"]


def holder(item: m.Alert, now: datetime) -> Markup:
    """Return who took it on last."""
    if item.acknowledgements:
        last = item.acknowledgements[-1]
        return lines(last.author, muted(units.ago(last.at, now)))
    return muted(units.MISSING if item.state == "resolved" else "nobody yet")


def worst_trace(item: m.Alert) -> Markup:
    """Return the link to the first exemplar."""
    if not item.exemplar_trace_ids:
        return muted("no trace kept")
    return link(traces.href(item.exemplar_trace_ids[0]), "Worst trace", css="nl-whole")


def headline(item: m.Alert, now: datetime) -> Markup:
    """Return what fired, where and when."""
    service = page_href("service", name=item.service, environment=item.environment)
    pairs: list[tuple[str, str]] = [
        ("State", join([looks.alert(item.state), marks(item)], " ")),
        ("Severity", item.severity),
        ("SLO" if item.slo_id else "Rule", link(slos.href(item.slo_id), item.slo_id) if item.slo_id else item.rule),
        ("Service", link(service, item.service) if item.service else units.MISSING),
        ("Environment", item.environment or units.MISSING),
        ("Started", f"{units.instant(item.started_at)} ({units.ago(item.started_at, now)})"),
        ("Resolved", units.instant(item.resolved_at) if item.resolved_at else "not yet"),
        ("Lasted", lasted(item, now)),
        ("Who has it", holder(item, now)),
        ("Delivered", "yes" if item.delivered else "no"),
    ]
    if item.runbook:
        pairs.append(("Runbook", runbook(item.runbook)))
    return facts(pairs)


def runbook(text: str) -> Markup:
    """Return a runbook as a link where it is a web address, which opens beside the dashboard; else as text."""
    if not text.startswith(("https://", "http://")):
        return Markup(tag("span", text))
    return tag("a", "Open the runbook", href=text, target="_blank", rel="noopener noreferrer")


def summary(item: m.AlertRecord) -> Markup:
    """Return what is wrong in one sentence, and why as far as it is known: what a person woken up reads first."""
    first = tag("p", strong(item.summary or item.slo_id))
    more = "" if item.evidence is None else item.evidence.summary.removeprefix(item.summary).lstrip(". ")
    return join([first, tag("p", more)]) if more else first


def why(item: m.Alert, slo: m.Slo | None) -> Markup:
    """Return what was compared, and what the burn rates of the SLO mean now."""
    parts = [conditions(item.details), measurement(item.details)]
    if slo is not None:
        allowed = units.percent(1 - slo.objective, 3)
        parts.append(
            tag(
                "p",
                f"The objective is {units.objective(slo.objective)} of {slo.promise} over "
                f"{units.window_name(slo.window)}, so {allowed} may be bad. A burn rate of 1x spends exactly the "
                f"whole budget in {units.window_name(slo.window)}; the rates now:",
            )
        )
        parts.append(slos.burn_table(slo))
        parts.append(tag("p", "Budget left: ", slos.budget_text(slo.error_budget_remaining)))
    return join(parts)


def exemplars(item: m.AlertRecord) -> Markup:
    """Return the kept traces, worst first, each opening at the span that is to blame."""
    if item.evidence is not None and item.evidence.traces:
        columns = (Column("Trace"), Column("Guilty span"), Column("Took", numeric=True), Column("When"))
        rows = [
            (
                lines(
                    link(traces.href(found.trace_id, found.guilty_span_id), f"Trace {found.trace_id[:16]}"),
                    muted(found.route),
                ),
                lines(found.guilty_operation, muted(found.guilty_service)),
                lines(units.duration(found.duration_ms), muted("failed") if found.error else ""),
                units.instant(found.started_at),
            )
            for found in item.evidence.traces
        ]
        return table(columns, rows, caption="Traces of bad requests, worst first")
    if not item.exemplar_trace_ids:
        return muted("No trace was kept for this alert.")
    links = [tag("li", link(traces.href(each), f"Trace {each[:16]}")) for each in item.exemplar_trace_ids]
    return tag("ol", *links, css="nl-list")


def conditions(details: Mapping[str, Any]) -> Markup:
    """Return what was compared when the alert changed its state: a long and a short window, and the limit."""
    given = details.get("conditions")
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        return Markup("")
    rows = [
        (
            "✓ met" if item.get("met") else "not met",
            f"over {units.burn(_number(item.get('factor')))}",
            _window(item.get("long")),
            _window(item.get("short")),
        )
        for item in given
    ]
    columns = (Column("Condition"), Column("Burn rate"), Column("Long window"), Column("Short window"))
    return table(columns, rows, caption="Conditions of the alert") if rows else Markup("")


def _window(value: Any) -> Markup:
    if not isinstance(value, Mapping):
        return muted("no data")
    bad, total = units.count(value.get("bad")), units.count(value.get("total"))
    first = f"{units.burn(_number(value.get('burn_rate')))} over {units.window_name(str(value.get('window')))}"
    return lines(first, muted(f"{bad} bad of {total}"))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def measurement(details: Mapping[str, Any]) -> Markup:
    """Return what a rule over a metric saw."""
    given = details.get("measurement")
    if not isinstance(given, Mapping):
        return Markup("")
    unit = str(given.get("unit") or "")
    seen, limit = (_amount(_number(given.get(name)), unit) for name in ("value", "limit"))
    condition = f"{given.get('operator')} {limit}"
    return facts([("Metric", str(given.get("metric"))), ("Seen", seen), ("Alerts when", condition)])


def _amount(value: float | None, unit: str) -> str:
    return units.MISSING if value is None else f"{value:,.6g} {unit}".strip()
