"""Objectives at /metrics over a real database, tick by tick."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from ninelives.compose import watch_evaluator
from storage.slo_catalog import SloCatalog

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
LABELS = {"slo": "shop-prod-availability", "service": "shop", "environment": "prod"}


class World:
    """A service's traffic minute by minute, half an hour ago, its draft objectives and what is scraped."""

    def __init__(self, database, store, otlp):
        self._database, self._store, self._otlp = database, store, otlp
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) - 30 * MINUTE
        alerts = AlertStore(database, "one")
        self.evaluator = Evaluator(database, SloCatalog([]), alerts, raw_retention=timedelta(days=14))
        self.registry = CollectorRegistry()
        watch_evaluator(self.registry, self.evaluator, database)

    def traffic(self, minute, *, good, bad=0):
        at = self._otlp.ns(self.start + minute * MINUTE)
        spans = [self._otlp.span(start_ns=at + n * 10**9, status=2 if n < bad else 0) for n in range(good + bad)]
        self._store(self._database, self._otlp.traces(*spans))

    def tick(self, minute):
        """Evaluate when the minute number *minute* is complete, lateness included."""
        self.evaluator.tick(self.start + (minute + 1) * MINUTE + timedelta(seconds=11))
        assert self.evaluator.state.last_error == ""

    def events(self):
        name = "ninelives_slo_events_total"
        return tuple(self.registry.get_sample_value(name, LABELS | {"result": result}) for result in ("good", "bad"))

    def sloth(self, name, **labels):
        ids = {"sloth_id": LABELS["slo"], "sloth_slo": LABELS["slo"], "sloth_service": "shop"}
        return self.registry.get_sample_value(name, ids | labels)


@pytest.fixture
def world(database, store, otlp):
    return World(database, store, otlp)


def test_the_counter_adds_every_minute_once_and_late_events_when_they_arrive(world):
    world.traffic(0, good=9, bad=1)
    world.tick(0)
    assert world.events() == (0, 0)
    world.traffic(1, good=19, bad=3)
    world.tick(1)
    assert world.events() == world.events() == (19, 3)
    world.tick(2)
    assert world.events() == (19, 3)
    world.traffic(1, good=5, bad=2)
    world.traffic(3, good=1)
    world.tick(3)
    assert world.events() == (25, 5)


def test_the_gauges_are_sums_over_sums_of_the_same_events(world):
    world.traffic(0, good=50, bad=0)
    world.traffic(10, good=6, bad=4)
    world.tick(10)
    short, long = (world.sloth(f"slo:sli_error:ratio_rate{w}", sloth_window=w) for w in ("5m", "30d"))
    assert short == pytest.approx(4 / 10, rel=1e-15)
    assert long == 4 / 60
    assert world.sloth("slo:period_burn_rate:ratio", sloth_window="30d") == pytest.approx(4 / 60 / 0.001, rel=1e-15)
