"""A run as text for a terminal. Pure."""

from collections.abc import Iterable, Iterator

from api.models import Run, RunCheck
from chaos.report import sentences, words
from chaos.report.activities import activities

_MOST = 40


def text_report(run: Run) -> str:
    """Return the run in plain text: the verdict first, then what it rests on, then what happened."""
    lines = [
        words.shortened(run.title or run.experiment),
        sentences.verdict(run),
        *filter(None, [sentences.more(run)]),
        "",
        *_facts(run),
        *_section("Findings", _findings(run)),
        *_section("Validity", map(_check, run.validity)),
        *_section("Refused by the pre-flight", _refusals(run)),
        *_outcome(run),
        *_section("Activities", (f"{each.sign} {each.kind} {each.name}: {each.told}" for each in activities(run))),
        *_section("Timeline", (f"{words.clock(each.at)} {words.shortened(each.message)}" for each in run.events)),
    ]
    return "\n".join(lines) + "\n"


def _facts(run: Run) -> Iterator[str]:
    ended = f" to {words.clock(run.ended_at)} UTC" if run.ended_at else ", still going on"
    yield f"run         {words.shortened(run.id)}"
    yield f"experiment  {words.shortened(run.experiment)}"
    yield f"environment {words.shortened(run.environment) or words.MISSING}"
    yield f"services    {words.shortened(', '.join(run.services)) or words.MISSING}"
    yield f"when        {words.moment(run.started_at).removesuffix(' UTC')}{ended}"
    yield f"method      {'; '.join(map(words.fault, run.method[:_MOST])) or words.MISSING}"
    yield f"compared    {sentences.comparison(run)}"


def _findings(run: Run) -> Iterator[str]:
    for item in sentences.worst_first(run.findings):
        yield f"{item.verdict}: {words.shortened(item.hypothesis)}"
        yield f"  {sentences.finding(item, run)}"
        yield f"  {words.shortened(item.reason)}"
        yield f"  p95 {sentences.p95(item)}"
        if item.samples_needed is not None:
            yield f"  {sentences.needed(item)}"


def _refusals(run: Run) -> Iterator[str]:
    if run.preflight is not None and not run.preflight.runnable:
        yield from (_check(check) for check in run.preflight.checks if check.blocks and not check.ok)


def _check(item: RunCheck) -> str:
    sign = "ok" if item.ok else "FAILED" if item.blocks else "note"
    return f"{sign}: {words.shortened(item.name)}: {words.shortened(item.detail)}"


def _outcome(run: Run) -> Iterator[str]:
    found = run.outcome
    if found is None:
        return
    yield from _section(
        "Error budget",
        (
            f"{words.shortened(each.slo_id)}: {words.percent(each.chaos_share)} of the budget by the fault "
            f"({words.count(each.chaos_bad)} events; predicted {words.percent(each.predicted_share)}), "
            f"{words.percent(each.organic_share)} by others ({words.count(each.organic_bad)} events)"
            for each in found.budget
        ),
    )
    yield from _section("Recovery", filter(None, [sentences.recovery(run)]))
    yield from _section(
        "Alerts",
        (f"{'ok' if sentences.alert_ok(each) else 'FAILED'}: {sentences.alert(each)}" for each in found.alerts),
    )
    yield from _section(
        "Propagation",
        (
            f"{words.shortened(each.client)} to {words.shortened(each.server)}: "
            f"{words.count(each.control_errors)} of {words.count(each.control_calls)} calls failed, "
            f"then {words.count(each.treatment_errors)} of {words.count(each.treatment_calls)}; "
            f"p95 {words.milliseconds(each.control_p95_ms)}, then {words.milliseconds(each.treatment_p95_ms)}"
            + (f"; {words.shortened(each.note)}" if each.note else "")
            for each in found.propagation
        ),
    )
    yield from _section(
        "Caches",
        (
            f"{words.shortened(each.cache)} of {words.shortened(each.service)}: "
            f"{words.percent(each.control_ratio)} hits, then {words.percent(each.treatment_ratio)}"
            for each in found.caches
        ),
    )
    yield from _section(
        "Traces",
        (f"{words.shortened(arm)}: {' '.join(map(words.shortened, ids[:5]))}" for arm, ids in found.exemplars.items()),
    )


def _section(title: str, items: Iterable[str]) -> list[str]:
    lines = list(items)
    shown = [f"  {line}" for line in lines[:_MOST]]
    rest = [f"  and {len(lines) - _MOST} more lines"] if len(lines) > _MOST else []
    return ["", title, *shown, *rest] if lines else []
