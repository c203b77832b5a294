"""A tick's decisions: what one kind of rules cannot say leaves the others and its own alerts alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from alerts.timing import IMMEDIATELY, AlertTiming
from alerts.transition import AlertDetails
from evaluator.alert_decisions import AlertDecisions
from storage.errors import DatabaseError

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    rule: str
    met: bool = True
    slo_id: str = ""
    note: str = "fails"
    timing: AlertTiming = IMMEDIATELY
    severity = "ticket"
    service = "shop"
    environment = "prod"
    labels = ()

    @property
    def clear(self):
        return not self.met

    def firing_summary(self):
        return f"{self.rule} {self.note}"

    def resolved_summary(self):
        return f"{self.rule} works"

    def details(self):
        return AlertDetails("Rule", self.rule)


class Source:
    def __init__(self, *signals):
        self.found = signals

    def signals(self, _now):
        if isinstance(self.found, Exception):
            raise self.found
        return list(self.found)


class Other(Source):
    """Another kind of source."""


class Store:
    """Keeps transitions; `refuses` as if another evaluator had been first, `others_at` as if it decided then."""

    others_at = None

    def __init__(self):
        self.stored, self.batches, self.refuses = {}, [], False

    def latest(self):
        return self.stored

    def append(self, transitions, _now):
        if self.refuses:
            return False
        self.batches.append([(item.rule, item.state, item.summary) for item in transitions])
        self.stored = self.stored | {(item.rule, item.severity): item for item in transitions}
        return True


class Ticks:
    def __init__(self, *sources, retired=None):
        self.store, self._now = Store(), START
        self.retired = retired or {}
        self.decisions = AlertDecisions(self.store, sources, lambda _now: self.retired)

    def tick(self):
        """Return what this tick stored."""
        self._now += timedelta(seconds=15)
        known = len(self.store.batches)
        made = [(item.rule, item.state, item.summary) for item in self.decisions.make(self._now)]
        assert made == [item for batch in self.store.batches[known:] for item in batch]
        return made


def test_all_decisions_of_a_tick_are_one_batch():
    one, two = Source(Rule("a"), Rule("b")), Other(Rule("c"))
    ticks = Ticks(one, two)
    ticks.tick()
    one.found, two.found = (Rule("a", met=False), Rule("b")), (Rule("c", met=False), Rule("d"))
    ticks.tick()
    assert [[(rule, state) for rule, state, _ in batch] for batch in ticks.store.batches] == [
        [("a", "firing"), ("b", "firing"), ("c", "firing")],
        [("a", "resolved"), ("c", "resolved"), ("d", "firing")],
    ]


def test_a_tick_without_a_change_stores_nothing():
    ticks = Ticks(Source(Rule("a", met=False)))
    assert ticks.tick() == []
    assert ticks.store.batches == []


@pytest.mark.parametrize("fault", [RuntimeError("broken"), DatabaseError("timeout")])
def test_a_source_that_fails_stops_no_other_and_closes_nothing_of_its_own(fault):
    failing, sound = Source(Rule("a")), Other(Rule("b"))
    ticks = Ticks(failing, sound)
    ticks.tick()
    failing.found, sound.found = fault, (Rule("c"),)
    assert ticks.tick() == [("c", "firing", "c fails"), ("b", "resolved", "b: the rule was removed")]
    assert ticks.decisions.failures == {"Source": f"{type(fault).__name__}: {fault}"}
    failing.found = ()
    assert ticks.tick() == [("a", "resolved", "a: the rule was removed")]
    assert ticks.decisions.failures == {}


def test_after_a_start_a_failure_may_be_that_of_any_alert():
    failing, sound = Source(Rule("a")), Other(Rule("b"))
    before = Ticks(failing, sound)
    before.tick()
    failing.found, sound.found = RuntimeError("broken"), ()
    restarted = Ticks(failing, sound)
    restarted.store.stored = before.store.stored
    assert restarted.tick() == []
    failing.found = (Rule("a"),)
    assert restarted.tick() == [("b", "resolved", "b: the rule was removed")]


def test_an_objective_that_is_gone_is_named_as_such_and_a_rule_of_one_that_is_there_as_a_rule():
    source = Source(Rule("x", slo_id="x"), Rule("x/budget-0", slo_id="x"), Rule("y", slo_id="y"))
    ticks = Ticks(source)
    ticks.tick()
    source.found = (Rule("x", slo_id="x"),)
    assert ticks.tick() == [
        ("x/budget-0", "resolved", "x/budget-0: the rule was removed"),
        ("y", "resolved", "y: the objective was removed"),
    ]


def test_of_two_signals_of_one_alert_the_first_counts():
    ticks = Ticks(Source(Rule("a", note="first"), Rule("a", met=False)), Other(Rule("a", note="second")))
    assert ticks.tick() == [("a", "firing", "a first")]


def test_a_signal_brings_its_own_delays():
    ticks = Ticks(Source(Rule("a", timing=AlertTiming(pending_for=timedelta(seconds=15)))))
    assert [state for _ in range(3) for _, state, _ in ticks.tick()] == ["pending", "firing"]


def test_who_was_second_decides_again_on_what_the_first_stored():
    ticks = Ticks(Source(Rule("a")))
    ticks.store.refuses = True
    assert ticks.tick() == []
    assert ticks.decisions.elsewhere
    ticks.store.refuses = False
    assert ticks.tick() == [("a", "firing", "a fails")]
    assert not ticks.decisions.elsewhere


@pytest.mark.parametrize(("ago_s", "elsewhere"), [(0, True), (9, True), (11, False)])
def test_who_finds_what_another_evaluator_decided_just_now_leaves_it_to_that_one(ago_s, elsewhere):
    ticks = Ticks(Source(Rule("a")))
    ticks.store.others_at = START + timedelta(seconds=15 - ago_s)
    ticks.tick()
    assert ticks.decisions.elsewhere is elsewhere


@dataclass(frozen=True)
class Silent(Rule):
    """A rule that nothing is known of: it is neither met nor clear."""

    met: bool = False
    clear = False


def test_the_alerts_of_a_retired_service_end_whatever_their_rules_say():
    source = Source(Rule("a"), Rule("b"))
    ticks = Ticks(source)
    ticks.tick()
    source.found = (Silent("a"), Rule("b"))
    assert ticks.tick() == []
    ticks.retired = {("shop", "prod"): "shop in prod was retired"}
    assert ticks.tick() == [
        ("a", "resolved", "a: shop in prod was retired"),
        ("b", "resolved", "b: shop in prod was retired"),
    ]
    ticks.retired = {("shop", "staging"): "another"}
    assert ticks.tick() == [("b", "firing", "b fails")]


def test_that_nobody_knows_who_is_retired_stops_no_decision():
    ticks = Ticks(Source(Rule("a")))

    def unknown(_now):
        raise DatabaseError("timeout")

    ticks.decisions = AlertDecisions(ticks.store, [Source(Rule("a"))], unknown)
    assert ticks.tick() == [("a", "firing", "a fails")]
