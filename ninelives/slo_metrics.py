"""Objectives at /metrics. A value that is not known is left out: there is no NaN."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from evaluator.tick import Evaluator

LABELS = ("slo", "service", "environment")


class SloMetrics(Collector):
    """Reads the standings of the last tick whenever the metrics are scraped."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._state = evaluator.state

    def collect(self) -> Iterator[GaugeMetricFamily]:
        budget = GaugeMetricFamily(
            "ninelives_slo_error_budget_remaining_ratio",
            "Error budget left: 1 untouched, below 0 overspent.",
            labels=LABELS,
        )
        objective = GaugeMetricFamily("ninelives_slo_objective_ratio", "Promised share of good events.", labels=LABELS)
        burn = GaugeMetricFamily("ninelives_slo_burn_rate", "Burn rate by window.", labels=(*LABELS, "window"))
        state = GaugeMetricFamily("ninelives_slo_state", "1 for the state that holds.", labels=(*LABELS, "state"))
        for standing in self._state.standings:
            labels = (standing.slo.id, standing.slo.service, standing.slo.environment)
            now = standing.evaluation
            objective.add_metric(labels, float(standing.slo.target))
            state.add_metric((*labels, now.state), 1)
            if now.error_budget_remaining is not None:
                budget.add_metric(labels, now.error_budget_remaining)
            for window, rate in now.burn_rates.items():
                if rate is not None:
                    burn.add_metric((*labels, window), rate)
        yield from (budget, objective, burn, state)
