"""Rules over metrics of which one cannot be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.threshold import ThresholdRule
from evaluator import thresholds
from evaluator.alert_decisions import AlertDecisions
from evaluator.thresholds import ThresholdSource
from storage.errors import DatabaseError
from storage.metric_groups import GroupValue, MetricGroup, MetricGroups
from storage.metrics import MetricName
from tests.unit.test_evaluator_alert_decisions import Store

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TICK = timedelta(seconds=15)
REFUSED = DatabaseError("Code: 241. DB::Exception: memory limit exceeded")
AWAY = DatabaseError("connection refused")


class Metrics:
    """Every metric has one group, with a value that meets its condition; what is in `faults` raises."""

    def __init__(self):
        self.faults, self.asked = {}, []

    def groups(self, _database, query, _value: GroupValue, *, seen_since):
        self.asked.append(query.kind.metric)
        if query.kind.metric in self.faults:
            raise self.faults[query.kind.metric]
        return MetricGroups([MetricGroup(("shop", "prod"), 5.0, seen_since)], 1)


@pytest.fixture
def metrics(monkeypatch):
    found = Metrics()
    monkeypatch.setattr(thresholds, "metric_groups", found.groups)
    monkeypatch.setattr(thresholds, "metric_names", lambda _database, *, now, metric, service: [_gauge(metric, now)])
    return found


def _gauge(name, now):
    return MetricName(name, "gauge", "1", "", "", False, ["shop"], 1, now)


def rules(*names):
    fields = {"condition": "> 1", "aggregate": "max"}
    return [ThresholdRule.model_validate({"name": name, "metric": name, **fields}) for name in names]


@pytest.mark.parametrize("fault", [REFUSED, AWAY, RuntimeError("broken")], ids=str)
def test_a_rule_that_cannot_be_asked_is_named_and_keeps_its_alerts_while_the_others_go_on(metrics, fault):
    source = ThresholdSource(None, rules("a", "b", "c"))
    decisions = AlertDecisions(Store(), [source])
    assert [item.state for item in decisions.make(START)] == ["firing"] * 3
    metrics.faults["b"] = fault
    metrics.asked.clear()
    assert decisions.make(START + TICK) == []
    assert metrics.asked == ["a", "b", "c"]
    assert decisions.failures == {}
    assert list(source.problems) == ["b"]
    assert str(fault) in source.problems["b"][0]
    metrics.faults.clear()
    assert decisions.make(START + 2 * TICK) == []
    assert source.problems == {}


def test_an_evaluator_that_starts_while_a_rule_cannot_be_asked_does_not_end_its_alerts(metrics):
    store = Store()
    AlertDecisions(store, [ThresholdSource(None, rules("a", "b"))]).make(START)
    metrics.faults["b"] = REFUSED
    started = AlertDecisions(store, [ThresholdSource(None, rules("a", "b"))])
    assert started.make(START + TICK) == []


def test_a_database_that_is_away_is_not_waited_for_once_a_rule(metrics):
    metrics.faults = dict.fromkeys("abcd", AWAY)
    with pytest.raises(DatabaseError):
        ThresholdSource(None, rules(*"abcd")).signals(START)
    assert metrics.asked == ["a", "b"]


def test_a_rule_that_goes_on_failing_is_logged_once(metrics, caplog):
    metrics.faults["a"] = REFUSED
    source = ThresholdSource(None, rules("a"))
    for tick in range(3):
        source.signals(START + tick * TICK)
    assert [record.message.count("rule a: could not be asked") for record in caplog.records] == [1]
