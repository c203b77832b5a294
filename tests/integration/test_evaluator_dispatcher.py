"""Who is told of stored transitions, by evaluators that die, race and come back; over the real engine."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alerts.courier import Courier
from alerts.errors import ChannelError
from alerts.evidence import Evidence
from alerts.message import Links
from alerts.notification import Notification, Told
from alerts.route import GroupTiming, Route
from alerts.transition import AlertDetails, Transition
from evaluator.delivery_store import DeliveryStore
from evaluator.dispatcher import Dispatcher
from evaluator.live_routing import Routing
from storage.acknowledgements import AcknowledgementRow, acknowledge
from storage.append_log import last_batch
from storage.delivery_attempts import delivery_log
from storage.notifications import NotificationRow, append_notifications, unsettled
from storage.silences import SilenceRow, save_silence, silences
from storage.transitions import TransitionRow, append_transitions

pytestmark = pytest.mark.slow

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TIMING = GroupTiming(group_interval=timedelta(0), repeat_interval=4 * HOUR)
DOWN = ChannelError("503", permanent=False)


class Channel:
    """Tells what it was sent; while `down` it fails."""

    def __init__(self, name="team/hook-1"):
        self.name = name
        self.down = False
        self.messages = []

    def send(self, message):
        if self.down:
            raise DOWN
        self.messages.append(message)

    def told(self):
        return [(message.group_key.partition(":")[2], message.status) for message in self.messages]


class World:
    def __init__(self, database):
        self.database = database
        self.couriers = []
        self.last = {}

    def dispatcher(self, channel, *, writer="one", alone=True, **options):
        store = DeliveryStore(self.database)
        courier = Courier([channel], store, clock=lambda: START, wait=lambda *_: timedelta(hours=1))
        self.couriers.append(courier)
        routing = Routing(Route("team", group_by=("service_name",), timing=TIMING), {"team": [channel.name]})
        links = Links("https://nl.example", "https://api.example")
        return Dispatcher(self.database, courier, lambda: routing, writer=writer, links=links, alone=alone, **options)

    def store(self, state, at, *, service="shop", number=1, **fields):
        """Store that the alert *number* of *service* is *state*."""
        alert_id = f"{service}-page-{number}"
        before = self.last.get(alert_id)
        item = Transition(
            alert_id=alert_id,
            sequence=1 if before is None else before.sequence + 1,
            slo_id=service,
            service=service,
            environment="prod",
            severity="page",
            state=state,
            at=at,
            started_at=at if before is None else before.started_at,
            fired_at=at if before is None else before.fired_at,
            resolved_at=at if state == "resolved" else None,
            summary=f"{service} is {state}",
            details=AlertDetails("SLOErrorBudgetBurn", service, Decimal("0.99")),
        )
        item = self.last[alert_id] = replace(item, **fields)
        row = TransitionRow(alert_id, item.sequence, service, "page", state, at, item.to_json(), service)
        after = last_batch(self.database, "alert_transitions")
        assert append_transitions(self.database, [row], writer="store", after=after, now=at)
        return item

    def settle(self):
        """Wait until everything that can be delivered is."""
        deadline = time.monotonic() + 20
        while any(courier.holds() for courier in self.couriers):
            assert time.monotonic() < deadline, "not everything is delivered"
            time.sleep(0.01)

    def attempts(self):
        return [(item.number, item.status, item.error) for item in delivery_log(self.database, since=START)]


@pytest.fixture
def world(database):
    found = World(database)
    yield found
    for courier in found.couriers:
        courier.stop(5)


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


SHOP = '{service_name="shop"}'


def test_what_begins_and_ends_is_told_once_whoever_looks(world):
    channel = Channel()
    first = world.dispatcher(channel)
    world.store("firing", START)
    for minute in range(3):
        first.run(START + minute * MINUTE)
    world.settle()
    second = world.dispatcher(channel, writer="restarted")
    second.run(START + 3 * MINUTE)
    world.store("resolved", START + 4 * MINUTE)
    second.run(START + 4 * MINUTE)
    second.run(START + 5 * MINUTE)
    world.settle()
    assert channel.told() == [(SHOP, "firing"), (SHOP, "resolved")]
    assert world.attempts() == [(2, "sent", ""), (1, "sent", "")]


def test_what_a_dead_evaluator_left_is_sent_by_the_next_one_under_the_same_key(world):
    hanging, channel = Channel(), Channel()
    hanging.down = True
    world.store("firing", START)
    dead = world.dispatcher(hanging, writer="dead")
    dead.run(START)
    wait_until(world.attempts)
    (left,) = unsettled(world.database, since=START)
    dead.stop(5)
    world.dispatcher(channel, writer="heir").run(START + MINUTE)
    world.settle()
    assert [message.idempotency_key for message in channel.messages] == [left.row.id]
    assert world.attempts() == [(1, "sent", ""), (1, "failed", "503")]
    assert delivery_log(world.database, since=START)[0].attempt == 2


def test_after_a_start_what_was_left_is_sent_before_anything_is_decided(world):
    channel = Channel()
    channel.down = True
    world.store("firing", START)
    world.dispatcher(channel).run(START)
    wait_until(lambda: world.attempts() == [(1, "failed", "503")])
    channel.down = False
    world.store("firing", START + MINUTE, service="search")
    second = world.dispatcher(channel, writer="restarted")
    second.resume(START + MINUTE)
    world.couriers[0].stop(5)
    wait_until(lambda: channel.told() == [(SHOP, "firing")])
    second.run(START + MINUTE)
    world.settle()
    assert channel.told() == [(SHOP, "firing"), ('{service_name="search"}', "firing")]


def test_what_was_decided_by_a_living_evaluator_is_left_to_it_until_it_is_dead(world):
    hanging, channel = Channel(), Channel()
    hanging.down = True
    world.store("firing", START)
    first = world.dispatcher(hanging, writer="first", alone=False)
    second = world.dispatcher(channel, writer="second", alone=False)
    first.run(START)
    second.run(START + 15 * timedelta(seconds=1))
    world.store("resolved", START + 30 * timedelta(seconds=1))
    second.run(START + 30 * timedelta(seconds=1))
    assert channel.told() == [], "the end is not told before the beginning"
    second.run(START + 61 * timedelta(seconds=1))
    wait_until(lambda: len(channel.messages) == 2)
    assert channel.told() == [(SHOP, "firing"), (SHOP, "resolved")]


def race(rivals, now):
    threads = [threading.Thread(target=rival.run, args=(now,)) for rival in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_of_evaluators_that_race_one_decides(world):
    for number in range(5):
        world.store("firing", START, service=f"shop{number}")
    channel = Channel()
    rivals = [world.dispatcher(channel, writer=f"rival{number}", alone=False) for number in range(3)]
    for seconds in (0, 15):
        race(rivals, START + timedelta(seconds=seconds))
    world.settle()
    keys = [message.idempotency_key for message in channel.messages]
    assert len(keys) == len(set(keys)) == 5


def test_of_evaluators_that_race_one_inherits(world):
    hanging, channel = Channel(), Channel()
    hanging.down = True
    for number in range(5):
        world.store("firing", START, service=f"shop{number}")
    world.dispatcher(hanging, writer="dead", alone=False).run(START)
    rivals = [world.dispatcher(channel, writer=f"rival{number}", alone=False) for number in range(3)]
    for seconds in (61, 76):
        race(rivals, START + timedelta(seconds=seconds))
    wait_until(lambda: not unsettled(world.database, since=START))
    keys = [message.idempotency_key for message in channel.messages]
    assert len(keys) == len(set(keys)) == 5


def test_an_alert_that_ended_while_nobody_ran_is_told_days_later(world):
    channel = Channel()
    world.store("firing", START)
    world.dispatcher(channel).run(START)
    world.settle()
    world.store("resolved", START + HOUR)
    world.store("firing", START + 2 * HOUR, number=2)
    world.store("resolved", START + 3 * HOUR, number=2)
    world.dispatcher(channel, writer="late").run(START + timedelta(days=4))
    world.settle()
    assert channel.told() == [(SHOP, "firing"), (SHOP, "resolved")], "and nobody hears of what they never knew"


def test_a_silence_until_resolved_keeps_quiet_and_ends_with_its_alert(world):
    channel = Channel()
    dispatcher = world.dispatcher(channel)
    row = SilenceRow(
        "s", ('service_name="shop"',), START, START + timedelta(days=9), "ada", "known", until_resolved=True,
        created_at=START,
    )  # fmt: skip
    save_silence(world.database, row, now=START)
    world.store("firing", START)
    dispatcher.run(START)
    assert [item.id for item in silences(world.database, since=START)] == ["s"]
    world.store("resolved", START + MINUTE)
    dispatcher.run(START + MINUTE)
    (ended,) = silences(world.database)
    assert ended.expired_at == START + MINUTE
    world.store("firing", START + 2 * MINUTE, number=2)
    dispatcher.run(START + 2 * MINUTE)
    world.settle()
    assert channel.told() == [(SHOP, "firing")]


def test_a_silence_that_cannot_be_read_silences_nothing_and_stops_nobody(world):
    channel = Channel()
    row = SilenceRow("s", ("no matcher",), START, START + HOUR, "ada", "", until_resolved=True, created_at=START)
    save_silence(world.database, row, now=START)
    world.store("firing", START)
    world.dispatcher(channel).run(START)
    world.settle()
    assert channel.told() == [(SHOP, "firing")]


def test_what_somebody_took_on_is_not_repeated(world):
    channel = Channel()
    dispatcher = world.dispatcher(channel)
    world.store("firing", START)
    world.store("firing", START, service="pay")
    dispatcher.run(START)
    acknowledge(world.database, AcknowledgementRow("shop-page-1", START + MINUTE, "ada", "", "command"))
    dispatcher.run(START + 5 * HOUR)
    world.settle()
    assert [group for group, _ in channel.told()].count(SHOP) == 1
    assert len(channel.messages) == 3


def test_labels_that_receivers_would_refuse_are_left_out_and_the_alert_is_told(world):
    channel = Channel()
    world.store("firing", START, labels=(("a-b", "c"),))
    world.dispatcher(channel).run(START)
    world.settle()
    assert "a-b" not in channel.messages[0].alerts[0].labels


def test_a_notification_of_alerts_that_are_not_stored_any_more_is_given_up(world):
    told = Notification("team/hook-1", "team", "gone", (), 1, "firing", START, (Told("gone-1", 1, "firing"),))
    row = NotificationRow(told.id, told.channel, "gone", 1, START, ("gone-1",), (), told.to_json())
    append_notifications(world.database, [row], writer="dead", after=0, now=START)
    world.dispatcher(Channel()).run(START)
    world.settle()
    assert world.attempts() == [(1, "dead", "the alerts that it tells of are not stored any more")]


def test_messages_bring_evidence_and_signed_links(world):
    channel, asked = Channel(), []
    evidence = Evidence("shop-page-1", START, START, START, "the bank fails", runbook="https://runbook")

    def look_up(alert_ids):
        asked.append(alert_ids)
        return {"shop-page-1": evidence}

    world.store("firing", START)
    dispatcher = world.dispatcher(
        channel, evidence=look_up, sign=lambda purpose, alert_id, _at: f"{purpose}.{alert_id}"
    )
    dispatcher.run(START)
    world.settle()
    (alert,) = channel.messages[0].alerts
    assert (alert.evidence, alert.runbook) == (evidence, "https://runbook")
    assert alert.acknowledge_url.endswith("token=acknowledge.shop-page-1")
    assert asked == [["shop-page-1"]]


def test_what_is_sent_late_tells_of_the_transition_that_was_decided_on(world):
    channel = Channel()
    channel.down = True
    dispatcher = world.dispatcher(channel, writer="dead")
    world.store("firing", START)
    dispatcher.run(START)
    world.store("resolved", START + MINUTE)
    dispatcher.run(START + MINUTE)
    wait_until(world.attempts)
    dispatcher.stop(5)
    channel.down = False
    world.dispatcher(channel, writer="heir").run(START + 2 * MINUTE)
    world.settle()
    assert channel.told() == [(SHOP, "firing"), (SHOP, "resolved")]
    assert [message.alerts[0].transition.sequence for message in channel.messages] == [1, 2]
