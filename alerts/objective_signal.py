"""What every alert of an objective has in common: whose it is, and how long it waits."""

from dataclasses import dataclass

from alerts.signal import AlertSignal
from alerts.timing import AlertTiming
from slo.evaluation import Evaluation
from slo.model import Slo


@dataclass(frozen=True, slots=True)
class ObjectiveSignal(AlertSignal):
    """An evaluation of *slo*, as one of its alerts sees it."""

    slo: Slo
    evaluation: Evaluation

    @property
    def slo_id(self) -> str:
        return self.slo.id

    @property
    def service(self) -> str:
        return self.slo.service

    @property
    def environment(self) -> str:
        return self.slo.environment

    @property
    def timing(self) -> AlertTiming:
        return timing_of(self.slo)


def timing_of(slo: Slo) -> AlertTiming:
    """Return the delays of every alert of *slo*."""
    return AlertTiming(slo.alert_for, slo.keep_firing_for)
