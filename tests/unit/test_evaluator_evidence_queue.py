"""A thousand alerts at once: pages first, a few each tick, nothing that stops evaluation or messages."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from evaluator.evidence_queue import FEW, EvidenceQueue
from tests.unit.evidence_examples import AT, evidence, transition

SECOND = timedelta(seconds=1)


class Gathering:
    """Takes a second for each alert; what it was asked for, and which alerts it cannot gather for."""

    def __init__(self, broken=()):
        self.asked, self.kept, self.broken, self.seconds = [], [], set(broken), 0.0

    def gather(self, alert, slo, evaluation, end, *, now):
        self.seconds += 1
        self.asked.append((alert.alert_id, end))
        if alert.alert_id in self.broken:
            raise RuntimeError("no such thing")
        return evidence(alert_id=alert.alert_id, gathered_at=now)

    def queue(self):
        return EvidenceQueue(self, lambda alert, _: self.kept.append(alert.alert_id), clock=lambda: self.seconds)


def alert(number, *, severity="ticket", at=AT):
    return transition(alert_id=f"a-{number}", severity=severity, at=at, started_at=at, fired_at=at)


def test_newest_pages_come_first_and_the_rest_in_later_ticks():
    gathering = Gathering()
    queue = gathering.queue()
    for number in range(6):
        queue.add(alert(number, severity="page" if number % 2 else "ticket", at=AT + number * SECOND))
    queue.work(AT + 15 * SECOND, budget=4 * SECOND)
    assert gathering.kept == ["a-5", "a-3", "a-1", "a-4"]
    assert [found.alert_id for found in queue.work(AT + 30 * SECOND, budget=4 * SECOND)] == ["a-2", "a-0"]
    assert queue.work(AT + 45 * SECOND) == []


def test_a_thousand_alerts_cost_a_tick_no_more_than_its_budget_and_what_is_too_old_is_dropped(caplog):
    gathering = Gathering()
    queue = gathering.queue()
    for number in range(1000):
        queue.add(alert(number))
    before = gathering.seconds
    for tick in range(1, 50):
        queue.work(AT + tick * 15 * SECOND, budget=4 * SECOND)
        assert gathering.seconds - before <= 4
        before = gathering.seconds
    assert len(gathering.kept) == 40 * 4
    assert len(queue) == 0
    assert sum("no evidence for alert" in record.message for record in caplog.records) == 1000 - 160


def test_an_alert_whose_evidence_cannot_be_gathered_or_kept_costs_the_others_nothing():
    gathering = Gathering(broken={"a-1"})
    queue = gathering.queue()
    for number in range(3):
        queue.add(alert(number))
    assert len(queue.work(AT, budget=10 * SECOND)) == 2
    assert len(queue) == 0


def test_an_alert_that_is_added_twice_is_gathered_once():
    gathering = Gathering()
    queue = gathering.queue()
    queue.add(alert(1))
    queue.add(replace(alert(1), sequence=2))
    assert len(queue.work(AT, budget=10 * SECOND)) == 1


def test_without_an_objective_the_windows_end_with_the_minute_of_the_alert():
    gathering = Gathering()
    queue = gathering.queue()
    queue.add(alert(1))
    queue.work(AT)
    assert gathering.asked == [("a-1", AT.replace(second=0))]


class Hanging:
    """Says when it was asked, and answers when it may."""

    def __init__(self):
        self.asked, self.may, self.kept = threading.Event(), threading.Event(), []

    def gather(self, alert, slo, evaluation, end, *, now):
        self.asked.set()
        assert self.may.wait(10)
        return evidence(alert_id=alert.alert_id, gathered_at=now)

    def keep(self, alert, _):
        self.kept.append(alert.alert_id)


@pytest.fixture
def hanging():
    found = Hanging()
    yield found
    found.may.set()


def seconds(call):
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_messages_wait_for_evidence_that_is_soon_there(hanging):
    queue = EvidenceQueue(hanging, hanging.keep, patience=10 * SECOND)
    for number in range(FEW):
        queue.add(alert(number))
    threading.Timer(0.1, hanging.may.set).start()
    assert queue.gather(AT)
    assert len(hanging.kept) == FEW


def test_messages_wait_no_longer_than_there_is_patience_and_the_evidence_comes_later(hanging):
    queue = EvidenceQueue(hanging, hanging.keep, patience=0.2 * SECOND)
    queue.add(alert(1))
    complete, took_s = seconds(lambda: queue.gather(AT))
    assert not complete
    assert 0.2 <= took_s < 2
    again, took_s = seconds(lambda: queue.gather(AT + 15 * SECOND))
    assert again, "nothing was added since"
    assert took_s < 0.2
    hanging.may.set()
    assert queue.stop(10)
    assert hanging.kept == ["a-1"]


def test_messages_about_many_alerts_do_not_wait_and_the_evidence_comes_later(hanging):
    queue = EvidenceQueue(hanging, hanging.keep, patience=10 * SECOND)
    for number in range(FEW + 1):
        queue.add(alert(number))
    complete, took_s = seconds(lambda: queue.gather(AT))
    assert not complete
    assert took_s < 5
    hanging.may.set()
    queue.add(alert("new", severity="page"))
    assert queue.gather(AT)
    assert "a-new" in hanging.kept


def test_after_the_stop_nothing_more_is_gathered(hanging):
    queue = EvidenceQueue(hanging, hanging.keep, patience=0.01 * SECOND)
    for number in range(3):
        queue.add(alert(number))
    queue.gather(AT)
    assert hanging.asked.wait(10)
    assert not queue.stop(0.05)
    hanging.may.set()
    assert queue.stop(10)
    queue.gather(AT)
    assert queue.stop(10)
    assert len(hanging.kept) == 1


def test_what_was_gathered_once_is_gathered_again_when_it_is_added_again():
    gathering = Gathering()
    queue = gathering.queue()
    for _ in range(2):
        queue.add(alert(1))
        assert queue.gather(AT)
    assert gathering.kept == ["a-1", "a-1"]
