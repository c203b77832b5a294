"""Budgets and forecasts of objectives alert through a whole tick, and a source that fails is noted."""

from datetime import timedelta

import pytest

from alerts.transition import Transition
from evaluator import objectives
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from storage.slo_catalog import SloCatalog
from storage.transitions import transitions
from tests.integration.slo_world import MINUTE, SloWorld
from tests.slo_objective import objective

pytestmark = pytest.mark.slow

ALERTING = """none, ninelives/budget-alerts: "25% ticket; 0% page", ninelives/exhaustion-alert: 5h ticket"""


class Broken:
    """A source that raises until it is mended."""

    def __init__(self):
        self.broken = True

    def signals(self, _now):
        if self.broken:
            raise RuntimeError("no such rule")
        return []


@pytest.fixture
def world(database, store, otlp, tmp_path):
    world = SloWorld(database, store, otlp, tmp_path, hours_ago=2, raw_days=2)
    world.write(objective(target="0.9", window="6h", policy=ALERTING))
    return world


def test_budgets_that_run_low_out_and_empty_alert_and_are_told_in_order(world, monkeypatch):
    world.requests(range(-60, 0), good=100)
    forecast = objectives.forecasts
    made = []

    def counted(*args, **options):
        made.append(options["end"])
        return forecast(*args, **options)

    monkeypatch.setattr(objectives, "forecasts", counted)
    evaluator = world.evaluator()
    for minute, bad in enumerate([0, 0, 150, 400, 400]):
        world.requests([minute], good=100, bad=bad)
        world.tick(evaluator, minute + 1)
    rules = [
        (minute, item.rule, item.severity, item.state)
        for (minute, *_), item in zip(world.changes(), world.transitions(), strict=True)
    ]
    assert [rule for rule in rules if rule[1] != "shop/exhaustion"] == [
        (4, "shop/budget-25", "ticket", "firing"),
        (5, "shop/budget-0", "page", "firing"),
    ]
    last = next(item for item in world.transitions() if item.rule == "shop/budget-0")
    assert last.summary.startswith("the error budget of shop is exhausted: 950 bad of 745 allowed in the last 6 hours")
    assert len(made) == len(set(made)) <= 2, "a forecast is made once in five minutes"


@pytest.mark.parametrize(("within", "fired"), [("6h", True), ("5h", False)])
def test_a_budget_that_is_forecast_to_run_out_alerts_before_it_is_gone(world, within, fired):
    # the good requests of a busy night leave the window: 12 of 100 failed since then, and in 5.3 h nothing is left
    world.write(objective(target="0.9", window="12h", policy=f"none, ninelives/exhaustion-alert: {within} ticket"))
    world.requests(range(-690, -330), good=1000)
    world.requests(range(-330, 30), good=88, bad=12)
    world.tick(world.evaluator(), 30)
    found = [(item.rule, item.severity, item.details.alert_name, item.state) for item in world.transitions()]
    assert found == [("shop/exhaustion", "ticket", "SLOErrorBudgetRunsOut", "firing")] * fired


def test_a_source_that_fails_is_noted_and_stops_neither_objectives_nor_delivery(world, tmp_path):
    world.requests([0], good=100, bad=100)
    broken, store = Broken(), AlertStore(world.database, "one")
    evaluator = Evaluator(
        world.database,
        SloCatalog([tmp_path]),
        store,
        raw_retention=timedelta(days=2),
        sources=[broken],
    )
    evaluator.tick(world.at(1))
    assert evaluator.state.failures == {"Broken": "RuntimeError: no such rule"}
    assert evaluator.state.last_error == "Broken: RuntimeError: no such rule"
    assert evaluator.state.last_at == world.at(1), "one broken rule does not stop the signs of life"
    assert len(evaluator.state.standings) >= 1
    stored = [Transition.from_json(body) for body in transitions(world.database, since=world.start - timedelta(days=1))]
    assert {"shop/budget-25", "shop/budget-0"} <= {item.rule for item in stored}
    broken.broken = False
    evaluator.tick(world.at(1) + MINUTE / 4)
    assert (evaluator.state.failures, evaluator.state.last_error) == ({}, "")
    assert evaluator.state.last_at == world.at(1) + MINUTE / 4
