"""Alerts: the list, and why one fired in plain words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api import models as m
from dashboard.views import looks, slos, traces, units
from dashboard.views.markup import Column, Markup, facts, join, lines, link, muted, page_href, strong, table, tag

_COLUMNS = (
    Column("State"),
    Column("Alert"),
    Column("Severity"),
    Column("Started"),
    Column("Lasted"),
    Column("Evidence"),
)
# said by the headline, the reason, the conditions and the list of traces
_SHOWN_ELSEWHERE = {
    "alert_name",
    "conditions",
    "error_budget_remaining",
    "exemplar_trace_ids",
    "slo_name",
    "slo_window",
    "target",
    "threshold_ms",
}
_STATE_RANK = {"firing": 0, "pending": 1, "resolved": 2}
_SEVERITY_RANK = {"page": 0, "ticket": 1}


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
            looks.alert(item.state),
            lines(link(href(item.id), item.summary or item.slo_id), muted(f"{item.service} · {item.environment}")),
            item.severity,
            lines(units.ago(item.started_at, now), muted(units.instant(item.started_at))),
            lasted(item, now),
            worst_trace(item),
        )
        for item in worst_first(alerts)
    ]
    return table(_COLUMNS, rows, caption="Alerts, worst first")


def lasted(item: m.Alert, now: datetime) -> str:
    """Return how long the alert has been, or was, on."""
    length = units.length(((item.resolved_at or now) - item.started_at).total_seconds())
    return length if item.resolved_at else f"{length} so far"


def worst_trace(item: m.Alert) -> Markup:
    """Return the link to the first exemplar."""
    if not item.exemplar_trace_ids:
        return muted("no trace kept")
    return link(traces.href(item.exemplar_trace_ids[0]), "Worst trace")


def headline(item: m.Alert, now: datetime) -> Markup:
    """Return what fired, where and when."""
    return facts(
        [
            ("State", looks.alert(item.state)),
            ("Severity", item.severity),
            ("SLO", link(slos.href(item.slo_id), item.slo_id)),
            ("Service", link(page_href("service", name=item.service, environment=item.environment), item.service)),
            ("Environment", item.environment or units.MISSING),
            ("Started", f"{units.instant(item.started_at)} ({units.ago(item.started_at, now)})"),
            ("Resolved", units.instant(item.resolved_at) if item.resolved_at else "not yet"),
            ("Lasted", lasted(item, now)),
            ("Delivered", "yes" if item.delivered else "no"),
        ]
    )


def summary(item: m.Alert) -> Markup:
    """Return what is wrong in one sentence: what a person woken up reads first."""
    return tag("p", strong(item.summary or item.slo_id))


def why(item: m.Alert, slo: m.Slo | None) -> Markup:
    """Return what was compared, and what the burn rates of the SLO mean now."""
    parts = [conditions(item.details)]
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


def exemplars(item: m.Alert) -> Markup:
    """Return the links to the kept traces, worst first."""
    if not item.exemplar_trace_ids:
        return muted("No trace was kept for this alert.")
    rows = [
        tag("li", link(traces.href(trace_id), f"Trace {trace_id[:16]}"), " ", muted("worst" if place == 0 else ""))
        for place, trace_id in enumerate(item.exemplar_trace_ids)
    ]
    return tag("ol", *rows, css="nl-list")


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


def evidence(details: Mapping[str, Any]) -> Markup:
    """Return the rest of the evidence, whatever its form: nested lists of objects become tables."""
    rest = {name: value for name, value in details.items() if name not in _SHOWN_ELSEWHERE}
    return join(_entry(name, value) for name, value in rest.items() if value not in (None, [], {}, ""))


def words(name: str) -> str:
    """Return a field's name as words, with its unit after a comma.

    >>> words("burn_rate"), words("duration_ms")
    ('Burn rate', 'Duration, ms')
    """
    stem, _, unit = name.rpartition("_")
    text = f"{stem}, {unit}" if stem and unit in ("ms", "s") else name
    return text[:1].upper() + text[1:].replace("_", " ")


def _entry(name: str, value: Any) -> Markup:
    return tag("div", tag("h4", words(name)), _value(value), css="nl-evidence")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return facts((words(str(key)), _value(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return units.count(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return units.MISSING if value is None else str(value)


def _list(values: list[Any]) -> Markup:
    if not all(isinstance(value, Mapping) for value in values):
        return tag("ul", *(tag("li", _value(value)) for value in values), css="nl-list")
    names = list(dict.fromkeys(key for value in values for key in value))
    columns = [Column(words(name)) for name in names]
    return table(columns, [[_value(value.get(name)) for name in names] for value in values], caption="Evidence")
