"""The numbers that an alert carries."""

from decimal import Decimal

from alerts.signal import AlertSignal
from alerts.transition import AlertDetails, AlertName, ConditionDetails, WindowDetails
from slo.budget import burn_rate
from slo.duration import format_duration
from slo.evaluation import ConditionResult
from slo.model import EventCounts
from slo.policy import ObjectiveBreach


def details_of(signal: AlertSignal, exemplar_trace_ids: tuple[str, ...] = ()) -> AlertDetails:
    """Return the numbers of *signal*."""
    slo, evaluation = signal.slo, signal.evaluation
    return AlertDetails(
        alert_name=_alert_name(signal),
        slo_name=slo.name,
        target=slo.target,
        threshold_ms=slo.threshold_ms,
        slo_window=_window(str(slo.window), evaluation.counts, slo.target),
        error_budget_remaining=evaluation.error_budget_remaining,
        conditions=tuple(_condition(result, slo.target) for result in signal.conditions),
        exemplar_trace_ids=exemplar_trace_ids,
    )


def _alert_name(signal: AlertSignal) -> AlertName:
    breach = any(isinstance(result.condition, ObjectiveBreach) for result in signal.conditions)
    return "SLOObjectiveBreach" if breach else "SLOErrorBudgetBurn"


def _condition(result: ConditionResult, target: Decimal) -> ConditionDetails:
    condition = result.condition
    return ConditionDetails(
        met=result.met,
        factor=float(condition.factor),
        long=_window(format_duration(condition.long), result.long, target),
        short=_window(format_duration(condition.short), result.short, target),
    )


def _window(window: str, counts: EventCounts, target: Decimal) -> WindowDetails:
    return WindowDetails(
        window=window,
        good=counts.good,
        bad=counts.bad,
        total=counts.total,
        burn_rate=burn_rate(counts, target),
    )
