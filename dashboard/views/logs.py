"""Log records as lines, newest first; the chosen one unfolds below its line."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from api import models as m
from dashboard.views import traces, units, waterfall
from dashboard.views.markup import Look, Markup, chip, facts, join, link, muted, page_href, tag

LONGEST_LINE = 400
OF_TRACE = "trace:"  # begins what a button sends that asks for the records of a trace
LONGEST_BODY = 20_000
SEVERITIES = {"Any severity": 0, "Debug and above": 5, "Info and above": 9, "Warn and above": 13, "Error and above": 17}

_MARK = "background:#fde68a;color:#1f2937;border-radius:2px"

# by the lowest severity number of each range (OpenTelemetry's log data model)
_LOOKS = (
    (21, Look("✕", "Fatal", "bad")),
    (17, Look("✕", "Error", "bad")),
    (13, Look("▲", "Warn", "warn")),
    (9, Look("i", "Info", "info")),
    (5, Look("·", "Debug", "none")),
    (1, Look("·", "Trace", "none")),
)


def look(number: int, text: str) -> Look:
    """Return a severity's look; where no number was sent, its text in grey.

    >>> look(18, "ERROR2").word, look(0, "notice").word, look(0, "").word
    ('Error', 'notice', 'None')
    """
    for lowest, found in _LOOKS:
        if number >= lowest:
            return found
    return Look(units.MISSING, text[:12] or "None", "none")


def key(record: m.LogRecord) -> str:
    """Return what names a record in an address; records have no id of their own."""
    content = f"{record.service}\n{record.span_id}\n{body(record.body)}"
    return f"{record.at.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{crc32(content.encode()):08x}"


def listing(records: Sequence[m.LogRecord], chosen: str, text: str) -> Markup:
    """Return the lines in the order given, with *text* marked, and the chosen record with all that is known of it."""
    return tag("ul", *(_line(record, chosen, text) for record in records), css="nl-attention", aria_label="Log records")


def _line(record: m.LogRecord, chosen: str, text: str) -> Markup:
    name = key(record)
    is_open = name == chosen
    shown = " ".join(body(record.body).split()) or record.event_name or units.MISSING
    line = tag(
        "button",
        join(_marked(shown[:LONGEST_LINE], text)),
        css="nl-span",
        type="button",
        data_select=name,
        aria_expanded=str(is_open).lower(),
    )
    parts = [
        tag("span", chip(look(record.severity_number, record.severity_text)), style="min-width:4.4rem"),
        tag("code", moment(record.at), title=units.instant(record.at)),
        muted(record.service),
        tag("span", line, css="nl-grow", style="min-width:0"),
    ]
    if record.trace_id:
        parts.append(tag("span", link(traces.href(record.trace_id, record.span_id), "Trace"), css="nl-actions"))
    if is_open:
        parts.append(tag("div", detail(record), style="flex:1 0 100%;min-width:0;padding-bottom:0.5rem"))
    return tag("li", *parts, style="padding-block:0.1rem")


def _marked(shown: str, text: str) -> Iterator[Markup]:
    """Yield *shown* in pieces, with what the search found marked."""
    pieces = re.split(f"({re.escape(text)})", shown, flags=re.IGNORECASE | re.ASCII) if text else [shown]
    for place, piece in enumerate(pieces):
        yield tag("mark", piece, style=_MARK) if place % 2 else join([piece])


def detail(record: m.LogRecord) -> Markup:
    """Return everything known of a record."""
    pairs = [
        ("Time", tag("code", units.instant(record.at))),
        ("Severity", f"{record.severity_text or look(record.severity_number, '').word} ({record.severity_number})"),
        ("Service", link(page_href("service", name=record.service, environment=record.environment), record.service)),
        ("Environment", record.environment or units.MISSING),
        ("Scope", record.scope or units.MISSING),
    ]
    if record.event_name:
        pairs.append(("Event", record.event_name))
    if record.trace_id:
        pairs.append(("Trace", link(traces.href(record.trace_id, record.span_id), record.trace_id)))
        only = tag("button", "Only its records", css="nl-move", type="button", data_select=OF_TRACE + record.trace_id)
        pairs.append(("Logs of this trace", only))
    if record.dropped_attributes:
        pairs.append(("Dropped by the sender", units.plural(record.dropped_attributes, "attribute")))
    return join(
        [
            facts(pairs),
            tag("pre", body(record.body)[:LONGEST_BODY], style="white-space:pre-wrap;margin:0.4rem 0"),
            _section("Attributes", waterfall.attributes(record.attributes)),
            _section("Resource", waterfall.attributes(record.resource)),
        ]
    )


def _section(title: str, content: Markup) -> Markup:
    return join([tag("h4", title), content]) if content else Markup("")


def body(value: Any) -> str:
    """Return a body as text: what is no text as JSON.

    >>> body({"a": [1, None]}), body(None), body("x")
    ('{"a": [1, null]}', '', 'x')
    """
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def moment(at: datetime) -> str:
    """Return the time of day in UTC, to the millisecond.

    >>> moment(datetime(2026, 11, 22, 14, 5, 12, 331_999, tzinfo=UTC))
    '14:05:12.331'
    """
    return f"{at.astimezone(UTC):%H:%M:%S.%f}"[:-3]


def days(records: Sequence[m.LogRecord]) -> str:
    """Return the days that the records lie in, as the lines show the time of day only."""
    found = sorted({f"{record.at.astimezone(UTC):%Y-%m-%d}" for record in records})
    return f"{found[0]} UTC" if len(found) == 1 else f"{found[0]} to {found[-1]}, UTC"


def summary(records: Sequence[m.LogRecord], *, more: bool) -> str:
    """Return how many records are shown and of which days."""
    amount = f"The newest {units.plural(len(records), 'record')}" if more else units.plural(len(records), "record")
    return f"{amount}, {days(records)}." if records else ""
