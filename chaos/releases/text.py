"""A judged release as text for a terminal, and its sentences. Pure."""

from collections.abc import Iterator
from typing import Final

from api.models import BudgetCost, Finding
from chaos.releases.judgement import ReleaseJudgement
from chaos.report import sentences, words

_SAID: Final = {
    "held": "no worse than the old version by more than the margins",
    "deviated": "worse than the old version by more than the margin",
}
_COMPARED: Final = {"concurrent": "side by side", "before/after": "before/after"}


def release_text(found: ReleaseJudgement) -> str:
    """Return the judgement in plain text: the verdict first, then what it rests on."""
    return "\n".join(_lines(found)) + "\n"


def verdict_sentence(found: ReleaseJudgement) -> str:
    """Return what came of the release in one sentence."""
    new = words.shortened(found.to_version, 80)
    if found.verdict != "inconclusive":
        return f"{found.verdict}: {new} is {_SAID[found.verdict]}"
    failed = [check.detail for check in found.checks if not check.ok and check.blocks]
    if failed:
        return f"inconclusive: it cannot be said that {new} is good; {words.shortened(failed[0], 300)}"
    return f"inconclusive: the data do not decide whether {new} is worse"


def finding_sentence(item: Finding, found: ReleaseJudgement) -> str:
    """Return the numbers of one line as a sentence."""
    counts = (
        f"{words.shortened(found.to_version, 80)}: {_part(item.treatment_bad, item.treatment_total)} "
        f"{sentences.bad(item)}; {words.shortened(found.from_version, 80)}: "
        f"{_part(item.control_bad, item.control_total)}"
    )
    if item.difference is None:
        return counts
    return f"{counts}: {words.points(item.difference)} ({sentences.interval(item)}), margin {words.points(item.margin)}"


def budget_sentence(item: BudgetCost, found: ReleaseJudgement) -> str:
    """Return what the deploy took from one budget.

    >>> cost = BudgetCost(
    ...     slo_id="shop-availability", total=1000, bad=21, organic_bad=9.0, chaos_bad=12.0, chaos_share=0.12,
    ...     organic_share=0.09,
    ... )
    >>> budget_sentence(cost, ReleaseJudgement.model_construct(from_version="1.8.1", to_version="1.8.2"))
    'this deploy spent 12.00 % of the budget of shop-availability: 21 bad of 1,000 requests, where 1.8.1 lets expect 9'
    """
    old = words.shortened(found.from_version, 80)
    slo = words.shortened(item.slo_id)
    bad = f"{words.count(item.bad)} bad of {words.count(item.total)} requests"
    counts = f"{bad}, where {old} lets expect {words.count(item.organic_bad)}"
    if item.chaos_share is None:
        return f"the budget of {slo} cannot be told in requests: {counts}"
    if item.chaos_bad <= 0:
        return f"this deploy spent nothing of the budget of {slo}: {bad}, no more than {old} lets expect"
    return f"this deploy spent {words.percent(item.chaos_share)} of the budget of {slo}: {counts}"


def _lines(found: ReleaseJudgement) -> Iterator[str]:
    where = f" in {words.shortened(found.environment, 80)}" if found.environment else ""
    yield (
        f"{words.shortened(found.service, 80)}{where}, {words.shortened(found.from_version, 80)} to "
        f"{words.shortened(found.to_version, 80)}: {verdict_sentence(found)}."
    )
    yield ""
    yield f"deployed  {words.moment(found.deployed_at)}"
    yield f"compared  {_COMPARED[found.comparison]}: {found.why}"
    for phase in ("from", "to"):
        yield f"{phase:8}  {_times(found, phase)}"
    for item in found.findings:
        yield ""
        yield f"{item.verdict}: {words.shortened(item.hypothesis)}"
        yield f"  {finding_sentence(item, found)}"
        yield f"  {words.shortened(item.reason)}"
        yield f"  p95 {sentences.p95(item)}"
        if item.verdict == "inconclusive" and item.samples_needed is not None:
            yield f"  about {words.count(item.samples_needed)} requests of each version would decide"
    yield ""
    for cost in found.budget:
        yield budget_sentence(cost, found)
    for check in found.checks:
        sign = "ok" if check.ok else "FAILED" if check.blocks else "note"
        yield f"{sign}: {check.name}: {words.shortened(check.detail, 300)}"
    for note in found.notes:
        yield f"note: {words.shortened(note, 400)}"
    if found.exemplars:
        yield f"worst traces of {words.shortened(found.to_version, 80)}: {' '.join(found.exemplars)}"


def _times(found: ReleaseJudgement, phase: str) -> str:
    shown = [each for each in found.windows if each.phase == phase]
    told = [f"{words.moment(each.started_at).removesuffix(' UTC')} to {words.clock(each.ended_at)}" for each in shown]
    version = found.from_version if phase == "from" else found.to_version
    return f"{words.shortened(version, 80)}, {', '.join(told)} UTC"


def _part(some: int, total: int) -> str:
    if not total:
        return "no requests"
    return f"{words.count(some)} of {words.count(total)} requests ({words.percent(some / total)})"
