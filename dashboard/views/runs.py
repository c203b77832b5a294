"""Chaos runs: the list, and what one run proved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api import models as m
from dashboard.views import looks, units
from dashboard.views.markup import Column, Markup, chip, facts, join, lines, link, muted, page_href, table, tag

_COLUMNS = (
    Column("Verdict"),
    Column("Experiment"),
    Column("Fault"),
    Column("Services"),
    Column("Started"),
    Column("Took"),
)
_FINDING_COLUMNS = (
    Column("Verdict"),
    Column("Hypothesis"),
    Column("Control", numeric=True),
    Column("Treatment", numeric=True),
    Column("Difference", numeric=True),
    Column("Margin", numeric=True),
    Column("p95", numeric=True),
    Column("Reason"),
)


def newest_first(runs: Sequence[m.Run], now: datetime) -> list[m.Run]:
    """Return running ones first, then the newest."""
    return sorted(runs, key=lambda item: (looks.run_status(item, now) != "running", -item.started_at.timestamp()))


def href(run_id: str) -> str:
    return page_href("run", id=run_id)


def listing(runs: Sequence[m.Run], now: datetime) -> Markup:
    """Return the table of runs."""
    rows = [
        (
            looks.run(item, now),
            lines(link(href(item.id), item.title or item.experiment), muted(item.experiment)),
            method(item.method),
            ", ".join(item.services) or units.MISSING,
            lines(units.ago(item.started_at, now), muted(units.instant(item.started_at))),
            took(item, now),
        )
        for item in newest_first(runs, now)
    ]
    return table(_COLUMNS, rows, caption="Chaos runs, newest first")


def took(item: m.Run, now: datetime) -> str:
    if item.ended_at is not None:
        return units.length((item.ended_at - item.started_at).total_seconds())
    if looks.run_status(item, now) == "running":
        return f"{units.length((now - item.started_at).total_seconds())} so far"
    return units.MISSING


def method(faults: Sequence[dict[str, Any]]) -> str:
    """Return what is broken, one fault after the other."""
    return "; ".join(map(fault, faults)) or units.MISSING


def fault(settings: dict[str, Any]) -> str:
    """Return a fault as "kind, name value, …".

    >>> fault({"kind": "latency", "latency_ms": 300})
    'latency, latency_ms 300'
    """
    kind = str(settings.get("kind") or settings.get("type") or "")
    rest = [f"{name} {value}" for name, value in settings.items() if name not in ("kind", "type")]
    return ", ".join(part for part in (kind, *rest) if part) or units.MISSING


def headline(item: m.Run, now: datetime) -> Markup:
    """Return what ran, on what, when and with which outcome."""
    verdict = chip(looks.VERDICTS[item.verdict]) if item.verdict else muted("none yet")
    return facts(
        [
            ("Verdict", verdict),
            ("State", chip(looks.RUN_STATES[looks.run_status(item, now)])),
            ("Experiment", item.experiment),
            ("Fault", method(item.method)),
            ("Compared", item.comparison),
            ("Services", ", ".join(item.services) or units.MISSING),
            ("Environment", item.environment or units.MISSING),
            ("Started", units.instant(item.started_at)),
            ("Ended", units.instant(item.ended_at) if item.ended_at else "not yet"),
            ("Took", took(item, now)),
        ]
    )


def findings(items: Sequence[m.Finding]) -> Markup:
    """Return one row a line of the hypothesis: control beside treatment, the interval and the margin."""
    rows = [
        (
            chip(looks.VERDICTS[item.verdict]),
            lines(item.hypothesis, muted(f"{item.service} · {item.sli}")),
            _arm(item.control_bad, item.control_total),
            _arm(item.treatment_bad, item.treatment_total),
            lines(points(item.difference), muted(interval(item))),
            points(item.margin),
            lines(f"{units.duration(item.control_p95_ms)} →", units.duration(item.treatment_p95_ms)),
            item.reason,
        )
        for item in items
    ]
    return table(_FINDING_COLUMNS, rows, caption="Findings: control against treatment")


def points(ratio: float | None) -> str:
    """Return a difference of two ratios in percentage points, with its sign.

    >>> points(0.0412), points(-0.1)
    ('+4.12 pp', '-10.00 pp')
    """
    if ratio is None:
        return units.MISSING
    return f"{ratio * 100:+.2f} pp"


def interval(item: m.Finding) -> str:
    """Return the confidence interval of the difference."""
    if item.interval_low is None or item.interval_high is None:
        return "no interval"
    return f"{units.objective(item.confidence)} CI {points(item.interval_low)} to {points(item.interval_high)}"


def windows(items: Sequence[m.RunWindow]) -> Markup:
    """Return the phases of a run."""
    columns = (Column("Phase"), Column("From"), Column("To"), Column("Length", numeric=True))
    rows = [
        (
            item.phase,
            units.instant(item.started_at),
            units.instant(item.ended_at),
            units.length((item.ended_at - item.started_at).total_seconds()),
        )
        for item in items
    ]
    return table(columns, rows, caption="Windows of the run")


def timeline(item: m.Run) -> Markup:
    """Return the phases as blocks in proportion to their lengths, "" when there are none."""
    if not item.windows:
        return Markup("")
    start = min(window.started_at for window in item.windows)
    whole = (max(window.ended_at for window in item.windows) - start).total_seconds() or 1.0
    blocks = [_block(window, start, whole) for window in item.windows]
    return tag("div", *blocks, css="nl-timeline", role="img", aria_label="Phases of the run")


def _block(window: m.RunWindow, start: datetime, whole_s: float) -> Markup:
    left = (window.started_at - start).total_seconds() / whole_s * 100
    width = (window.ended_at - window.started_at).total_seconds() / whole_s * 100
    tone = "fault" if window.phase == "fault" else "calm"
    return tag("span", window.phase, css=f"nl-phase nl-{tone}", style=f"left:{left:.2f}%;width:{width:.2f}%")


def _arm(bad: int, total: int) -> Markup:
    ratio = bad / total if total else None
    return lines(
        units.percent(ratio) if ratio is not None else muted("no data"),
        muted(f"{units.count(bad)} bad of {units.count(total)}"),
    )


def report(item: m.Run) -> Markup:
    """Return the whole outcome of a run, without its charts."""
    parts = [tag("p", item.summary)] if item.summary else []
    if item.windows:
        parts += [tag("h3", "Windows"), timeline(item), windows(item.windows)]
    parts += [tag("h3", "Findings")]
    parts += [findings(item.findings)] if item.findings else [tag("p", "No findings: the run was not judged.")]
    return join(parts)
