"""Ticks to peers that answer, hang, refuse and forget."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts.alertmanager import Alertmanager
from alerts.message import Links
from alerts.peers import describe_with, posting
from alerts.transition import AlertDetails, Transition
from evaluator.liveness import Liveness
from evaluator.peers import Peers
from storage.errors import DatabaseError
from tests.integration.peer_server import Peer, serve

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DETAILS = AlertDetails("SLOErrorBudgetBurn", "pay")
FIRING = Transition("pay-page-1", 1, "pay", "pay", "prod", "page", "firing", NOW, NOW, NOW, None, "bad", DETAILS)
DESCRIBE = describe_with(Links("https://nl.example"))


@pytest.fixture
def peer():
    with serve(Peer()) as found:
        yield found


@pytest.fixture
def another():
    with serve(Peer()) as found:
        yield found


class World:
    """Peers over transitions that a test sets."""

    def __init__(self, *peers, alive=True):
        self.transitions = [FIRING]
        self.silenced = set()
        self.error = None
        self.alive = alive
        self.addresses = [peer.url for peer in peers]
        liveness = Liveness({"evaluation": lambda: NOW if self.alive else None})
        self.peers = Peers(
            lambda: self.addresses,
            self.read,
            DESCRIBE,
            liveness,
            silenced=lambda _transitions, _now: self.silenced,
            connect=lambda url: Alertmanager(url, timeout_s=5),
        )

    def read(self, _now):
        if self.error:
            raise self.error
        return self.transitions

    def tick(self, now=NOW):
        self.peers.tick(now)
        assert self.peers.wait(10)


@pytest.fixture
def world(peer):
    found = World(peer)
    yield found
    found.peers.close()


def test_every_tick_tells_the_watchdog_and_all_that_fires(world, peer):
    world.tick()
    world.tick(NOW + timedelta(seconds=15))
    assert peer.posts == [["Watchdog", "pay"]] * 2
    (state,) = world.peers.states
    assert (state.alerts, state.sent, state.last_ok) == (2, 4, NOW + timedelta(seconds=15))


def test_a_stalled_evaluation_ends_the_watchdog_and_no_alert(world, peer):
    world.alive = False
    world.tick()
    assert peer.posts == [["pay"]]


def test_while_the_database_is_away_what_was_last_read_goes_on(world, peer):
    world.tick()
    world.error = DatabaseError("away")
    world.tick(NOW + timedelta(seconds=15))
    assert peer.posts == [["Watchdog", "pay"]] * 2
    assert world.peers.read_error == "DatabaseError: away"
    world.error = None
    world.tick(NOW + timedelta(seconds=30))
    assert world.peers.read_error == ""


def test_a_database_that_hangs_keeps_nothing_that_was_read_from_being_told(world, peer, monkeypatch):
    world.tick()
    monkeypatch.setattr("evaluator.peers.READ_S", 0.05)
    answers = threading.Event()
    monkeypatch.setattr(world.peers, "_read", lambda _now: iter(answers.wait, True))
    world.tick()
    world.alive = False
    world.tick()
    assert peer.posts == [["Watchdog", "pay"], ["Watchdog", "pay"], ["pay"]]
    answers.set()
    assert world.peers._reader.wait(10)


def test_a_peer_that_hangs_delays_neither_another_nor_the_tick(peer, another, caplog):
    peer.hangs = True
    world = World(peer, another)
    began = time.monotonic()
    for number in range(3):
        world.peers.tick(NOW + timedelta(seconds=15 * number))
        assert world.peers._peers[another.url].background.wait(5)
    assert time.monotonic() - began < 2
    assert another.posts == [["Watchdog", "pay"]] * 3
    hanging, well = world.peers.states
    assert (hanging.errors, hanging.last_ok, well.errors) == (2, None, 0)
    assert "has not answered the post before" in hanging.last_error
    assert len([record for record in caplog.records if "was not told" in record.message]) == 1
    peer.let_go.set()
    assert world.peers.wait(10)
    world.peers.close()


def test_what_no_peer_can_be_told_is_logged_once_and_hides_nothing(world, peer, caplog):
    world.transitions = [FIRING, replace(FIRING, alert_id="b", slo_id="b", labels=(("a.b", "x"),))]
    world.tick()
    world.tick()
    assert peer.posts == [["Watchdog", "pay"]] * 2
    assert [record.message for record in caplog.records if "can be told" in record.message] == [
        "no Alertmanager can be told of alert 'b': label name 'a.b' must be letters, digits and _; write it with _"
    ]


def test_a_peer_that_is_down_is_told_all_when_it_is_back(world, peer, caplog):
    caplog.set_level("INFO")
    for status in (503, 500, 200, 200):
        peer.status = status
        world.tick()
    assert peer.posts[-1] == ["Watchdog", "pay"]
    (state,) = world.peers.states
    assert (state.errors, state.last_error, state.sent) == (2, "", 4)
    name = peer.url.removeprefix("http://")
    assert [record.message for record in caplog.records if record.name == "evaluator.peers"] == [
        f"an Alertmanager was not told: {name} answered 503",
        f"Alertmanager {name} answers again",
    ]


def test_an_unforeseen_fault_is_logged_and_the_next_tick_goes_on(world, peer, caplog):
    world.tick()
    world.error = RuntimeError("unforeseen")
    world.tick()
    assert peer.posts == [["Watchdog", "pay"]] * 2
    assert "peers-read failed" in caplog.text


def test_what_a_peer_refuses_is_logged_once_and_shown(world, peer, caplog):
    peer.bad = {"pay"}
    world.tick()
    world.tick()
    (state,) = world.peers.states
    assert (state.refused, state.alerts) == (("pay-page-1: 400 invalid label set",), 1)
    assert len([record for record in caplog.records if "refuses" in record.message]) == 1


def test_a_silenced_alert_that_no_peer_knows_is_not_told(world, peer):
    world.silenced = {"pay-page-1"}
    world.tick()
    assert peer.posts == [["Watchdog"]]
    world.silenced = set()  # a silence that ends while the alert fires
    world.tick()
    assert peer.posts[1] == ["Watchdog", "pay"]


def test_a_silenced_alert_that_the_peer_knows_is_told_until_it_resolves_even_by_an_evaluator_that_has_begun_anew(
    world, peer
):
    world.silenced = {"pay-page-1"}
    peer.known = [{"fingerprint": posted.fingerprint} for posted in posting([FIRING], DESCRIBE, NOW).alerts]
    world.tick()
    assert peer.posts == [["Watchdog", "pay"]]
    world.transitions = [replace(FIRING, sequence=2, state="resolved", at=NOW, resolved_at=NOW)]
    world.tick()
    assert peer.posts[1] == ["Watchdog", "pay"]
    peer.known = []  # it is over there
    world.tick()
    assert peer.posts[2] == ["Watchdog"]


def test_a_peer_that_cannot_be_asked_knows_what_it_was_told_last(world, peer):
    peer.silent_on_get = True
    world.tick()
    world.silenced = {"pay-page-1", "other-page-1"}
    world.transitions = [FIRING, replace(FIRING, alert_id="other-page-1", slo_id="other", rule="other")]
    world.tick()
    world.tick()
    assert peer.posts == [["Watchdog", "pay"]] * 3


def test_peers_come_and_go_with_the_file_that_names_them(world, peer, another, caplog):
    world.tick()
    world.addresses = [another.url, "am:9093"]
    world.tick()
    world.tick()
    assert (len(peer.posts), len(another.posts)) == (1, 2)
    assert [state.name for state in world.peers.states] == [another.url.removeprefix("http://")]
    assert len([record for record in caplog.records if "must start with http" in record.message]) == 1
    world.addresses = []
    world.tick()
    assert world.peers.states == []
