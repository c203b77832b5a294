"""The numbers that an alert carries."""

from collections.abc import Sequence
from decimal import Decimal

from alerts.transition import AlertDetails, ConditionDetails, WindowDetails
from slo.budget import burn_rate
from slo.duration import format_duration
from slo.evaluation import ConditionResult, Evaluation
from slo.model import EventCounts, Slo
from slo.policy import ObjectiveBreach


def details_of(slo: Slo, evaluation: Evaluation, conditions: Sequence[ConditionResult]) -> AlertDetails:
    """Return the numbers of *evaluation*, and of those of its *conditions* that the alert is about."""
    return AlertDetails(
        alert_name=_alert_name(conditions),
        slo_name=slo.name,
        target=slo.target,
        threshold_ms=slo.threshold_ms,
        slo_window=window_details(str(slo.window), evaluation.counts, slo.target),
        error_budget_remaining=evaluation.error_budget_remaining,
        conditions=tuple(_condition(result, slo.target) for result in conditions),
    )


def window_details(window: str, counts: EventCounts, target: Decimal) -> WindowDetails:
    return WindowDetails(
        window=window,
        good=counts.good,
        bad=counts.bad,
        total=counts.total,
        burn_rate=burn_rate(counts, target),
    )


def _alert_name(conditions: Sequence[ConditionResult]) -> str:
    breach = any(isinstance(result.condition, ObjectiveBreach) for result in conditions)
    return "SLOObjectiveBreach" if breach else "SLOErrorBudgetBurn"


def _condition(result: ConditionResult, target: Decimal) -> ConditionDetails:
    condition = result.condition
    return ConditionDetails(
        met=result.met,
        factor=float(condition.factor),
        long=window_details(format_duration(condition.long), result.long, target),
        short=window_details(format_duration(condition.short), result.short, target),
    )
