"""The draft of a post-mortem: what is known, in order, and empty sections for what only people know.

Sections follow the example of the SRE book (https://sre.google/sre-book/example-postmortem/): impact, timeline, what
was found, root cause, lessons, action items. Pure: the same facts give the same text.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.evidence import Evidence
from alerts.incident import Incident
from alerts.message import Links

_EMPTY_SECTIONS: Final = (
    ("Root cause", "What made it possible, and what set it off. Systems, not people."),
    ("What went well", "What kept it from being worse, and where we were lucky."),
    ("Action items", "| action | owner | due |\n|---|---|---|\n| | | |"),
)
# what Markdown or the HTML inside of it would take for its own
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")


@dataclass(frozen=True, slots=True)
class Impact:
    """The events of an objective in [start, end), and the share of its whole budget that they cost (None: unknown)."""

    slo_id: str
    slo_name: str
    start: datetime
    end: datetime
    bad: int
    total: int
    budget_spent: float | None


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the timeline; `author` is a person, "" for what the system did."""

    at: datetime
    text: str
    author: str = ""


def postmortem(
    incident: Incident,
    timeline: Sequence[Happening],
    impacts: Sequence[Impact],
    evidence: Sequence[Evidence],
    links: Links,
) -> str:
    """Return the draft in Markdown; whatever people or services wrote is escaped.

    Args:
        incident: what happened.
        timeline: alerts, deployments, experiments, acknowledgements and notes, oldest first.
        impacts: one for each objective whose events were counted.
        evidence: of its alerts, as far as there is any, the first alert's first.
        links: where traces are shown; they are pinned, so the links outlive the raw data.
    """
    sections = [
        f"# Post-mortem: {_plain(incident.title)}, {incident.detected_at:%Y-%m-%d}",
        "\n".join(_head(incident)),
        "## Impact\n\n" + "\n".join(_impact(incident, impacts)),
        "## Timeline\n\n" + "\n".join(["| time (UTC) | what happened | who |", "|---|---|---|", *_lines(timeline)]),
        "## Evidence\n\n" + "\n\n".join(_found(each, links) for each in evidence or ()) + _none(evidence),
        *(f"## {title}\n\n{hint}" for title, hint in _EMPTY_SECTIONS),
    ]
    return "\n\n".join(sections) + "\n"


def _head(incident: Incident) -> list[str]:
    where = incident.service + (f" ({incident.environment})" if incident.environment else "")
    return [
        f"- Incident: `{incident.id}`",
        f"- Service: {_plain(where)}",
        f"- Began: {_moment(incident.began_at)}",
        f"- Detected: {_moment(incident.detected_at)}, after {_length(incident.time_to_detect)}",
        f"- Acknowledged: {_after(incident.acknowledged_at, incident.time_to_acknowledge, 'by nobody')}",
        f"- Resolved: {_after(incident.resolved_at, incident.time_to_resolve, 'not yet')}",
    ]


def _after(at: datetime | None, taken: timedelta | None, without: str) -> str:
    return without if at is None or taken is None else f"{_moment(at)}, after {_length(taken)}"


def _impact(incident: Incident, impacts: Sequence[Impact]) -> list[str]:
    pages, tickets = _counted(incident.pages, "page"), _counted(incident.tickets, "ticket")
    found = [f"- {pages}, {tickets}"]
    for each in impacts:
        spent = "" if each.budget_spent is None else f", {_percent(each.budget_spent)} of the error budget"
        found.append(
            f"- {_plain(each.slo_name)}: {each.bad:,} bad of {each.total:,} events from {_moment(each.start)} to"
            f" {_moment(each.end)}{spent}"
        )
    return found


def _lines(timeline: Iterable[Happening]) -> list[str]:
    return [f"| {each.at:%Y-%m-%d %H:%M:%S} | {_plain(each.text)} | {_plain(each.author)} |" for each in timeline]


def _found(evidence: Evidence, links: Links) -> str:
    lines = [f"### `{evidence.alert_id}`", "", _plain(evidence.summary)]
    lines += _list(
        "Who spent the budget",
        [
            f"{_plain(f'{each.service} {each.operation}')}: {_percent(each.share)} of the bad events"
            for each in evidence.spenders
        ],
    )
    lines += _list(
        "What bad events have in common",
        [
            f"{_plain(f'{each.attribute} = {each.value}')}: {_percent(each.share_of_bad)} of the bad, "
            f"{_percent(each.share_of_good)} of the good"
            for each in evidence.differences
        ],
    )
    lines += _list(
        "Traces, pinned",
        [
            f"[{_plain(each.route or each.trace_id)}]({links.trace(each.trace_id, each.guilty_span_id)}):"
            f" {each.duration_ms:,.0f} ms, {'failed' if each.error else 'slow'} in"
            f" {_plain(f'{each.guilty_service} {each.guilty_operation}')}"
            for each in evidence.traces
        ],
    )
    if evidence.runbook:
        lines += ["", f"Runbook: <{_address(evidence.runbook)}>"]
    return "\n".join(lines)


def _list(title: str, items: Sequence[str]) -> list[str]:
    return ["", f"{title}:", "", *(f"- {item}" for item in items)] if items else []


def _none(evidence: Sequence[Evidence]) -> str:
    return "" if evidence else "None was gathered."


def _plain(text: str) -> str:
    """Return *text* as Markdown that shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _address(url: str) -> str:
    return "%20".join(url.split()).replace("<", "%3C").replace(">", "%3E")


def _percent(share: float) -> str:
    return f"{share * 100:,.0f} %" if abs(share) >= 1 else f"{share * 100:.3g} %"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _length(taken: timedelta) -> str:
    """Return a time in its two largest units.

    >>> _length(timedelta(hours=26, minutes=3)), _length(timedelta(seconds=90)), _length(timedelta(0))
    ('1 d 2 h', '1 min 30 s', '0 s')
    """
    seconds = round(taken.total_seconds())
    parts = []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, seconds = divmod(seconds, unit)
        parts.append((amount, name))
    first = next((index for index, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    shown = [f"{amount} {name}" for amount, name in parts[first : first + 2] if amount]
    return " ".join(shown) or "0 s"


def _counted(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
