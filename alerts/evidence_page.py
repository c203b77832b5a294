"""The evidence of one alert as one HTML page that needs nothing else: no script, no picture, no other address.

It is frozen when the alert fires and served when everything else is down, so it is small, whatever the data.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from alerts import evidence_summary as words
from alerts.evidence import Evidence
from alerts.message import Links
from alerts.safe_text import shortened
from alerts.trace_svg import milliseconds, trace_svg
from alerts.transition import Transition

LARGEST: Final = 60_000  # bytes
ACKNOWLEDGE_SLOT: Final = "<!--acknowledge-->"  # data cannot hold it: what others wrote is escaped
_LONGEST_URL: Final = 500
_WEB_ADDRESS: Final = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class _Limits:
    """How much is shown: characters of texts and of log lines, rows of the picture and of each list."""

    text: int = 120
    log_text: int = 500
    rows: int = 40
    traces: int = 3
    spenders: int = 6
    differences: int = 8
    deployments: int = 8
    experiments: int = 8
    logs: int = 20
    past: int = 5


def _steps() -> Iterator[_Limits]:
    """Yield what is shown, less each time, what matters least going first."""
    limits = _Limits()
    yield limits
    for less in (
        {"logs": 10, "log_text": 250},
        {"logs": 5, "log_text": 120, "past": 3},
        {"logs": 0, "past": 0, "experiments": 4},
        {"text": 60, "rows": 25, "differences": 4},
        {"rows": 10, "spenders": 3, "deployments": 3, "experiments": 2},
        {"text": 30, "rows": 0, "differences": 2, "traces": 1},
    ):
        limits = replace(limits, **less)
        yield limits


def evidence_page(transition: Transition, evidence: Evidence, links: Links) -> str:
    """Return the page of an alert, at most LARGEST bytes: where there is too much, the least important is cut.

    ACKNOWLEDGE_SLOT in it is the place for a link that acknowledges, which whoever serves the page may fill.
    """
    for limits in _steps():
        page = _rendered(transition, evidence, links, limits)
        if len(page.encode()) <= LARGEST:
            break
    return page


def _rendered(transition: Transition, evidence: Evidence, links: Links, limits: _Limits) -> str:
    svg = trace_svg(evidence.trace_spans, total=evidence.trace_span_count, most=limits.rows, name_length=limits.text)
    return _template().render(
        alert=transition,
        evidence=evidence,
        limits=limits,
        summary=shortened(transition.summary, max(300 * limits.text // 120, 80)),
        facts=list(_facts(transition, evidence)),
        conditions=[each for each in transition.details.conditions if each.met][:4],
        runbook=_web_address(evidence.runbook),
        alert_url=_web_address(links.alert(transition.alert_id)) if links.dashboard_url else "",
        traces=[
            (each, _web_address(links.trace(each.trace_id, each.guilty_span_id)) if links.dashboard_url else "")
            for each in evidence.traces[: limits.traces]
        ],
        svg=Markup(svg),  # noqa: S704 -- trace_svg escapes what others wrote
        slot=Markup(ACKNOWLEDGE_SLOT),  # noqa: S704 -- a constant
        short=lambda text: shortened(text, limits.text),
        line=lambda text: shortened(text, limits.log_text),
        moment=lambda at: words.moment(at, evidence.end),
    )


def _facts(transition: Transition, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield what a person asks first, with its answer."""
    where = " in ".join(shortened(part, 80) for part in (transition.service, transition.environment) if part)
    hit = words.for_whom(evidence).removeprefix("Hit: ").replace("Seen on", "seen on", 1).removesuffix(".")
    yield "For whom", "; ".join(part for part in (f"users of {where}" if where else "", hit) if part)
    yield "How bad", words.how_bad(transition, evidence)
    yield "Since", words.since_when(transition, evidence)
    reasons = list(words.why(evidence)) or ["Nothing stands out; look at the traces."]
    yield from (("" if number else "Why", reason) for number, reason in enumerate(reasons))


def _web_address(url: str) -> str:
    """Return *url* if a browser may follow it, else "": a link that runs a script is none, nor one that is cut."""
    return url if len(url) <= _LONGEST_URL and _WEB_ADDRESS.fullmatch(url) else ""


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("alerts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": words.share,
        "times": words.times,
        "milliseconds": milliseconds,
        "minutes": lambda seconds: f"{seconds / 60:,.0f} min",
    }
    return environment.get_template("evidence.html.j2")
