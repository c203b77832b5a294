"""The monthly report as one HTML page: no scripts, nothing loaded, light and dark, on paper and on a telephone."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from api import models as m
from ninelives import report_words as words


def html_report(report: m.SloReport) -> str:
    """Return *report* as a page; what it quotes is escaped."""
    style = resources.files("ninelives").joinpath("report.css").read_text(encoding="utf-8")
    title = escape(words.title(report))
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{title}</title>",
        f"<style>\n{style}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{title}</h1>",
        f"<p>{escape(words.period(report))}</p>",
        f'<p class="sentence">{escape(words.sentence(report))}</p>',
        "</header>",
        "<main>",
        *([_summary(report.slos)] if report.slos else []),
        *(_slo(slo) for slo in report.slos),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _summary(slos: Sequence[m.ReportSlo]) -> str:
    rows = [
        (
            f'<a href="#{escape(slo.id)}">{escape(slo.name)}</a>',
            escape(words.objective(slo)),
            words.percent_of(slo.judged.good, slo.judged.total),
            _budget(slo.judged.error_budget_remaining),
            _verdict(slo.judged),
        )
        for slo in slos
    ]
    return _table(("Objective", "Promise", "Good events", "Budget left", "Verdict"), rows)


def _slo(slo: m.ReportSlo) -> str:
    draft = ", a draft" if slo.draft else ""
    facts = "\n".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in words.facts(slo))
    parts = [
        f'<section id="{escape(slo.id)}">',
        f"<h2>{escape(slo.name)} {_verdict(slo.judged)}</h2>",
        f'<p class="where">{escape(slo.id)}, {escape(words.where(slo))}{draft}</p>',
        f"<dl>\n{facts}\n</dl>",
    ]
    if slo.spenders:
        parts.append(_list(words.spenders_title(slo), (words.spender(item) for item in slo.spenders)))
    if slo.incidents:
        parts += ["<h3>Incidents</h3>", _incidents(slo.incidents)]
    if slo.changes:
        parts.append(_list("Changed objective", (words.change(item) for item in slo.changes)))
    return "\n".join([*parts, "</section>"])


def _incidents(incidents: Sequence[m.ReportIncident]) -> str:
    rows = [
        (words.moment(item.start), words.duration(item.duration_s), item.severity, escape(item.summary))
        for item in incidents
    ]
    return _table(("Began (UTC)", "Took", "Severity", "What"), rows)


def _budget(ratio: float | None) -> str:
    """Return a bar as long as what is left, and the number."""
    if ratio is None:
        return words.NO_DATA
    left = min(max(ratio, 0.0), 1.0) * 100
    spent = " spent" if ratio <= 0 else ""
    bar = f'<span class="bar{spent}"><i style="width:{left:.1f}%"></i></span>'
    return f'<span class="budget">{bar} {words.budget(ratio)}</span>'


def _verdict(figures: m.ReportFigures) -> str:
    told = words.verdict(figures)
    return f'<span class="verdict {told.replace(" ", "-")}">{told}</span>'


def _list(title: str, items: Iterable[str]) -> str:
    lines = "\n".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<h3>{title}</h3>\n<ul>\n{lines}\n</ul>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; each cell names its column too, for where it is too narrow for columns. Cells are HTML."""
    heads = "".join(f'<th scope="col">{name}</th>' for name in header)
    lines = [
        "<tr>"
        + "".join(f'<td data-name="{name}">{cell}</td>' for name, cell in zip(header, row, strict=True))
        + "</tr>"
        for row in rows
    ]
    return "\n".join(["<table>", f"<thead><tr>{heads}</tr></thead>", "<tbody>", *lines, "</tbody>", "</table>"])
