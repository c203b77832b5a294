"""What a run did beyond its verdict: budgets, callers, caches, alerts, traces, and whether it can be trusted."""

from collections.abc import Mapping, Sequence

from api import models as m
from dashboard.views import alerts, slos, texts, traces, units
from dashboard.views.markup import Column, Look, Markup, chip, facts, join, lines, link, muted, table, tag
from dashboard.views.run_verdict import points

MOST = 100
_OK = Look("✓", "OK", "good")
_FAILED = Look("✕", "Failed", "bad")
_NOTE = Look("▲", "Note", "warn")


def checks(items: Sequence[m.RunCheck], caption: str) -> Markup:
    """Return each check with its sign and its reason."""
    columns = (Column("Result"), Column("Check"), Column("Reason"))
    rows = [
        (
            chip(_OK if item.ok else _FAILED if item.blocks else _NOTE),
            texts.name(item.name),
            texts.name(item.detail, texts.MESSAGE),
        )
        for item in items[:MOST]
    ]
    return table(columns, rows, caption=caption)


def budget(items: Sequence[m.BudgetCost]) -> Markup:
    """Return what the fault and what others took from each budget, beside what was predicted."""
    columns = (
        Column("Objective"),
        Column("By the fault", numeric=True),
        Column("Predicted", numeric=True),
        Column("By others", numeric=True),
        Column("Bad events", numeric=True),
    )
    rows = [
        (
            link(slos.href(item.slo_id), texts.name(item.slo_id)),
            lines(units.percent(item.chaos_share), muted(f"{events(item.chaos_bad)} events")),
            units.percent(item.predicted_share),
            lines(units.percent(item.organic_share), muted(f"{events(item.organic_bad)} events")),
            lines(units.count(item.bad), muted(f"of {units.count(item.total)}")),
        )
        for item in items[:MOST]
    ]
    return table(columns, rows, caption="Shares of each error budget that the run took")


def events(amount: float) -> str:
    """Return a number of events, which may be an expectation.

    >>> events(990.0), events(39.64), events(0.01)
    ('990', '39.6', '<0.1')
    """
    if amount.is_integer():
        return units.count(int(amount))
    return "<0.1" if 0 < amount < 0.1 else f"{amount:,.1f}"


def propagation(items: Sequence[m.EdgeEffect], run: m.Run) -> Markup:
    """Return how the calls between services differed."""
    sides = ("without", "with") if run.comparison == "before/after" else ("control", "treatment")
    columns = (
        Column("Call"),
        Column(f"Failed, {sides[0]}", numeric=True),
        Column(f"Failed, {sides[1]}", numeric=True),
        Column("p95", numeric=True),
        Column("Calls a request", numeric=True),
        Column("What it means"),
    )
    rows = [
        (
            lines(join([texts.name(item.client, 60), " →"]), texts.name(item.server, 60)),
            _failed(item.control_errors, item.control_calls),
            lines(_failed(item.treatment_errors, item.treatment_calls), muted(_difference(item))),
            lines(f"{units.duration(item.control_p95_ms)} →", units.duration(item.treatment_p95_ms)),
            f"{_each(item.calls_per_request_control)} → {_each(item.calls_per_request_treatment)}",
            texts.name(item.note) if item.note else muted("no remark"),
        )
        for item in items[:MOST]
    ]
    return table(columns, rows, caption="Calls between services, without and with the fault")


def _failed(errors: int, calls: int) -> Markup:
    return lines(units.percent(errors / calls) if calls else muted("no calls"), muted(f"of {units.count(calls)}"))


def _difference(item: m.EdgeEffect) -> str:
    low, high = item.error_difference_low, item.error_difference_high
    return "" if low is None or high is None else f"CI {points(low)} to {points(high)}"


def _each(calls: float | None) -> str:
    return units.MISSING if calls is None else f"{calls:.2f}"


def caches(items: Sequence[m.CacheEffect]) -> Markup:
    """Return the hit ratio of each cache without and with the fault."""
    columns = (
        Column("Cache"),
        Column("Hits without", numeric=True),
        Column("Hits with", numeric=True),
        Column("Difference", numeric=True),
    )
    rows = [
        (
            lines(texts.name(item.cache), muted(texts.shortened(item.service, 60))),
            units.percent(item.control_ratio),
            units.percent(item.treatment_ratio),
            points(_less(item)),
        )
        for item in items[:MOST]
    ]
    return table(columns, rows, caption="Hit ratio of caches, without and with the fault")


def _less(item: m.CacheEffect) -> float | None:
    if item.control_ratio is None or item.treatment_ratio is None:
        return None
    return item.treatment_ratio - item.control_ratio


def expected_alerts(items: Sequence[m.ExpectedAlert]) -> Markup:
    """Return which alerts should have come, which came, and how fast."""
    columns = (Column("Result"), Column("Alert"), Column("Fired"), Column("Expected"))
    rows = [
        (
            chip(_alert_look(item)),
            link(alerts.href(item.alert_id), texts.name(item.alert)) if item.alert_id else texts.name(item.alert),
            f"{units.length(item.after_s)} after the fault"
            if item.fired and item.after_s is not None
            else _fired(item),
            _limit(item),
        )
        for item in items[:MOST]
    ]
    return table(columns, rows, caption="Alerts, expected and unexpected")


def _fired(item: m.ExpectedAlert) -> str:
    return "yes" if item.fired else "no"


def _limit(item: m.ExpectedAlert) -> str:
    if not item.expected:
        return "no"
    return "yes" if item.within_s is None else f"within {units.length(item.within_s)}"


def _alert_look(item: m.ExpectedAlert) -> Look:
    if not item.expected:
        return Look("▲", "Unexpected", "warn") if item.fired else Look("✓", "Quiet", "good")
    if not item.fired:
        return Look("✕", "Did not fire", "bad")
    late = item.within_s is not None and item.after_s is not None and item.after_s > item.within_s
    return Look("✕", "Too late", "bad") if late else Look("✓", "As expected", "good")


def recovery(run: m.Run) -> str:
    """Return how long the services needed after the fault, "" where nobody measured it."""
    after_s = run.outcome.recovered_after_s if run.outcome else None
    return "" if after_s is None else f"Back within the margin {units.length(after_s)} after the fault ended."


def exemplars(found: Mapping[str, Sequence[str]]) -> Markup:
    """Return links to the worst traces of each side."""
    parts = []
    for arm, ids in list(found.items())[:8]:
        items = [tag("li", link(traces.href(each), f"Trace {texts.shortened(each)[:16]}")) for each in ids[:10]]
        parts.append(tag("div", tag("h4", texts.name(arm, 40)), tag("ol", *items, css="nl-list")))
    return tag("div", *parts, css="nl-facts")


def versions(found: Mapping[str, Sequence[str]]) -> Markup:
    """Return which versions served while it ran."""
    return facts([(texts.shortened(service, 60), texts.names(names)) for service, names in list(found.items())[:20]])
