import re
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.burn_rate import BurnRateSignal, signals_of
from alerts.decide import decide
from alerts.timing import AlertTiming
from alerts.transition import readable
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.model import EventCounts
from slo.policy import NO_POLICY
from slo.policy_text import read_policy
from slo.standard_policy import standard_policy
from slo.window import RollingWindow

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DRAFT = drafts("checkout", "prod")[0]
STANDARD = replace(DRAFT, draft=False, policy=standard_policy(DRAFT.target, DRAFT.period).policy)
BREACH = replace(STANDARD, policy=read_policy("objective-breach", "5m/1m page", DRAFT.target, DRAFT.period).policy)

MET, CLEAR, SILENT = EventCounts(900, 1000), EventCounts(1000, 1000), EventCounts(0, 0)


def _signal(counts, slo=BREACH):
    windows = dict.fromkeys(needed_windows(slo, START), counts) | {slo.period: EventCounts(10**7, 10**7)}
    return signals_of(slo, evaluate(slo, windows, end=START, coverage=1.0))[0]


class Replay:
    """Ticks one alert once a minute and keeps its transitions."""

    def __init__(self, timing=None, slo=BREACH):
        self.timing, self.slo = timing or AlertTiming(), slo
        self.memory, self.changes, self.now = None, [], START

    def tick(self, counts, minutes=1):
        signal = _signal(counts, self.slo)
        change = decide(self.memory, signal, self.now, self.timing)
        if change is not None:
            self.memory = change
            self.changes.append(change)
        self.now += timedelta(minutes=minutes)
        return change

    @property
    def states(self):
        return [(change.state, change.sequence) for change in self.changes]


def test_an_alert_fires_at_once_and_ends_when_the_condition_is_clear():
    replay = Replay()
    for counts in (CLEAR, MET, MET, CLEAR, CLEAR):
        replay.tick(counts)
    assert replay.states == [("firing", 1), ("resolved", 2)]
    fired, resolved = replay.changes
    assert fired.alert_id == resolved.alert_id == f"checkout-prod-availability-page-{int(START.timestamp()) // 60 + 1}"
    assert (fired.at, fired.started_at, fired.fired_at, fired.resolved_at) == (
        *[START + timedelta(minutes=1)] * 3,
        None,
    )
    assert (resolved.started_at, resolved.resolved_at) == (fired.started_at, START + timedelta(minutes=3))
    assert (fired.service, fired.environment, fired.severity) == ("checkout", "prod", "page")


def test_without_data_an_alert_neither_ends_nor_fires():
    replay = Replay()
    for counts in (SILENT, SILENT, MET, *[SILENT] * 1000, CLEAR):
        replay.tick(counts)
    assert replay.states == [("firing", 1), ("resolved", 2)]
    assert replay.changes[1].at == START + timedelta(minutes=1003)


def test_one_condition_without_data_keeps_the_alert_while_another_is_clear():
    counts = dict.fromkeys(needed_windows(STANDARD, START), CLEAR) | {timedelta(minutes=5): SILENT}
    signal = BurnRateSignal(STANDARD, evaluate(STANDARD, counts, end=START, coverage=1.0), "page")
    assert not signal.met
    assert not signal.clear
    firing = decide(None, _signal(MET, STANDARD), START)
    assert decide(firing, signal, START + timedelta(minutes=1)) is None


def test_any_met_condition_of_a_severity_raises_that_severity_only():
    counts = dict.fromkeys(needed_windows(STANDARD, START), CLEAR)
    counts |= {timedelta(hours=6): EventCounts(993, 1000), timedelta(minutes=30): EventCounts(993, 1000)}
    page, ticket = signals_of(STANDARD, evaluate(STANDARD, counts, end=START, coverage=1.0))
    assert decide(None, page, START).severity == "page"
    assert decide(None, ticket, START) is None


def test_a_pending_alert_fires_only_after_its_time_and_keeps_its_start():
    replay = Replay(AlertTiming(pending_for=timedelta(minutes=2)))
    for counts in (MET, MET, MET, MET, CLEAR):
        replay.tick(counts)
    assert replay.states == [("pending", 1), ("firing", 2), ("resolved", 3)]
    pending, fired, _ = replay.changes
    assert (pending.fired_at, fired.started_at, fired.fired_at) == (None, START, START + timedelta(minutes=2))


def test_a_pending_alert_that_clears_ends_without_ever_having_fired():
    replay = Replay(AlertTiming(pending_for=timedelta(minutes=2)))
    for counts in (MET, CLEAR, MET):
        replay.tick(counts)
    assert replay.states == [("pending", 1), ("resolved", 2), ("pending", 1)]
    assert replay.changes[1].fired_at is None


def test_silence_does_not_let_a_pending_alert_fire():
    replay = Replay(AlertTiming(pending_for=timedelta(minutes=1)))
    for counts in (MET, SILENT, SILENT, MET):
        replay.tick(counts)
    assert [change.at for change in replay.changes] == [START, START + timedelta(minutes=3)]


def test_keep_firing_for_waits_until_the_condition_stays_clear():
    replay = Replay(AlertTiming(keep_firing_for=timedelta(minutes=2)))
    for counts in (MET, CLEAR, MET, CLEAR, CLEAR, CLEAR):
        replay.tick(counts)
    assert replay.states == [("firing", 1), ("firing", 2), ("firing", 3), ("firing", 4), ("resolved", 5)]
    assert [change.clear_since for change in replay.changes] == [
        None,
        START + timedelta(minutes=1),
        None,
        START + timedelta(minutes=3),
        None,
    ]
    assert [change.changes_state for change in replay.changes] == [True, False, False, False, True]
    assert replay.changes[-1].at == START + timedelta(minutes=5)


def test_a_new_episode_has_a_new_id_even_within_the_same_minute():
    first = decide(None, _signal(MET), START)
    resolved = decide(first, _signal(CLEAR), START + timedelta(seconds=15))
    again = decide(resolved, _signal(MET), START + timedelta(seconds=30))
    assert again.alert_id != first.alert_id
    assert (again.sequence, again.started_at) == (1, START + timedelta(seconds=30))


def test_a_policy_that_no_longer_asks_for_the_alert_ends_it():
    fired = decide(None, _signal(MET), START)
    ended = decide(fired, _signal(MET, replace(BREACH, policy=NO_POLICY)), START + timedelta(minutes=1))
    assert (ended.state, ended.details.alert_name) == ("resolved", "SLOObjectiveBreach")
    assert ended.summary == "checkout availability: its policy no longer alerts with severity page"


@pytest.mark.parametrize("counts", [MET, CLEAR, SILENT])
def test_a_time_that_was_decided_already_changes_nothing(counts):
    fired = decide(None, _signal(MET), START)
    for earlier in (START, START - timedelta(seconds=15)):
        assert decide(fired, _signal(counts), earlier) is None


def test_evidence_of_the_firing_alert_stays_with_its_end():
    fired = decide(None, _signal(MET), START).with_evidence(("4bf92f3577b34da6a3ce929d0e0e4736",))
    ended = decide(fired, _signal(CLEAR), START + timedelta(minutes=1))
    assert ended.details.exemplar_trace_ids == ("4bf92f3577b34da6a3ce929d0e0e4736",)


@pytest.mark.parametrize("slo_id", ["checkout:gold", "x" * 63, "a.b", "UPPER"])
def test_an_alert_id_is_a_dns_label_that_tells_similar_objectives_apart(slo_id):
    made = decide(None, _signal(MET, replace(BREACH, id=slo_id)), START).alert_id
    similar = decide(None, _signal(MET, replace(BREACH, id=re.sub("[:.]", "-", slo_id.lower())[:62])), START).alert_id
    assert len(made) <= 63
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert made != similar


timings = st.builds(
    AlertTiming,
    st.integers(0, 3).map(lambda m: timedelta(minutes=m)),
    st.integers(0, 3).map(lambda m: timedelta(minutes=m)),
)


@given(st.lists(st.sampled_from([MET, CLEAR, SILENT]), max_size=30), timings)
def test_for_every_history_states_follow_the_machine_and_sequences_grow_by_one(history, timing):
    replay = Replay(timing)
    for counts in history:
        change = replay.tick(counts)
        if counts is SILENT:
            assert change is None
    allowed = {(None, "firing"), (None, "pending"), ("pending", "firing"), ("pending", "resolved")}
    allowed |= {("firing", "firing"), ("firing", "resolved"), ("resolved", "firing"), ("resolved", "pending")}
    before = None
    for change in replay.changes:
        assert (before.state if before else None, change.state) in allowed
        new_episode = before is None or before.state == "resolved"
        assert change.sequence == (1 if new_episode else before.sequence + 1)
        assert new_episode == (before is None or change.alert_id != before.alert_id)
        before = change


@given(st.lists(st.sampled_from([MET, CLEAR, SILENT]), max_size=20), timings)
def test_every_tick_may_be_repeated_without_another_transition(history, timing):
    once, twice = Replay(timing), Replay(timing)
    for counts in history:
        once.tick(counts)
        twice.tick(counts, minutes=0)
        twice.tick(counts)
    assert once.changes == twice.changes


class Service:
    """A service of 1,000 requests a minute, whose windows are summed from its minutes."""

    def __init__(self, slo):
        self.slo = slo
        longest = int(slo.period / timedelta(minutes=1))
        self.minutes = deque([EventCounts(1000, 1000)] * longest, maxlen=longest)

    def counts(self):
        cumulative, windows = EventCounts(0, 0), {}
        wanted = {int(window / timedelta(minutes=1)): window for window in needed_windows(self.slo, START)}
        for age, minute in enumerate(reversed(self.minutes), 1):
            cumulative += minute
            if age in wanted:
                windows[wanted[age]] = cumulative
        return windows


def test_the_workbooks_incident_pages_in_its_sixth_minute_and_ends_five_minutes_after_it():
    """15 % of requests fail for 10 minutes at 99.9 % (Site Reliability Workbook, figure 5-6: exactly 5.76 minutes)."""
    service = Service(replace(STANDARD, window=RollingWindow(timedelta(days=14))))
    changes, memory = [], None
    for minute in range(1, 31):
        service.minutes.append(EventCounts(850, 1000) if minute <= 10 else EventCounts(1000, 1000))
        now = START + timedelta(minutes=minute)
        page = signals_of(STANDARD, evaluate(service.slo, service.counts(), end=START, coverage=1.0))[0]
        change = decide(memory, page, now)
        memory = change or memory
        changes += [(change.state, minute)] if change else []
    assert changes == [("firing", 6), ("resolved", 15)]


def test_a_stored_change_that_cannot_be_read_stops_no_other_alert(caplog):
    replay = Replay()
    replay.tick(MET)
    (fired,) = replay.changes
    assert readable(["{}", fired.to_json(), "no JSON"]) == [fired]
    assert len(caplog.records) == 2
