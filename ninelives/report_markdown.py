"""The monthly report as Markdown."""

import re
from collections.abc import Iterator, Sequence

from api import models as m
from ninelives import report_words as words

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def markdown_report(report: m.SloReport) -> str:
    """Return *report* as Markdown; what it quotes cannot be read as markup."""
    return "\n".join([*_head(report), *(line for slo in report.slos for line in _slo(slo))]) + "\n"


def _head(report: m.SloReport) -> Iterator[str]:
    yield f"# {words.title(report)}"
    yield ""
    yield f"{words.period(report)}."
    yield ""
    yield words.sentence(report)
    if report.slos:
        yield ""
        yield from _table(
            ("Objective", "Promise", "Good events", "Budget left", "Verdict"),
            [
                (
                    _safe(slo.name),
                    words.objective(slo),
                    words.percent_of(slo.judged.good, slo.judged.total),
                    words.budget(slo.judged.error_budget_remaining),
                    words.verdict(slo.judged),
                )
                for slo in report.slos
            ],
        )


def _slo(slo: m.ReportSlo) -> Iterator[str]:
    draft = ", a draft" if slo.draft else ""
    yield from ("", f"## {_safe(slo.name)}", "", f"{_safe(slo.id)}, {_safe(words.where(slo))}{draft}.", "")
    yield from (f"- {name}: {_safe(text)}" for name, text in words.facts(slo))
    if slo.spenders:
        yield from ("", f"### {words.spenders_title(slo)}", "")
        yield from (f"- {_safe(words.spender(item))}" for item in slo.spenders)
    if slo.incidents:
        yield from ("", "### Incidents", "")
        yield from _table(
            ("Began (UTC)", "Took", "Severity", "What"),
            [
                (words.moment(item.start), words.duration(item.duration_s), item.severity, _safe(item.summary))
                for item in slo.incidents
            ],
        )
    if slo.changes:
        yield from ("", "### Changed objective", "")
        yield from (f"- {_safe(words.change(item))}" for item in slo.changes)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _safe(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
