"""Objectives at /metrics. A value that is not known is left out: there is no NaN."""

import logging
import threading
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from evaluator.tick import TickState
from ninelives.slo_events import EventTotal, EventTotals
from ninelives.sloth_metrics import sloth_families
from storage.errors import DatabaseError
from storage.standing import Standing

log = logging.getLogger(__name__)

LABELS = ("slo", "service", "environment")


class SloMetrics(Collector):
    """Reads the standings of the last tick whenever the metrics are scraped."""

    def __init__(self, state: TickState, totals: EventTotals) -> None:
        self._state = state
        self._totals = totals
        self._counted: list[Standing] | None = None
        self._shown: Mapping[str, EventTotal] = {}
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        standings = self._state.standings
        yield from _families(standings)
        yield self._events(standings)
        yield from sloth_families(standings)

    def _events(self, standings: list[Standing]) -> CounterMetricFamily:
        events = CounterMetricFamily(
            "ninelives_slo_events",
            "Events that objectives count, since this process began; a minute is added when it is complete.",
            labels=(*LABELS, "result"),
        )
        with self._lock:
            self._update(standings)
            for standing in standings:
                total = self._shown.get(standing.slo.id)
                if total is not None:
                    events.add_metric((*_labels(standing), "good"), total.good)
                    events.add_metric((*_labels(standing), "bad"), total.bad)
        return events

    def _update(self, standings: list[Standing]) -> None:
        """Count what the last tick added; while the database is away the counters stand still."""
        if standings is self._counted or not standings:
            return
        try:
            self._shown = self._totals.update(
                (standing.slo for standing in standings), min(standing.as_of for standing in standings)
            )
            self._counted = standings
        except DatabaseError as error:
            log.warning("the events of objectives were not counted: %s", str(error)[:300])


def _families(standings: list[Standing]) -> Iterator[Metric]:
    budget = GaugeMetricFamily(
        "ninelives_slo_error_budget_remaining_ratio",
        "Error budget left: 1 untouched, below 0 overspent.",
        labels=LABELS,
    )
    objective = GaugeMetricFamily("ninelives_slo_objective_ratio", "Promised share of good events.", labels=LABELS)
    burn = GaugeMetricFamily("ninelives_slo_burn_rate", "Burn rate by window.", labels=(*LABELS, "window"))
    state = GaugeMetricFamily("ninelives_slo_state", "1 for the state that holds.", labels=(*LABELS, "state"))
    for standing in standings:
        labels, now = _labels(standing), standing.evaluation
        objective.add_metric(labels, float(standing.slo.target))
        state.add_metric((*labels, now.state), 1)
        if now.error_budget_remaining is not None:
            budget.add_metric(labels, now.error_budget_remaining)
        for window, rate in now.burn_rates.items():
            if rate is not None:
                burn.add_metric((*labels, window), rate)
    yield from (budget, objective, burn, state)


def _labels(standing: Standing) -> tuple[str, str, str]:
    return standing.slo.id, standing.slo.service, standing.slo.environment
