"""The courier says whether it works, so that a watchdog can end when it does not."""

import time
from datetime import timedelta

import pytest

from alerts.courier import Courier
from alerts.errors import ChannelError
from tests.unit.deliveries import NOW, always, message, notification
from tests.unit.test_alerts_courier import Channel, Store, until

SECOND = timedelta(seconds=1)


@pytest.fixture
def courier():
    made = []

    def make(channel, **options):
        made.append((Courier([channel], Store(), clock=lambda: NOW, **options), channel))
        return made[-1][0]

    yield make
    for found, channel in made:
        channel.answering.set()
        found.stop(10)


def offer(courier, *items):
    for item in items:
        courier.offer(item, message(item))


def behind(courier):
    return NOW - courier.worked_at()


def test_with_nothing_to_do_it_works(courier):
    found = courier(Channel())
    assert behind(found) == timedelta(0)
    offer(found, notification())
    until(lambda: not found.holds())
    time.sleep(0.05)
    assert behind(found) == timedelta(0)


def test_it_falls_behind_while_every_thread_hangs(courier):
    channel = Channel()
    channel.answering.clear()
    found = courier(channel, threads=2)
    offer(found, *(notification(group) for group in "abc"))
    until(lambda: channel.at_once == 2)
    until(lambda: behind(found) > timedelta(seconds=0.2))
    channel.answering.set()
    until(lambda: not found.holds())
    assert behind(found) == timedelta(0)


def test_it_falls_behind_when_the_threads_of_a_channel_have_died(courier, monkeypatch):
    monkeypatch.setattr("threading.Thread.start", lambda _thread: None)
    monkeypatch.setattr("threading.Thread.join", lambda _thread, _timeout=None: None)
    found = courier(Channel())
    offer(found, notification())
    until(lambda: behind(found) > timedelta(seconds=0.2))


def test_a_receiver_that_fails_is_no_stall(courier):
    channel = Channel(*[ChannelError("503", permanent=False)] * 1000)
    found = courier(channel, wait=always(0.05))
    offer(found, *(notification(group) for group in "abc"))
    until(lambda: len(channel.errors) < 990)
    assert behind(found) < SECOND
