"""What a run did beyond its verdict: to budgets, to other services, to caches; and the traces that show it."""

from collections.abc import Sequence
from math import sqrt

from api.models import BudgetCost, EdgeEffect, ExpectedAlert, Outcome
from chaos.runner import cost
from chaos.runner.counting import Side
from chaos.runner.measure import Measurement
from chaos.runner.preflight import Plan
from slo.confidence import difference_interval

EXEMPLARS = 3
RETRIES_FROM = 1.2  # so many times the calls a request is worth a word, if it is
BEYOND_CHANCE = 3.0  # so many standard errors of the difference: calls a request are counts, taken to be Poisson's


def collect(plan: Plan, measured: Measurement, alarms: Sequence[ExpectedAlert]) -> Outcome:
    """Return the outcome of a finished run. Raises ApiError."""
    counting = measured.counting
    return Outcome(
        budget=_spent(plan, measured),
        propagation=[judged(edge) for edge in counting.propagation(measured.control, measured.treatment)],
        caches=counting.cache_effects(measured.control, measured.treatment),
        exemplars=_exemplars(measured),
        recovered_after_s=measured.recovered_after_s() if measured.experiment.judged else None,
        alerts=list(alarms),
        versions={service: counting.versions(service, measured.fault) for service in measured.experiment.services},
    )


def judged(edge: EdgeEffect) -> EdgeEffect:
    """Return *edge* with the interval of its errors' difference, and what stands out in words.

    >>> fields = dict.fromkeys(EdgeEffect.model_fields) | {"client": "a", "server": "b", "note": ""}
    >>> counts = {"control_calls": 100, "control_errors": 0, "treatment_calls": 210, "treatment_errors": 105}
    >>> calls = {"calls_per_request_control": 1.0, "calls_per_request_treatment": 2.1}
    >>> judged(EdgeEffect(**fields | counts | calls)).note
    'more errors; more calls, as retries make: 1.00 to 2.10 a request'
    """
    if not edge.control_calls or not edge.treatment_calls:
        return edge.model_copy(update={"note": "called on one side only"})
    rise = difference_interval(edge.control_errors, edge.control_calls, edge.treatment_errors, edge.treatment_calls)
    notes = ["more errors"] * (rise.low > 0) + ["fewer errors"] * (rise.high < 0)
    before, under = edge.calls_per_request_control, edge.calls_per_request_treatment
    if before and under:
        error = sqrt(before**2 / edge.control_calls + under**2 / edge.treatment_calls)
        if under >= before * RETRIES_FROM and under - before > BEYOND_CHANCE * error:
            notes.append(f"more calls, as retries make: {before:.2f} to {under:.2f} a request")
        elif under <= before / RETRIES_FROM and before - under > BEYOND_CHANCE * error:
            notes.append(f"fewer calls: {before:.2f} to {under:.2f} a request")
    return edge.model_copy(
        update={"error_difference_low": rise.low, "error_difference_high": rise.high, "note": "; ".join(notes)}
    )


def _spent(plan: Plan, measured: Measurement) -> list[BudgetCost]:
    """Return what the window of the fault took from every objective that it could hurt."""
    predicted = {each.slo_id: each.predicted_share for each in plan.preflight.predicted}
    services = sorted({slo.service for slo in plan.slos})
    if not services:
        return []
    events = measured.counting.budget_effects(services, measured.control, measured.treatment)
    return [cost.spent(each, predicted=predicted[each.slo_id]) for each in events if each.slo_id in predicted]


def _exemplars(measured: Measurement) -> dict[str, list[str]]:
    """Return the worst traces of each arm, of the first service of the hypothesis."""
    if not measured.experiment.judged:
        return {}
    service = measured.experiment.judged[0].service

    def worst(side: Side) -> list[str]:
        return measured.counting.exemplars(service, side, EXEMPLARS)

    return {"treatment": worst(measured.treatment), "control": worst(measured.control)}
