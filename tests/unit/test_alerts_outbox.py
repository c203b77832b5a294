from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.backoff import FIRST, LONGEST, backoff
from alerts.errors import ChannelError
from alerts.outbox import STALE_AFTER, DeliveryReport, Outbox
from alerts.transition import AlertDetails, Transition, WindowDetails

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = WindowDetails("30d", 0, 0, 0, None)
DETAILS = AlertDetails("SLOErrorBudgetBurn", "pay", Decimal("0.999"), None, WINDOW, None, ())


def _transition(alert_id="a", state="firing", at=NOW, fired=True, sequence=None):
    return Transition(
        alert_id=alert_id,
        sequence=sequence or {"pending": 1, "firing": 2, "resolved": 3}[state],
        slo_id="pay",
        service="pay",
        environment="",
        severity="page",
        state=state,
        at=at,
        started_at=at,
        fired_at=at if fired else None,
        resolved_at=at if state == "resolved" else None,
        summary=f"{alert_id} {state}",
        details=DETAILS,
    )


FIRING = _transition()
RESOLVED = _transition(state="resolved", at=NOW + MINUTE)


class MemoryStore:
    """Keeps deliveries as the database does: the last status of each transition and channel counts."""

    def __init__(self, *transitions):
        self.transitions = list(transitions)
        self.marks = []

    def undelivered(self, channel):
        last = {(t.idempotency_key, name): status for t, name, status, *_ in self.marks}
        return [t for t in reversed(self.transitions) if last.get((t.idempotency_key, channel), "failed") == "failed"]

    def mark(self, transition, channel, status, *, attempt, error, at):
        self.marks.append((transition, channel, status, attempt, error, at))

    def statuses(self, channel="c"):
        return [(t.state, status, attempt) for t, name, status, attempt, *_ in self.marks if name == channel]


class ScriptedChannel:
    """Fails with the given errors, one an attempt, and then receives."""

    def __init__(self, *errors, name="c"):
        self.name = name
        self.errors = list(errors)
        self.received = []

    def send(self, message):
        if self.errors:
            raise self.errors.pop(0)
        self.received.append((message.status, message.idempotency_key))


RETRY = ChannelError("503", permanent=False)
REFUSED = ChannelError("400", permanent=True)


def test_firing_goes_before_resolved_and_nothing_is_sent_twice():
    store, channel = MemoryStore(FIRING, RESOLVED), ScriptedChannel()
    outbox = Outbox([channel], store, "https://nl.example")
    assert outbox.deliver(NOW) == DeliveryReport(sent=2)
    assert outbox.deliver(NOW + MINUTE) == DeliveryReport()
    assert channel.received == [("firing", "a-2"), ("resolved", "a-3")]
    assert store.statuses() == [("firing", "sent", 1), ("resolved", "sent", 1)]


def test_nobody_is_told_of_an_alert_that_never_fired():
    store = MemoryStore(_transition(state="pending", fired=False), _transition(state="resolved", fired=False))
    channel = ScriptedChannel()
    assert Outbox([channel], store).deliver(NOW) == DeliveryReport(skipped=2)
    assert channel.received == []
    assert store.undelivered("c") == []


def test_a_failed_delivery_waits_and_holds_back_what_comes_after_it():
    store, channel = MemoryStore(FIRING, RESOLVED), ScriptedChannel(RETRY, RETRY)
    outbox = Outbox([channel], store)
    assert outbox.deliver(NOW) == DeliveryReport(failed=1)
    assert outbox.deliver(NOW + timedelta(seconds=1)) == DeliveryReport()
    assert channel.received == []
    assert outbox.deliver(NOW + MINUTE) == DeliveryReport(failed=1)
    assert outbox.deliver(NOW + 2 * MINUTE) == DeliveryReport(sent=2)
    assert store.statuses() == [
        ("firing", "failed", 1),
        ("firing", "failed", 2),
        ("firing", "sent", 3),
        ("resolved", "sent", 1),
    ]


def test_a_waiting_alert_holds_back_no_other_alert():
    store, channel = MemoryStore(FIRING, _transition("b", at=NOW + MINUTE)), ScriptedChannel(RETRY)
    outbox = Outbox([channel], store)
    outbox.deliver(NOW)
    assert outbox.deliver(NOW + timedelta(seconds=1)) == DeliveryReport(sent=1)
    assert channel.received == [("firing", "b-2")]


def test_a_channel_that_does_not_answer_is_tried_once_a_round():
    store = MemoryStore(*(_transition(f"alert{number}") for number in range(50)))
    channel = ScriptedChannel(*[RETRY] * 50)
    assert Outbox([channel], store).deliver(NOW) == DeliveryReport(failed=1)
    assert len(channel.errors) == 49


def test_a_refused_message_is_dead_and_the_end_of_its_alert_is_still_told():
    store, channel = MemoryStore(FIRING, RESOLVED), ScriptedChannel(REFUSED)
    assert Outbox([channel], store).deliver(NOW) == DeliveryReport(dead=1, sent=1)
    assert store.statuses() == [("firing", "dead", 1), ("resolved", "sent", 1)]
    assert store.marks[0][4] == "400"
    assert store.undelivered("c") == []


@pytest.mark.parametrize("error", [RETRY, REFUSED, RuntimeError("a bug in the channel")])
def test_a_channel_that_fails_stops_no_other(error):
    broken, working = ScriptedChannel(error, name="broken"), ScriptedChannel(name="working")
    store = MemoryStore(FIRING)
    Outbox([broken, working], store).deliver(NOW)
    assert working.received == [("firing", "a-2")]
    assert store.statuses("broken")[0][1] in ("failed", "dead")


def test_after_a_restart_what_was_not_delivered_is_tried_again():
    store = MemoryStore(FIRING)
    Outbox([ScriptedChannel(RETRY)], store).deliver(NOW)
    channel = ScriptedChannel()
    Outbox([channel], store).deliver(NOW + timedelta(seconds=1))
    assert channel.received == [("firing", "a-2")]


def test_a_new_channel_is_told_of_what_still_fires_but_not_of_history():
    store = MemoryStore(FIRING, RESOLVED, _transition("still", at=NOW + 2 * MINUTE))
    channel = ScriptedChannel()
    later = NOW + STALE_AFTER + timedelta(hours=1)
    assert Outbox([channel], store).deliver(later) == DeliveryReport(sent=1, skipped=2)
    assert channel.received == [("firing", "still-2")]


def test_the_end_of_an_alert_that_was_told_is_told_however_late():
    store, channel = MemoryStore(FIRING), ScriptedChannel()
    outbox = Outbox([channel], store)
    outbox.deliver(NOW)
    store.transitions.append(RESOLVED)
    outbox.deliver(NOW + 2 * STALE_AFTER)
    assert channel.received == [("firing", "a-2"), ("resolved", "a-3")]


def test_an_alert_that_was_tried_in_vain_for_a_day_is_still_tried():
    store, channel = MemoryStore(FIRING, RESOLVED), ScriptedChannel(RETRY)
    outbox = Outbox([channel], store)
    outbox.deliver(NOW)
    assert outbox.deliver(NOW + 2 * STALE_AFTER) == DeliveryReport(sent=2)


@given(st.integers(1, 10**6), st.text(max_size=10))
def test_the_wait_doubles_up_to_its_limit_and_keeps_its_share_of_chance(attempt, key):
    full = min(FIRST * 2 ** min(attempt - 1, 10), LONGEST)
    assert full / 2 <= backoff(attempt, key) <= full
    assert backoff(attempt, key) == backoff(attempt, key)


def test_deliveries_that_failed_together_do_not_come_back_together():
    waits = {backoff(5, f"alert{number}") for number in range(100)}
    assert len(waits) > 90
    assert max(waits) - min(waits) > timedelta(seconds=30)


def test_whoever_was_told_of_a_firing_alert_is_told_of_its_end_whatever_lay_between():
    # Alertmanager: an alert that was silenced meanwhile is never resolved at its receiver
    store, channel = MemoryStore(FIRING), ScriptedChannel()
    Outbox([channel], store, "https://nl.example").deliver(NOW)
    over = _transition(state="resolved", at=NOW + timedelta(hours=1))
    store.transitions.append(over)
    channel.errors = [RETRY] * 3
    late = NOW + STALE_AFTER + timedelta(hours=2)
    for minutes in range(0, 600, 60):  # restarted in between: nothing of this is in memory
        Outbox([channel], store, "https://nl.example").deliver(late + minutes * MINUTE)
    assert channel.received == [("firing", "a-2"), ("resolved", "a-3")]
