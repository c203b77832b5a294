"""Whether enough error budget is left to go on: the question that a pipeline asks before it deploys."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from slo.budget import allowed_bad
from slo.budget_policy import gate_closes_at
from slo.evaluation import Evaluation
from slo.model import Slo
from slo.window import MINUTE


@dataclass(frozen=True, slots=True)
class GateDecision:
    """`passes`, and why in one plain sentence."""

    passes: bool
    reason: str


def decide_gate(
    slo: Slo, evaluation: Evaluation, *, end: datetime, min_budget: Decimal, allow_no_data: bool = False
) -> GateDecision:
    """Return whether at least *min_budget* (0..1) of the error budget of *slo* is left, compared exactly.

    Without events it is not known: that passes only with *allow_no_data*. Where the error-budget policy of *slo* closes
    the gate, no *min_budget* opens it.

    Args:
        slo: the objective.
        evaluation: where it stands.
        end: the end of the evaluation's windows.
        min_budget: share of the error budget that must be left.
        allow_no_data: let an objective without events pass.
    """
    state = f"state {evaluation.state}" + (", provisional" if evaluation.provisional else "")
    left = budget_left(slo, evaluation, end)
    if left is None:
        verdict = "allowed" if allow_no_data else "not allowed"
        return GateDecision(allow_no_data, f"{slo.id}: no data in {slo.window}, which is {verdict} ({state})")
    closes_at = gate_closes_at(slo.budget_policy)
    if closes_at is not None and left <= Fraction(closes_at):
        closed = f"its budget-policy closes the gate at {percent(Fraction(closes_at))}"
        return GateDecision(passes=False, reason=f"{slo.id}: {_left(slo, left)}, and {closed} ({state})")
    passes = left >= Fraction(min_budget)
    relation = "at least" if passes else "less than"
    told = f"{_left(slo, left)}, {relation} {percent(Fraction(min_budget))}"
    return GateDecision(passes, f"{slo.id}: {told} ({state})")


def budget_left(slo: Slo, evaluation: Evaluation, end: datetime) -> Fraction | None:
    """Return the share of the error budget that is left at *end*, exactly; None without events.

    It is `error_budget_remaining` of the evaluation before that became a float.
    """
    counts = evaluation.counts
    if not counts.total:
        return None
    start, finish = slo.window.period(end)
    elapsed = Fraction((end - start) // MINUTE, (finish - start) // MINUTE)  # 1 of a rolling window
    return 1 - counts.bad / allowed_bad(counts, slo.target) * elapsed


def _left(slo: Slo, left: Fraction) -> str:
    return f"{percent(left)} of the error budget of {slo.window} left"


def percent(ratio: Fraction) -> str:
    """Return *ratio* in percent to two digits, cut and not rounded: 19.999 % must not be told as 20 %.

    >>> percent(Fraction(19999, 100_000)), percent(Fraction(-1634, 100)), percent(Fraction(1, 2))
    ('19.99 %', '-1,634 %', '50 %')
    """
    hundredths = ratio * 10_000 // 1
    sign, whole = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    text = f"{whole // 100:,}.{whole % 100:02d}".rstrip("0").rstrip(".")
    return f"{sign}{text} %"
