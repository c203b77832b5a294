"""Two evaluators over one database: every transition exactly once, whoever dies."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from alerts.transition import Transition
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from storage.errors import DatabaseError
from storage.slo_catalog import SloCatalog
from storage.transitions import transitions
from tests.slo_objective import objective

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
NAMES = [f"shop-{number}" for number in range(5)]
ERRORS = {1: 10, 2: 10, 4: 10, 5: 10}  # bad ones of the 20 requests of a minute: two outages
MINUTES = range(7)
TWO_EPISODES = [("firing", 1), ("resolved", 3), ("firing", 4), ("resolved", 6)]


class World:
    """Five objectives on one service, and evaluators that look at it after each minute."""

    def __init__(self, database, store, otlp, folder):
        self.database, self._store, self._otlp, self._folder = database, store, otlp, folder
        self.start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)
        for name in NAMES:
            breach = 'objective-breach, ninelives/alert-windows: "2m/1m page"'
            (folder / f"{name}.yaml").write_text(objective(name, target="0.9", policy=breach), "utf-8")

    def minute(self, number):
        """Store the requests of the minute *number*."""
        at, bad = self._otlp.ns(self.start + number * MINUTE), ERRORS.get(number, 0)
        spans = [
            self._otlp.span(start_ns=at + n * 10**9, status=2 if n < bad else 0, duration_ns=10**6) for n in range(20)
        ]
        self._store(self.database, self._otlp.traces(*spans))

    def evaluator(self, writer, database=None, dispatcher=None):
        used = database or self.database
        alerts, retention = AlertStore(used, writer), timedelta(days=14)
        return Evaluator(used, SloCatalog([self._folder]), alerts, raw_retention=retention, dispatcher=dispatcher)

    def after(self, number):
        return self.start + (number + 1) * MINUTE + timedelta(seconds=11)

    def history(self):
        """Return every stored transition, by objective, as (state, minute)."""
        found = {name: [] for name in NAMES}
        for body in transitions(self.database, since=self.start - timedelta(days=1)):
            item = Transition.from_json(body)
            found[item.slo_id].append((item.state, (item.at - self.start) // MINUTE - 1))
        return found


class Telling:
    """Notes when it is asked to decide whom to tell, and when only to send what was decided before."""

    def __init__(self):
        self.asked = []

    def run(self, _now):
        self.asked.append("decide")

    def resume(self, _now):
        self.asked.append("send")


class Mortal:
    """The database of an evaluator that dies: after *inserts* more inserts nothing comes through."""

    def __init__(self, database, *, inserts, answers):
        self._database, self._left, self._answers = database, inserts, answers

    def __getattr__(self, name):
        return getattr(self._database, name)

    def insert(self, table, *args, **options):
        if table != "alert_transitions":
            return self._database.insert(table, *args, **options)
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._answers):
            if self._left == 0:  # it was stored, and who stored it never knew
                self._database.insert(table, *args, **options)
            raise DatabaseError("the connection was closed")
        return self._database.insert(table, *args, **options)


@pytest.fixture
def world(database, store, otlp, tmp_path):
    return World(database, store, otlp, tmp_path)


def together(evaluators, now):
    threads = [threading.Thread(target=one.tick, args=(now,)) for one in evaluators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_two_that_tick_at_once_store_every_transition_exactly_once(world):
    pair = [world.evaluator(name) for name in ("left", "right")]
    for number in MINUTES:
        world.minute(number)
        together(pair, world.after(number))
    assert [one.state.last_error for one in pair] == ["", ""]
    assert world.history() == dict.fromkeys(NAMES, TWO_EPISODES)


def test_who_decided_on_an_alert_tells_of_it_and_the_other_one_does_only_if_that_has_not_happened(world):
    telling = [Telling(), Telling()]
    first, second = (world.evaluator(f"{number}", dispatcher=each) for number, each in enumerate(telling))
    world.minute(0)
    for one in (first, second):
        one.tick(world.after(0))
    for each in telling:
        each.asked.clear()
    world.minute(1)
    for later_s in (0, 15):
        for one in (first, second):  # as close to each other as ticks of two evaluators are
            one.tick(world.after(1) + timedelta(seconds=later_s))
    assert [each.asked for each in telling] == [["decide", "decide"], ["send", "decide"]]


@pytest.mark.parametrize("answers", [True, False], ids=["before it is stored", "before it knows"])
@pytest.mark.parametrize("inserts", [1, 2, 3])
def test_when_one_dies_in_the_middle_of_storing_the_other_goes_on(world, inserts, answers):
    dying = world.evaluator("dying", Mortal(world.database, inserts=inserts, answers=answers))
    other = world.evaluator("other")
    for number in MINUTES:
        world.minute(number)
        dying.tick(world.after(number))
        other.tick(world.after(number) + timedelta(seconds=1))
    assert "connection was closed" in dying.state.last_error
    assert other.state.last_error == ""
    assert world.history() == dict.fromkeys(NAMES, TWO_EPISODES)


def test_one_that_comes_back_goes_on_from_what_the_other_stored(world):
    first, second = world.evaluator("first"), world.evaluator("second")
    turns = [first, first, second, second, second, first, first]  # the first one missed an end and a firing
    for number, one in zip(MINUTES, turns, strict=True):
        world.minute(number)
        one.tick(world.after(number))
    assert world.history() == dict.fromkeys(NAMES, TWO_EPISODES)


def test_the_same_ticks_again_by_anyone_change_nothing(world):
    evaluator = world.evaluator("one")
    for number in MINUTES:
        world.minute(number)
        evaluator.tick(world.after(number))
    before = world.history()
    for one in (evaluator, world.evaluator("restarted")):
        for number in MINUTES:
            one.tick(world.after(number))
    assert world.history() == before == dict.fromkeys(NAMES, TWO_EPISODES)
