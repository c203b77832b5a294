"""The list of found traces."""

from collections.abc import Sequence
from datetime import datetime

from api import models as m
from dashboard.views import units
from dashboard.views.markup import Column, Markup, bar, lines, link, muted, page_href, table, tag

_COLUMNS = (
    Column("Started"),
    Column("Request"),
    Column("Duration"),
    Column("Spans", numeric=True),
    Column("Errors", numeric=True),
    Column("Services"),
)
_SHOWN_SERVICES = 4


def href(trace_id: str, span_id: str = "") -> str:
    return page_href("trace", trace=trace_id, span=span_id)


def listing(traces: Sequence[m.TraceSummary], now: datetime) -> Markup:
    """Return the table of traces in the order given, with bars in proportion to the slowest."""
    slowest = max((item.duration_ms for item in traces), default=0.0)
    rows = [
        (
            lines(units.ago(item.started_at, now), muted(units.instant(item.started_at))),
            lines(link(href(item.trace_id), item.name), muted(f"{item.service} · {item.trace_id[:16]}")),
            bar(item.duration_ms / slowest if slowest else 0.0, "info", units.duration(item.duration_ms)),
            units.count(item.spans),
            errors(item.errors),
            services(item.services),
        )
        for item in traces
    ]
    return table(_COLUMNS, rows, caption="Traces found")


def errors(amount: int) -> Markup:
    """Return the number of failed spans, marked by an icon where there are some."""
    return tag("span", f"✕ {units.count(amount)}", css="nl-text-bad") if amount else muted("0")


def services(names: Sequence[str]) -> str:
    """Return the first few names and how many more there are."""
    more = len(names) - _SHOWN_SERVICES
    shown = ", ".join(names[:_SHOWN_SERVICES])
    return f"{shown} and {more} more" if more > 0 else shown
