"""What one evaluation says to one alert."""

from dataclasses import dataclass

from slo.evaluation import ConditionResult, Evaluation
from slo.model import Slo
from slo.policy import SEVERITIES, Severity


@dataclass(frozen=True, slots=True)
class AlertSignal:
    """An evaluation as the alert of one severity sees it."""

    slo: Slo
    evaluation: Evaluation
    severity: Severity

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


def signals_of(slo: Slo, evaluation: Evaluation) -> tuple[AlertSignal, ...]:
    """Return one signal for every severity, also for those that the policy does not use (any more)."""
    return tuple(AlertSignal(slo, evaluation, severity) for severity in SEVERITIES)
