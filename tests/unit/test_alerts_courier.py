import random
import threading
import time
from datetime import timedelta

import pytest

from alerts.courier import Courier
from alerts.errors import ChannelError
from tests.unit.deliveries import NOW, always, message, notification

RETRY = ChannelError("503", permanent=False)
REFUSED = ChannelError("400", permanent=True)
SOON_S = 0.02


class Channel:
    """Fails with the given errors, one an attempt, and then receives; while `answering` is not set it hangs."""

    def __init__(self, *errors, name="team/hook-1"):
        self.name = name
        self.errors = list(errors)
        self.received = []
        self.at_once = self.most_at_once = 0
        self.answering = threading.Event()
        self.answering.set()
        self._lock = threading.Lock()

    def send(self, told):
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self.answering.wait(20)
            with self._lock:
                if self.errors:
                    raise self.errors.pop(0)
                self.received.append(told.idempotency_key)
        finally:
            with self._lock:
                self.at_once -= 1


class Store:
    """Keeps outcomes; fails while `broken` is set."""

    def __init__(self):
        self.batches = []
        self.broken = threading.Event()

    def store(self, attempts):
        if self.broken.is_set():
            raise OSError("the disk is full")
        self.batches.append(list(attempts))

    def outcomes(self):
        return [(item.attempt, item.status, item.error) for batch in self.batches for item in batch]

    def statuses(self):
        return {item.notification_id: item.status for batch in self.batches for item in batch}


@pytest.fixture
def courier():
    made = []

    def make(*channels, store=None, **options):
        found = Courier(channels, store or Store(), **{"clock": lambda: NOW, "wait": always(SOON_S)} | options)
        made.append((found, channels))
        return found

    yield make
    for found, channels in made:
        for channel in channels:
            channel.answering.set()
        found.stop(5)


def until(condition, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def offer(courier, *items):
    return [courier.offer(item, message(item)) for item in items]


def test_a_message_is_sent_once_and_let_go_when_that_is_stored(courier):
    channel, store = Channel(), Store()
    found, item = courier(channel, store=store), notification()
    store.broken.set()
    assert offer(found, item, item) == [True, True]
    until(lambda: channel.received)
    assert found.holds() == {item.id}
    store.broken.clear()
    until(lambda: not found.holds())
    assert channel.received == [item.id]
    assert store.outcomes() == [(1, "sent", "")]


def test_a_failed_message_is_tried_until_it_arrives_and_each_attempt_is_stored(courier):
    channel, store = Channel(RETRY, RuntimeError("a bug in the channel"), RETRY), Store()
    found = courier(channel, store=store)
    found.offer(notification(), message(notification()), attempts=4)
    until(lambda: not found.holds())
    assert store.outcomes() == [
        (5, "failed", "503"),
        (6, "failed", "RuntimeError: a bug in the channel"),
        (7, "failed", "503"),
        (8, "sent", ""),
    ]


def test_a_refused_message_is_dead_and_the_next_of_its_group_is_told(courier):
    channel, store = Channel(REFUSED), Store()
    found = courier(channel, store=store)
    first, second = notification(number=1), notification(number=2)
    offer(found, first, second)
    until(lambda: not found.holds())
    assert store.statuses() == {first.id: "dead", second.id: "sent"}
    assert channel.received == [second.id]


def test_what_is_a_day_old_and_fails_is_given_up(courier):
    store = Store()
    found = courier(Channel(RETRY), store=store)
    offer(found, notification(at=NOW - timedelta(hours=25)))
    until(lambda: not found.holds())
    assert store.outcomes() == [(1, "dead", "503")]


def test_a_channel_that_hangs_delays_no_other_and_keeps_a_few_threads_only(courier):
    hanging, working = Channel(name="team/hook-1"), Channel(name="team/hook-2")
    hanging.answering.clear()
    found = courier(hanging, working)
    began = time.monotonic()
    offer(found, *(notification(f"group{number}") for number in range(50)))
    items = [notification(f"group{number}", channel=working.name) for number in range(50)]
    offer(found, *items)
    until(lambda: len(working.received) == 50)
    assert time.monotonic() - began < 5
    assert hanging.most_at_once == 4
    hanging.answering.set()
    until(lambda: not found.holds())
    assert len(hanging.received) == 50


def test_messages_of_one_group_are_sent_one_at_a_time_and_in_order(courier):
    channel = Channel(*[RETRY] * 20)
    found = courier(channel)
    items = [notification(number=number) for number in range(1, 31)]
    offer(found, *items)
    until(lambda: not found.holds())
    assert channel.received == [item.id for item in items]
    assert channel.most_at_once == 1


def test_many_outcomes_are_few_inserts_and_a_single_one_is_stored_at_once(courier):
    channel, store = Channel(), Store()
    found = courier(channel, store=store)
    began = time.monotonic()
    offer(found, notification("first"))
    until(lambda: store.batches)
    assert time.monotonic() - began < 0.4
    offer(found, *(notification(f"group{number}") for number in range(1000)))
    until(lambda: not found.holds())
    assert len(store.batches) <= 2 + (time.monotonic() - began) / 0.5
    assert len(store.statuses()) == 1001


def test_while_the_store_is_away_the_last_outcome_of_each_message_is_kept(courier):
    channel, store = Channel(*[RETRY] * 6), Store()
    store.broken.set()
    found = courier(channel, store=store)
    offer(found, notification())
    until(lambda: channel.received)
    store.broken.clear()
    until(lambda: not found.holds())
    assert store.outcomes()[-1] == (7, "sent", "")
    assert len(store.outcomes()) <= 2


def test_a_message_to_a_channel_that_is_gone_is_dead_and_says_so(courier):
    store = Store()
    found = courier(store=store)
    assert offer(found, notification()) == [True]
    until(lambda: not found.holds())
    assert store.outcomes() == [(1, "dead", "no channel is named 'team/hook-1' any more")]


def test_what_a_full_channel_refuses_is_not_held(courier):
    channel = Channel()
    channel.answering.clear()
    found = courier(channel, capacity=2)
    items = [notification(f"group{number}") for number in range(3)]
    assert offer(found, *items) == [True, True, False]
    assert found.holds() == {item.id for item in items[:2]}


def test_a_message_that_cannot_be_made_is_dead_with_the_reason(courier):
    store = Store()
    found = courier(Channel(), store=store)
    store.broken.set()
    for _ in range(2):
        found.refuse(notification(), "label name 'a-b' must be letters")
    store.broken.clear()
    until(lambda: not found.holds())
    assert store.outcomes() == [(1, "dead", "label name 'a-b' must be letters")]


def test_the_end_waits_for_what_is_being_sent_and_stores_it(courier):
    channel, store = Channel(), Store()
    channel.answering.clear()
    found = courier(channel, store=store)
    offer(found, *(notification(f"group{number}") for number in range(20)))
    until(lambda: channel.at_once == 4)
    threading.Timer(0.1, channel.answering.set).start()
    assert found.stop(5)
    assert len(channel.received) == 4
    assert set(store.statuses()) == set(channel.received)
    assert offer(found, notification("late")) == [False]


def test_the_end_does_not_wait_for_a_channel_that_hangs(courier):
    channel = Channel()
    channel.answering.clear()
    found = courier(channel)
    offer(found, notification())
    until(lambda: channel.at_once)
    began = time.monotonic()
    assert not found.stop(0.2)
    assert time.monotonic() - began < 2


def test_an_idle_courier_uses_no_cpu(courier):
    channel = Channel(RETRY)
    found = courier(channel, wait=always(30))
    offer(found, notification())
    until(lambda: not channel.errors)
    time.sleep(0.1)
    used = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - used < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_restarts_in_the_middle_lose_nothing(courier, seed):
    dice = random.Random(seed)
    items = [notification(f"group{number % 20}", number // 20 + 1) for number in range(100)]
    store, received = Store(), []
    for _ in range(4):
        channel = Channel(*(dice.choice([RETRY, RETRY, REFUSED]) for _ in range(30)))
        found = courier(channel, store=store)
        settled = {name for name, status in store.statuses().items() if status != "failed"}
        offer(found, *(item for item in items if item.id not in settled))
        time.sleep(dice.uniform(0, 0.05))
        found.stop(dice.choice([0, 5]))
        received += channel.received
    last = courier(Channel(), store=store)
    settled = {name for name, status in store.statuses().items() if status != "failed"}
    offer(last, *(item for item in items if item.id not in settled))
    until(lambda: not last.holds())
    outcome = store.statuses()
    assert {outcome[item.id] for item in items} <= {"sent", "dead"}
    sent = {name for name, status in outcome.items() if status == "sent"}
    assert sent <= set(received) | set(last._lanes["team/hook-1"].channel.received)


def test_a_channel_that_was_put_right_gets_what_waited_for_the_old_one(courier):
    broken, mended = Channel(*[RETRY] * 1000), Channel()
    found = courier(broken)
    items = [notification(number=number) for number in (1, 2)]
    offer(found, *items)
    until(lambda: len(broken.errors) < 1000)
    found.use([mended])
    until(lambda: not found.holds())
    assert mended.received == [item.id for item in items]


def test_what_waits_for_a_channel_that_is_gone_is_let_go_and_given_up_when_it_is_offered_again(courier):
    channel, store = Channel(*[RETRY] * 1000), Store()
    found = courier(channel, store=store)
    items = [notification(number=number) for number in (1, 2)]
    offer(found, *items)
    until(lambda: len(channel.errors) < 1000)
    found.use([])
    until(lambda: not found.holds())
    offer(found, *items)
    until(lambda: not found.holds())
    assert set(store.statuses().values()) == {"dead"}


def test_what_fails_on_a_channel_that_is_gone_meanwhile_is_let_go(courier):
    channel, store = Channel(RETRY), Store()
    channel.answering.clear()
    found = courier(channel, store=store)
    offer(found, notification())
    until(lambda: channel.at_once)
    found.use([])
    assert found.holds()
    channel.answering.set()
    until(lambda: not found.holds())
    assert store.outcomes()[:1] in ([], [(1, "failed", "503")])


def test_the_end_says_when_outcomes_could_not_be_stored(courier):
    channel, store = Channel(), Store()
    store.broken.set()
    found = courier(channel, store=store)
    offer(found, notification())
    until(lambda: channel.received)
    assert not found.stop(5)
