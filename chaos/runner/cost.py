"""What a run may cost, and what it did cost, in error budget. Pure."""

from collections.abc import Sequence

from api.models import BudgetCost, EdgeEffect, PredictedCost, Slo, SloSides
from chaos.runner.victims import Victim


def allowed_bad(slo: Slo) -> float:
    """Return how many bad events the SLO's window allows at the traffic that it had: (1 - objective) x total."""
    return (1 - slo.objective) * slo.total


def reach(service: str, victims: Sequence[Victim], edges: Sequence[EdgeEffect]) -> float:
    """Return which share of the requests of *service* the fault can meet, at most: 1 unless the traces say less.

    Only the calls of a direct caller tell: what calls the caller may need it for everything.
    """
    shares = [1.0 if service in (victim.server, "") else _calls_a_request(service, victim, edges) for victim in victims]
    return min(1.0, sum(shares))


def predict(
    slo: Slo, *, requests: int, seconds: float, duration_s: float, share: float, reached: float
) -> PredictedCost:
    """Return the worst that the run can cost *slo*: every request that the fault meets is bad.

    Args:
        slo: the objective.
        requests: of its service in the last *seconds*.
        seconds: over which they were counted.
        duration_s: of the fault.
        share: of the requests that is treated, 0..1.
        reached: of those, the share that the fault can meet.
    """
    if slo.error_budget_remaining is None or not slo.total:
        return PredictedCost(
            slo_id=slo.id, budget_remaining=None, predicted_share=None, explanation="no events yet, so no budget"
        )
    hit = requests / seconds * duration_s * share * reached
    cost = hit / allowed_bad(slo)
    return PredictedCost(
        slo_id=slo.id,
        budget_remaining=slo.error_budget_remaining,
        predicted_share=cost,
        explanation=(
            f"at worst {hit:,.0f} bad requests in {duration_s:g} s, of {allowed_bad(slo):,.0f} that {slo.window} allow"
        ),
    )


def spent(events: SloSides, *, predicted: float | None) -> BudgetCost:
    """Return what the fault window took from one budget.

    Organic is what the control side lets expect of all events in the window; the rest is the fault's.

    Args:
        events: of the objective, in the window and on both sides.
        predicted: what was expected at most, as a share of the budget.
    """
    ratio = events.control_bad / events.control_total if events.control_total else 0.0
    organic = min(float(events.bad), ratio * events.total)
    budget = events.budget_events
    return BudgetCost(
        slo_id=events.slo_id,
        total=events.total,
        bad=events.bad,
        organic_bad=organic,
        chaos_bad=events.bad - organic,
        chaos_share=(events.bad - organic) / budget if budget else None,
        organic_share=organic / budget if budget else None,
        predicted_share=predicted,
    )


def _calls_a_request(service: str, victim: Victim, edges: Sequence[EdgeEffect]) -> float:
    if service != victim.client:
        return 1.0
    edge = next((each for each in edges if (each.client, each.server) == (victim.client, victim.server)), None)
    return 1.0 if edge is None or edge.calls_per_request_treatment is None else edge.calls_per_request_treatment
