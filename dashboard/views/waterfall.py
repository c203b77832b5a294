"""A trace as an indented table of spans with bars; the chosen span unfolds below its row."""

import json
from collections.abc import Mapping
from typing import Any

from api import models as m
from dashboard.views import units
from dashboard.views.markup import Markup, facts, join, lines, link, muted, page_href, strong, tag

MAX_ROWS = 1000
SERIES_COLORS = 8
# per cent of the track; beyond it a number does not fit to the right of its bar, not even on a phone
_TEXT_FITS_AFTER = 62.0


def visible(trace: m.Trace, selected: str, limit: int = MAX_ROWS) -> tuple[list[m.Span], int]:
    """Return at most *limit* spans, moved so that the chosen one is among them, and the first one's place."""
    place = next((index for index, span in enumerate(trace.spans) if span.span_id == selected), 0)
    first = 0 if place < limit else min(place - limit // 2, max(len(trace.spans) - limit, 0))
    return trace.spans[first : first + limit], first


def render(trace: m.Trace, selected: str = "", limit: int = MAX_ROWS) -> Markup:
    """Return the table of spans. Everything that came from outside is escaped."""
    spans, first = visible(trace, selected, limit)
    colors = {name: index % SERIES_COLORS for index, name in enumerate(trace.services)}
    # bars are laid out over what the spans really cover: a late child may end after its trace
    total = max([trace.duration_ms, *(span.offset_ms + span.duration_ms for span in trace.spans)], default=0.0)
    rows = [_row(span, total, colors.get(span.service, 0), span.span_id == selected) for span in spans]
    head = tag("tr", tag("th", "Span", scope="col"), tag("th", _scale(total), css="nl-scale-head", scope="col"))
    table = tag("table", tag("thead", head), tag("tbody", *rows), css="nl-table nl-waterfall")
    return join([_cut(trace, first, len(spans)), table])


def _cut(trace: m.Trace, first: int, shown: int) -> Markup:
    """Return what part is shown, with buttons that move on by choosing the span next to it; "" when all is."""
    if shown == len(trace.spans):
        return Markup("")
    after = first + shown
    before = _move("Spans before", trace.spans[first - 1]) if first else ""
    behind = _move("Spans after", trace.spans[after]) if after < len(trace.spans) else ""
    return tag("p", f"Showing spans {first + 1:,} to {after:,} of {len(trace.spans):,}. ", before, " ", behind)


def _move(text: str, span: m.Span) -> Markup:
    return tag("button", text, css="nl-move", type="button", data_select=span.span_id)


def headline(trace: m.Trace) -> Markup:
    """Return the trace's numbers."""
    root = trace.spans[0] if trace.spans else None
    return facts(
        [
            ("Request", f"{root.service} · {root.name}" if root else units.MISSING),
            ("Duration", units.duration(trace.duration_ms)),
            ("Spans", units.count(len(trace.spans))),
            ("Errors", units.count(trace.errors)),
            ("Services", ", ".join(trace.services) or units.MISSING),
            ("Started", units.instant(trace.started_at)),
            ("Trace", tag("code", trace.trace_id)),
        ]
    )


def first_error(trace: m.Trace) -> str:
    """Return the id of the deepest failed span of the first failing branch, "" without errors.

    Spans are in tree order, so the first failed span and the failed spans right below it are one chain; its
    last link is where the failure began.
    """
    found: m.Span | None = None
    for span in trace.spans:
        if found is not None and span.depth <= found.depth:
            break
        if span.error:
            found = span
    return found.span_id if found else ""


def _row(span: m.Span, total_ms: float, color: int, chosen: bool) -> Markup:
    mark = tag("span", "✕ ", css="nl-text-bad", title="error") if span.error else ""
    name = tag(
        "button",
        tag("span", css=f"nl-dot nl-series-{color}", aria_hidden="true"),
        mark,
        tag("span", span.service, css="nl-service"),
        " ",
        strong(span.name),
        css="nl-span",
        type="button",
        data_select=span.span_id,
        aria_expanded=str(chosen).lower(),
    )
    depth = min(span.depth, 24)
    cells = (
        tag("td", name, css="nl-span-cell", style=f"--depth:{depth}"),
        tag("td", _bar(span, total_ms, color), css="nl-bar-cell"),
    )
    css = "nl-chosen" if chosen else ""
    row = tag("tr", *cells, css=css, id=f"span-{span.span_id}")
    return join([row, tag("tr", tag("td", detail(span), colspan="2"), css="nl-detail")]) if chosen else row


def _bar(span: m.Span, total_ms: float, color: int) -> Markup:
    left = _clip(span.offset_ms / total_ms * 100 if total_ms else 0.0)
    right = _clip((span.offset_ms + span.duration_ms) / total_ms * 100 if total_ms else 0.0)
    css = f"nl-span-bar nl-series-{color}{' nl-failed' if span.error else ''}"
    fill = tag("span", css=css, style=f"left:{left:.2f}%;width:{right - left:.2f}%")
    return tag("div", fill, _bar_text(units.duration(span.duration_ms), left, right), css="nl-track")


def _bar_text(text: str, left: float, right: float) -> Markup:
    """Return a bar's number: after it where there is room, else before it, else inside."""
    if right <= _TEXT_FITS_AFTER:
        return tag("span", text, css="nl-span-time", style=f"left:{right:.2f}%")
    if left >= 100 - _TEXT_FITS_AFTER:
        return tag("span", text, css="nl-span-time", style=f"right:{100 - left:.2f}%")
    return tag("span", text, css="nl-span-time nl-inside", style=f"right:{100 - right:.2f}%")


def _clip(share: float) -> float:
    return min(max(share, 0.0), 100.0)


def _scale(total_ms: float) -> Markup:
    ticks = [tag("span", units.duration(total_ms * part / 4) if part else "0") for part in range(5)]
    return tag("div", *ticks, css="nl-scale")


def detail(span: m.Span) -> Markup:
    """Return everything known of one span."""
    numbers = facts(
        [
            ("Service", link(page_href("service", name=span.service, environment=span.environment), span.service)),
            ("Kind", span.kind),
            ("Status", _status(span)),
            ("Starts after", units.duration(span.offset_ms)),
            ("Duration", units.duration(span.duration_ms)),
            ("Version", span.version or units.MISSING),
            ("Scope", span.scope or units.MISSING),
            ("Span", tag("code", span.span_id)),
        ]
    )
    parts = [numbers, _section("Events", _events(span)), _section("Attributes", attributes(span.attributes))]
    parts += [_section("Links", _links(span)), _section("Resource", attributes(span.resource))]
    return join(parts)


def attributes(values: Mapping[str, Any]) -> Markup:
    """Return names and values by name, "" when there are none."""
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", _value(values[name]), data_label=name))
        for name in sorted(values)
    ]
    return tag("table", tag("tbody", *rows), css="nl-attributes") if rows else Markup("")


def _status(span: m.Span) -> Markup:
    message = f": {span.status_message}" if span.status_message else ""
    text = f"{'✕ ' if span.error else ''}{span.status}{message}"
    return tag("span", text, css="nl-text-bad" if span.error else "")


def _events(span: m.Span) -> Markup:
    return join(
        tag("div", strong(event.name), " ", muted(f"+{units.duration(event.offset_ms)}"), attributes(event.attributes))
        for event in span.events
    )


def _links(span: m.Span) -> Markup:
    return lines(
        *(link(page_href("trace", trace=item.trace_id, span=item.span_id), item.trace_id) for item in span.links)
    )


def _section(title: str, content: Markup) -> Markup:
    return join([tag("h4", title), content]) if content else Markup("")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return tag("pre", text) if "\n" in text else text
