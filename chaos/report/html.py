"""A run as one HTML page that needs nothing else: no script, no picture, no other address. Pure.

It is small whatever the data: where there is too much, what matters least is cut, and the page says so.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from api.models import Finding, Run, RunWindow
from chaos.report import sentences, words
from chaos.report.activities import activities
from chaos.report.interval_svg import interval_svg

LARGEST: Final = 100_000  # bytes
_WEB_ADDRESS: Final = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown: characters of a text and of the document, rows of a list, pictures of findings."""

    text: int = 300
    rows: int = 40
    pictures: int = 12
    events: int = 80
    document: int = 20_000


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of the timeline: where it begins and how long it is, in per cent of the run."""

    name: str
    left: float
    width: float
    length: str
    fault: bool


def html_report(run: Run, *, dashboard_url: str = "") -> str:
    """Return the page of *run*, at most LARGEST bytes.

    Args:
        run: A run in any state.
        dashboard_url: Where traces, objectives and alerts can be looked at; without it the page has no links.
    """
    page = ""
    for limits in _steps():
        page = _rendered(run, dashboard_url, limits)
        if len(page.encode()) <= LARGEST:
            break
    return page


def _steps() -> Iterator[Limits]:
    limits = Limits()
    yield limits
    for less in (
        {"document": 5_000, "events": 40},
        {"document": 0, "events": 20, "rows": 20},
        {"text": 120, "rows": 10, "pictures": 6},
        {"text": 60, "rows": 5, "pictures": 3, "events": 5},
    ):
        limits = replace(limits, **less)
        yield limits


def _rendered(run: Run, dashboard_url: str, limits: Limits) -> str:
    return _template().render(
        run=run,
        limits=limits,
        verdict=sentences.verdict(run),
        verdict_word=sentences.verdict_word(run),
        more=sentences.more(run),
        comparison=sentences.comparison(run),
        arms=sentences.arms(run),
        findings=[(item, _picture(item)) for item in sentences.worst_first(run.findings)],
        phases=phases(run.windows[:10]),
        recovery=sentences.recovery(run),
        activities=activities(run),
        document=_document(run.document, limits.document),
        took=(run.ended_at - run.started_at).total_seconds() if run.ended_at else None,
        address=lambda page, **query: _address(dashboard_url, page, **query),
        short=lambda text: words.shortened(text, limits.text),
    )


def phases(windows: Sequence[RunWindow]) -> list[Phase]:
    """Return the phases of a run in proportion to their lengths."""
    if not windows:
        return []
    start = min(window.started_at for window in windows)
    whole_s = _between(start, max(window.ended_at for window in windows)) or 1.0
    return [
        Phase(
            name=words.shortened(window.phase, 40),
            left=_between(start, window.started_at) / whole_s * 100,
            width=_between(window.started_at, window.ended_at) / whole_s * 100,
            length=words.seconds(_between(window.started_at, window.ended_at)),
            fault=window.phase == "fault",
        )
        for window in windows
    ]


def _between(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds()


def _picture(item: Finding) -> Markup:
    said = f"Difference {words.points(item.difference)}, {sentences.interval(item)}, margin {words.points(item.margin)}"
    return Markup(interval_svg(item, said=said))  # noqa: S704 -- it holds numbers only


def _document(document: dict[str, Any] | None, most: int) -> str:
    """Return the experiment as it was run, "" where there is none or no room for it."""
    if document is None or not most:
        return ""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    shown = "\n".join(words.shortened_line(line, 400) for line in text[:most].splitlines())
    return shown if len(text) <= most else f"{shown}\n…"


def _address(base: str, page: str, **query: str) -> str:
    """Return the address of a page of the dashboard, "" if there is none that a browser may follow."""
    found = f"{base.rstrip('/')}/{page}?{urlencode(query)}"
    return found if base and len(found) <= 500 and _WEB_ADDRESS.fullmatch(found) else ""


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("chaos.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": words.count,
        "percent": words.percent,
        "share": words.share,
        "points": words.points,
        "milliseconds": words.milliseconds,
        "seconds": words.seconds,
        "moment": words.moment,
        "clock": words.clock,
        "fault": words.fault,
        "interval": sentences.interval,
        "p95": sentences.p95,
        "needed": sentences.needed,
        "bad": sentences.bad,
        "alert": sentences.alert,
        "alert_ok": sentences.alert_ok,
    }
    return environment.get_template("run.html.j2")
