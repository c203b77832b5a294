"""What got slower or fails more of one service, in words and numbers."""

from api import models as m
from dashboard.views import units
from dashboard.views.markup import Column, Look, Markup, chip, lines, muted, table

_VERDICTS = {"worse": Look("◆", "Worse", "bad"), "better": Look("✓", "Better", "good")}
_MEASURES = {"errors": "fails", "latency": "is slow"}


def changed(found: m.ServiceRegressions) -> list[m.OperationChange]:
    """Return what surely changed, worse before better, each with the largest difference first."""
    items = [item for item in found.items if item.verdict in _VERDICTS]
    return sorted(items, key=lambda item: (item.verdict != "worse", -abs(item.difference or 0), item.operation))


def listing(found: m.ServiceRegressions) -> Markup:
    """Return the table of what surely changed."""
    columns = (
        Column("Verdict"),
        Column("Operation"),
        Column("Before", numeric=True),
        Column("After", numeric=True),
        Column("Difference, 95 % sure", numeric=True),
    )
    rows = [
        (
            chip(_VERDICTS[item.verdict]),
            lines(item.operation, muted(_MEASURES[item.measure])),
            _side(item.before, item.before_ms, item.requests_before),
            _side(item.after, item.after_ms, item.requests_after),
            _interval(item),
        )
        for item in changed(found)
    ]
    return table(columns, rows, caption="What got slower or fails more")


def _side(share: float | None, p95_ms: float | None, requests: int) -> Markup:
    measured = units.percent(share, 2) if p95_ms is None else f"p95 {units.duration(p95_ms)}"
    return lines(measured, muted(f"of {units.count(requests)}"))


def _interval(item: m.OperationChange) -> str:
    if item.low is None or item.high is None:
        return units.MISSING
    beyond = " beyond the faster p95" if item.measure == "latency" else ""
    return f"{item.low * 100:+.1f} to {item.high * 100:+.1f} points{beyond}"
