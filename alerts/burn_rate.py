"""The alert of an objective whose error budget burns too fast, or whose target is missed."""

from dataclasses import dataclass

from alerts.details import details_of
from alerts.objective_signal import ObjectiveSignal
from alerts.summary import firing_summary, resolved_summary
from alerts.transition import AlertDetails
from slo.evaluation import ConditionResult, Evaluation
from slo.model import Slo
from slo.policy import SEVERITIES, Severity


@dataclass(frozen=True, slots=True)
class BurnRateSignal(ObjectiveSignal):
    """An evaluation as the alert of one severity sees it."""

    severity: Severity

    @property
    def rule(self) -> str:
        return self.slo.id

    @property
    def conditions(self) -> tuple[ConditionResult, ...]:
        return tuple(result for result in self.evaluation.conditions if result.condition.severity == self.severity)

    @property
    def met(self) -> bool:
        """Whether any condition of this severity is met."""
        return any(result.met for result in self.conditions)

    @property
    def clear(self) -> bool:
        """Whether every condition is known not to be met; a condition without data is not known.

        A policy that no longer has a condition of this severity is clear: it asks for nothing.
        """
        return all(result.has_data and not result.met for result in self.conditions)

    def firing_summary(self) -> str:
        return firing_summary(self.slo, self.conditions)

    def resolved_summary(self) -> str:
        return resolved_summary(self.slo, self.severity, self.conditions)

    def details(self) -> AlertDetails:
        return details_of(self.slo, self.evaluation, self.conditions)


def signals_of(slo: Slo, evaluation: Evaluation) -> tuple[BurnRateSignal, ...]:
    """Return one signal for every severity, also for those that the policy does not use (any more)."""
    return tuple(BurnRateSignal(slo, evaluation, severity) for severity in SEVERITIES)
