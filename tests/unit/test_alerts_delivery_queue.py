from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.backoff import FIRST, LONGEST, backoff
from alerts.delivery_queue import DOWN_AFTER, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S, DeliveryQueue
from alerts.errors import ChannelError
from tests.unit.deliveries import always, parcel

DAY_S = 86_400.0
RETRY = ChannelError("503", permanent=False)
REFUSED = ChannelError("400", permanent=True)


def queue_of(*parcels, wait=backoff, deadline_s=DAY_S, **options):
    queue = DeliveryQueue("team/hook-1", wait=wait, **options)
    for item in parcels:
        assert queue.add(item, 0, deadline_s)
    return queue


def take_all(queue, now_s):
    found = []
    while (item := queue.take(now_s)) is not None:
        found.append(item)
    return found


def names(parcels):
    return [(item.notification.group_key, item.notification.number) for item in parcels]


def test_groups_are_sent_side_by_side_and_the_messages_of_one_after_the_other():
    queue = queue_of(parcel("a", 1), parcel("a", 2), parcel("b", 1))
    sending = take_all(queue, 0)
    assert names(sending) == [("a", 1), ("b", 1)]
    queue.delivered(sending[1], 1)
    assert take_all(queue, 1) == []
    queue.delivered(sending[0], 1)
    assert names(take_all(queue, 1)) == [("a", 2)]


def test_a_message_that_failed_waits_and_holds_back_its_group_alone():
    queue = queue_of(parcel("a", 1), parcel("a", 2), parcel("b", 1))
    first, other = take_all(queue, 0)
    assert queue.failed(first, RETRY, 0)
    queue.delivered(other, 0)
    assert take_all(queue, 1) == []
    assert 2.5 <= queue.next_at_s() <= 5
    again = take_all(queue, 5)
    assert again == [first]
    assert queue.attempt_of(first) == 2
    queue.delivered(first, 5)
    assert names(take_all(queue, 5)) == [("a", 2)]


def test_a_refused_message_is_given_up_and_the_next_of_its_group_is_sent():
    queue = queue_of(parcel("a", 1), parcel("a", 2))
    (first,) = take_all(queue, 0)
    assert not queue.failed(first, REFUSED, 0)
    assert names(take_all(queue, 0)) == [("a", 2)]


def test_a_message_that_fails_until_its_deadline_is_given_up():
    queue = queue_of(parcel(), deadline_s=60)
    now_s, failures = 0.0, 0
    while (at_s := queue.next_at_s()) is not None:
        now_s = at_s
        (item,) = take_all(queue, now_s)
        queue.failed(item, RETRY, now_s)
        failures += 1
    assert 30 <= now_s <= 60
    assert failures >= 3
    assert len(queue) == 0


def test_what_is_older_than_its_deadline_is_still_tried_once():
    queue = queue_of(parcel("a", 1), parcel("a", 2), deadline_s=-1)
    (first,) = take_all(queue, 0)
    assert not queue.failed(first, RETRY, 0)
    (second,) = take_all(queue, 0)
    queue.delivered(second, 0)
    assert len(queue) == 0


@pytest.mark.parametrize(
    ("asked_s", "waits_s"), [(40, 40), (0, 5), (-3, 5), (10 * DAY_S, LONGEST_RETRY_AFTER_S), (None, 5)]
)
def test_a_receiver_that_asks_for_time_gets_it_within_reason(asked_s, waits_s):
    queue = queue_of(parcel(), wait=always(5))
    (item,) = take_all(queue, 100)
    queue.failed(item, ChannelError("429", permanent=False, retry_after_s=asked_s), 100)
    assert queue.next_at_s() == 100 + waits_s


def test_a_channel_that_is_down_is_tried_with_one_message_a_pause():
    count = 50
    queue = queue_of(*(parcel(f"group{number}") for number in range(count)))
    for item in take_all(queue, 0):
        queue.failed(item, RETRY, 0)
    tries, now_s = 0, 0.0
    while now_s < 600:
        now_s = max(now_s, queue.next_at_s())
        (item,) = take_all(queue, now_s)
        tries += 1
        assert queue.next_at_s() is None, "one at a time"
        queue.failed(item, RETRY, now_s)
    assert 600 / LONGEST_PAUSE_S <= tries <= 600 / LONGEST_PAUSE_S * 2 + 8
    last = take_all(queue, queue.next_at_s())[0]
    queue.delivered(last, now_s + 60)
    assert len(take_all(queue, now_s + 1200)) == count - 1


def test_a_channel_that_fails_now_and_then_is_not_down():
    queue = queue_of(*(parcel(f"group{number}") for number in range(100)))
    for number, item in enumerate(take_all(queue, 0)):
        if number % DOWN_AFTER:
            queue.failed(item, RETRY, 0)
        else:
            queue.delivered(item, 0)
    assert len(take_all(queue, 5)) == 100 - 13


def test_a_full_queue_takes_nothing_until_something_left_it():
    queue = queue_of(parcel("a", 1), parcel("a", 2), capacity=2)
    assert not queue.add(parcel("b"), 0, DAY_S)
    queue.delivered(queue.take(0), 0)
    assert queue.add(parcel("b"), 0, DAY_S)


def test_attempts_of_an_earlier_owner_are_counted_on_and_waited_for_no_more():
    queue = queue_of(parcel(attempts=7))
    item = queue.take(0)
    assert queue.attempt_of(item) == 8
    queue.failed(item, RETRY, 0)
    assert LONGEST.total_seconds() / 2 <= queue.next_at_s() <= LONGEST.total_seconds()


@given(st.integers(1, 10**6), st.text(max_size=10))
def test_the_wait_doubles_up_to_its_limit_and_keeps_its_share_of_chance(attempt, key):
    full = min(FIRST * 2 ** min(attempt - 1, 10), LONGEST)
    assert full / 2 <= backoff(attempt, key) <= full
    assert backoff(attempt, key) == backoff(attempt, key)


def test_deliveries_that_failed_together_do_not_come_back_together():
    waits = {backoff(5, f"alert{number}") for number in range(100)}
    assert len(waits) > 90
    assert max(waits) - min(waits) > timedelta(seconds=30)


def test_a_stalled_queue_says_since_when_something_could_have_been_taken():
    waiting = queue_of()
    assert waiting.pending_since_s(0) is None
    waiting.add(parcel(), 10, 1000)
    assert waiting.pending_since_s(70) == 10
    assert not waiting.is_sending()
    waiting.take(70)
    assert waiting.is_sending()
    assert waiting.pending_since_s(90) is None
