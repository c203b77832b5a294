"""The first screenful: is anything burning, and where."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from api import models as m
from dashboard.views import alerts as alert_views
from dashboard.views import looks, runs, slos, units
from dashboard.views.markup import Markup, Tone, chip, grid, join, link, muted, page_href, strong, tag, tile

MOST_SHOWN = 5
_QUIET_AFTER = timedelta(minutes=5)
_BURNING_FIRST = {"exhausted": 0, "burning": 1, "at_risk": 2}


def tiles(
    status: m.Status,
    slo_list: Sequence[m.Slo],
    alerts: Sequence[m.Alert],
    run_list: Sequence[m.RunSummary],
    now: datetime,
) -> Markup:
    """Return the five headline tiles."""
    return grid(
        [
            _exhausted(slo_list),
            _at_risk(slo_list),
            _firing(alerts),
            _ingest(status, now),
            _running(run_list, now),
        ]
    )


def _exhausted(items: Sequence[m.Slo]) -> Markup:
    amount = sum(1 for item in items if item.state == "exhausted")
    known = sum(1 for item in items if item.error_budget_remaining is not None)
    if not known:
        return tile("Exhausted budgets", units.MISSING, "no SLO has data yet", "none", "slos")
    tone: Tone = "bad" if amount else "good"
    return tile("Exhausted budgets", _marked(amount, "✕"), f"of {units.count(known)} SLOs with data", tone, "slos")


def _at_risk(items: Sequence[m.Slo]) -> Markup:
    known = sum(1 for item in items if item.error_budget_remaining is not None)
    if not known:
        return tile("At risk", units.MISSING, "no SLO has data yet", "none", "slos")
    burning = sum(1 for item in items if item.state == "burning")
    low = sum(1 for item in items if item.state == "at_risk")
    tone: Tone = "bad" if burning else "warn" if low else "good"
    note = f"{units.count(burning)} burning, {units.count(low)} under 25 % left"
    return tile("At risk", _marked(burning + low, "▲"), note, tone, "slos")


def _firing(alerts: Sequence[m.Alert]) -> Markup:
    firing = [item for item in alerts if item.state == "firing"]
    pages = sum(1 for item in firing if item.severity == "page")
    note = (
        f"{units.plural(pages, 'page')}, {units.plural(len(firing) - pages, 'ticket')}" if firing else "nothing fires"
    )
    tone: Tone = "bad" if firing else "good"
    return tile("Firing alerts", _marked(len(firing), "●"), note, tone, "alerts")


def _ingest(status: m.Status, now: datetime) -> Markup:
    failing = [item for item in status.ingest if item.last_error]
    dead = sum(item.dead_letters for item in status.ingest)
    newest = status.newest_span_at
    note = f"newest span {units.ago(newest, now)}, {units.count(status.spans_stored)} stored"
    if failing:
        return tile("Ingest", "✕ Failing", f"{failing[0].signal}: {failing[0].last_error}", "bad")
    if dead:
        return tile("Ingest", "▲ Dead letters", f"{units.count(dead)} requests set aside; {note}", "warn")
    if newest is None or now - newest > _QUIET_AFTER:
        return tile("Ingest", f"{units.MISSING} Quiet", note, "none")
    return tile("Ingest", "✓ OK", note, "good")


def _running(items: Sequence[m.RunSummary], now: datetime) -> Markup:
    running = [item for item in items if looks.run_status(item, now) == "running"]
    if not running:
        return tile("Running chaos", "0", "no experiment runs", "none", "chaos")
    first = running[0]
    return tile("Running chaos", f"▶ {len(running)}", first.title or first.experiment, "info", runs.href(first.id))


def _marked(amount: int, icon: str) -> str:
    return f"{icon} {units.count(amount)}" if amount else "✓ 0"


def attention(slo_list: Sequence[m.Slo], alerts: Sequence[m.Alert], now: datetime) -> Markup:
    """Return what needs attention, worst first, at most five lines, and how many more there are."""
    by_id = {item.id: item for item in slo_list}
    firing = [item for item in alert_views.worst_first(alerts) if item.state == "firing"]
    covered = {item.slo_id for item in firing}
    troubled = [item for item in slo_list if item.state in _BURNING_FIRST and item.id not in covered]
    troubled.sort(key=lambda item: (_BURNING_FIRST[item.state], item.error_budget_remaining or 0.0, item.id))
    rows = [_alert_line(item, by_id.get(item.slo_id), now) for item in firing]
    rows += [_slo_line(item) for item in troubled]
    if not rows:
        return _calm(slo_list)
    more = len(rows) - MOST_SHOWN
    rest = tag("p", link("slos", f"{units.count(more)} more on the SLOs page")) if more > 0 else ""
    return join([tag("ul", *rows[:MOST_SHOWN], css="nl-attention"), rest])


def _alert_line(item: m.Alert, slo: m.Slo | None, now: datetime) -> Markup:
    numbers = [f"for {alert_views.lasted(item, now).removesuffix(' so far')}", *(_numbers(slo) if slo else [])]
    return tag(
        "li",
        looks.alert(item.state),
        tag(
            "span",
            strong(item.summary or item.slo_id),
            " ",
            muted(f"{item.severity} · {item.environment}"),
            css="nl-grow",
        ),
        muted(" · ".join(numbers)),
        tag("span", alert_views.worst_trace(item), " · ", link(alert_views.href(item.id), "Alert"), css="nl-actions"),
    )


def _slo_line(item: m.Slo) -> Markup:
    traces = page_href("traces", service=item.service, errors="true" if item.kind == "availability" else "")
    name = link(slos.href(item.id), slos.title(item))
    return tag(
        "li",
        chip(looks.SLO_STATES[item.state]),
        tag("span", strong(name), " ", muted(item.environment), " ", looks.slo_flags(item), css="nl-grow"),
        muted(" · ".join(_numbers(item))),
        tag("span", link(traces, "Traces"), " · ", link(slos.href(item.id), "SLO"), css="nl-actions"),
    )


def _numbers(item: m.Slo) -> list[str]:
    seconds = slos.seconds_to_exhaustion(item)
    numbers = [
        f"burn {units.burn(item.burn_rates.get('1h'))} (1h)",
        f"budget {slos.budget_text(item.error_budget_remaining)}",
    ]
    return [*numbers, f"gone in {units.length(seconds)}"] if seconds is not None else numbers


def _calm(slo_list: Sequence[m.Slo]) -> Markup:
    known = [item for item in slo_list if item.error_budget_remaining is not None]
    if not known:
        return tag("p", "No SLO has data yet, so nothing can be said about budgets.")
    return tag("p", f"✓ Nothing: {units.plural(len(known), 'SLO')} with data in good standing, and no alert fires.")


def notices(status: m.Status) -> Markup:
    """Return broken SLO files and the server's own notices, "" when there are none."""
    broken = [
        tag("li", strong(item.file if item.line is None else f"{item.file}, line {item.line}"), ": ", item.reason)
        for item in status.slo_errors
    ]
    notes = [tag("li", text) for text in status.notices]
    if status.last_tick_error:
        notes.append(tag("li", strong("Evaluation failed: "), status.last_tick_error))
    parts = []
    if broken:
        files = "file is" if len(broken) == 1 else "files are"
        title = f"✕ {units.count(len(broken))} SLO {files} broken and not evaluated"
        parts.append(
            tag("div", strong(title), tag("ul", *broken, css="nl-list"), css="nl-notice nl-edge-bad", role="alert")
        )
    if notes:
        parts.append(tag("div", strong("▲ Notices"), tag("ul", *notes, css="nl-list"), css="nl-notice nl-edge-warn"))
    return join(parts)
