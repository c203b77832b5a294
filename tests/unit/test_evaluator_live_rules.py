"""Sources of signals that follow alerts.yaml."""

from alerts.config import AlertingConfig
from alerts.silent_service import NoDataRule
from evaluator.live_rules import ConfiguredSilence, ConfiguredThresholds
from tests.unit.test_evaluator_threshold_faults import REFUSED, START, metrics, rules

__all__ = ["metrics"]


def test_rules_over_metrics_are_those_of_the_configuration_in_force(metrics):
    in_force = [AlertingConfig(rules=tuple(rules("a")))]
    source = ConfiguredThresholds(None, lambda: in_force[-1])
    assert [signal.threshold.name for signal in source.signals(START)] == ["a"]
    in_force.append(AlertingConfig(rules=tuple(rules("b", "c"))))
    metrics.faults["c"] = REFUSED
    assert [signal.threshold.name for signal in source.signals(START)] == ["b"]
    assert list(source.problems) == ["c"]
    assert source.why_unsaid("threshold/c/service=shop&environment=prod") == ""
    assert source.why_unsaid("threshold/a/service=shop&environment=prod") is None


def test_an_alert_on_silence_ends_with_the_reason_that_it_was_switched_off(monkeypatch):
    monkeypatch.setattr("evaluator.live_rules.SilentServiceSource", lambda _database, rule: _Silent(rule))
    in_force = [AlertingConfig()]
    source = ConfiguredSilence(None, lambda: in_force[-1])
    assert source.signals(START) == [True]
    assert source.why_unsaid("silence/shop/prod") == "it is not watched any more"
    assert source.why_unsaid("shop-availability") is None
    in_force.append(AlertingConfig(no_data=NoDataRule(enabled=False)))
    assert source.signals(START) == [False]
    assert source.why_unsaid("silence/shop/prod") == "no_data was switched off in the alert file"


class _Silent:
    """Says whether its rule is on."""

    def __init__(self, rule):
        self._rule = rule

    def signals(self, _now):
        return [self._rule.enabled]
