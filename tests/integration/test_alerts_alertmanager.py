"""The sender against a server that answers as a test wants; the real Alertmanager is in tests/e2e."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.alertmanager import BATCH, Alertmanager
from alerts.errors import ChannelError, InvalidAlert
from alerts.heartbeat import Heartbeat
from alerts.message import Links
from alerts.peers import PostedAlert, describe_with, posting
from alerts.transition import AlertDetails, Transition
from evaluator.heartbeat import HeartbeatSender
from evaluator.liveness import Liveness
from evaluator.peers import Peers
from storage.errors import DatabaseError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DETAILS = AlertDetails("SLOErrorBudgetBurn", "pay")
FIRING = Transition("pay-page-1", 1, "pay", "pay", "prod", "page", "firing", NOW, NOW, NOW, None, "bad", DETAILS)
DESCRIBE = describe_with(Links("https://nl.example"))


@dataclass
class Peer:
    """A server that keeps what it is sent; alerts named in *bad* it refuses as Alertmanager does."""

    url: str = ""
    status: int = 200
    bad: set[str] = field(default_factory=set)
    hangs: bool = False
    posts: list[list[str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    known: list[dict] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def told(self):
        return [name for post in self.posts for name in post]

    def answer(self, names):
        if self.hangs:
            self.let_go.wait(20)
        self.posts.append(names)
        refused = [name for name in names if name in self.bad]
        return (400, json.dumps(f'invalid label set: "{refused[0]}"')) if refused else (self.status, "")


@contextmanager
def serve(peer):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            peer.paths.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.reply(*peer.answer([alert["labels"].get("slo_id", "Watchdog") for alert in body]))

        def do_GET(self):
            peer.paths.append(self.path)
            self.reply(peer.status, json.dumps(peer.known))

        def reply(self, status, text):
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        peer.url = f"http://127.0.0.1:{server.server_port}"
        yield peer
        peer.let_go.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def peer():
    with serve(Peer()) as found:
        yield found


@pytest.fixture
def another():
    with serve(Peer()) as found:
        yield found


@contextmanager
def alertmanager(peer, **options):
    found = Alertmanager(peer.url, **options)
    yield found
    found.close()


def alert(name):
    return PostedAlert({"slo_id": name}, {}, NOW, NOW + timedelta(minutes=1), alert_id=name)


def alerts(count):
    return [alert(f"a{number}") for number in range(count)]


def test_alerts_go_to_the_api_below_a_path_prefix_in_batches(peer):
    peer.url += "/prefix/"
    with alertmanager(peer) as sender:
        assert sender.post(alerts(2 * BATCH + 1)) == []
        assert sender.name == peer.url.split("/")[2]
    assert [len(post) for post in peer.posts] == [BATCH, BATCH, 1]
    assert set(peer.paths) == {"/prefix/api/v2/alerts"}


def test_a_bad_alert_hides_no_other_and_is_sent_by_itself_from_then_on(peer):
    peer.bad = {"a1"}
    with alertmanager(peer) as sender:
        (refusal,) = sender.post(alerts(3))
        assert (refusal.alert.name, refusal.reason) == ("a1", '400 invalid label set: "a1"')
        assert peer.posts == [["a0", "a1", "a2"], ["a0"], ["a1"], ["a2"]]
        peer.posts.clear()
        assert [refusal.alert.name for refusal in sender.post(alerts(3))] == ["a1"]
        assert peer.posts == [["a0", "a2"], ["a1"]]
        peer.posts.clear()
        peer.bad = set()
        assert sender.post(alerts(3)) == []
        assert sender.post(alerts(3)) == []
    assert peer.posts == [["a0", "a2"], ["a1"], ["a0", "a1", "a2"]]


@pytest.mark.parametrize(
    ("status", "permanent", "said"),
    [(500, False, "answered 500"), (503, False, "503"), (404, True, "answered 404"), (302, False, "redirects are not")],
)
def test_a_peer_that_takes_nothing_is_an_error(peer, status, permanent, said):
    peer.status = status
    with alertmanager(peer) as sender, pytest.raises(ChannelError, match=said) as caught:
        sender.post(alerts(2))
    assert caught.value.permanent == permanent
    assert len(peer.posts) == 1


def test_a_peer_that_is_down_or_silent_is_an_error(peer):
    with (
        alertmanager(Peer("http://127.0.0.1:9")) as sender,
        pytest.raises(ChannelError, match=r"cannot reach 127.0.0.1:9"),
    ):
        sender.post(alerts(1))
    peer.hangs = True
    with alertmanager(peer, timeout_s=0.1) as sender, pytest.raises(ChannelError, match="timed out"):
        sender.post(alerts(1))


def test_a_slow_peer_costs_one_interval_and_no_more(peer):
    seconds = iter((0, 1, 11, 13))
    slow = pytest.raises(ChannelError, match=r"is slow: 44 alerts were left after 12 s")
    with alertmanager(peer, clock=lambda: next(seconds)) as sender, slow:
        sender.post(alerts(2 * BATCH + 44))
    assert [len(post) for post in peer.posts] == [BATCH, BATCH]


@pytest.mark.parametrize("url", ["am:9093", "ftp://am", "http://", "http://a:b:c"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(InvalidAlert, match=r"Alertmanager '.*' (must start|is no address)"):
        Alertmanager(url)


def test_a_password_of_the_address_is_in_no_message():
    with alertmanager(Peer("http://us:s3cret@127.0.0.1:9")) as sender, pytest.raises(ChannelError) as caught:
        sender.post(alerts(1))
    assert "s3cret" not in f"{caught.value} {sender.name}"


def test_a_peer_is_asked_for_its_alerts_of_some_names(peer):
    peer.known = [{"fingerprint": "f00"}]
    with alertmanager(peer) as sender:
        assert sender.fingerprints({"Queue.Long", "b c"}) == {"f00"}
        peer.known = {"no": "list"}
        with pytest.raises(ChannelError, match="does not answer as an Alertmanager does"):
            sender.fingerprints({"b"})
    asked = parse_qs(urlsplit(peer.paths[0]).query)
    assert asked == {"filter": [r'alertname=~"Queue\\x{2e}Long|b c"']}


class World:
    """Peers over transitions that a test sets."""

    def __init__(self, *peers, alive=True):
        self.transitions = [FIRING]
        self.silenced = set()
        self.error = None
        self.alive = alive
        self.senders = [Alertmanager(peer.url, timeout_s=5) for peer in peers]
        liveness = Liveness({"evaluation": lambda: NOW if self.alive else None})
        self.peers = Peers(
            self.senders, self.read, DESCRIBE, liveness, silenced=lambda _transitions, _now: self.silenced
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


def test_a_peer_that_hangs_delays_neither_another_nor_the_tick(peer, another, caplog):
    peer.hangs = True
    world = World(peer, another)
    began = time.monotonic()
    for number in range(3):
        world.peers.tick(NOW + timedelta(seconds=15 * number))
        assert world.peers._peers[1].background.wait(5)
    assert time.monotonic() - began < 2
    assert another.posts == [["Watchdog", "pay"]] * 3
    hanging, well = world.peers.states
    assert (hanging.errors, hanging.last_ok, well.errors) == (2, None, 0)
    assert "has not answered the post before" in hanging.last_error
    assert len([record for record in caplog.records if "was not told" in record.message]) == 1
    peer.let_go.set()
    assert world.peers.wait(10)
    world.peers.close()


def test_what_a_peer_refuses_is_logged_once_and_shown(world, peer, caplog):
    peer.bad = {"pay"}
    world.tick()
    world.tick()
    (state,) = world.peers.states
    assert (state.refused, state.alerts) == (('pay-page-1: 400 invalid label set: "pay"',), 1)
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


class Service:
    """A heartbeat's receiver on the peer's server, and a sender to it."""

    def __init__(self, peer):
        self.last = NOW
        self.heartbeat = Heartbeat(f"{peer.url}/ping/s3cret")
        self.sender = HeartbeatSender(self.heartbeat, Liveness({"evaluation": lambda: self.last}))


@pytest.fixture
def service(peer):
    found = Service(peer)
    yield found
    found.heartbeat.close()


def test_the_heartbeat_is_a_get_that_stays_away_while_evaluation_stalls(service, peer):
    service.sender.beat(NOW)
    service.sender.beat(NOW + timedelta(seconds=59))
    service.sender.beat(NOW + timedelta(seconds=60))
    assert peer.paths == ["/ping/s3cret"] * 2
    assert service.sender.state.withheld == "evaluation last succeeded at 2026-03-01T12:00:00+00:00"
    service.last = NOW + timedelta(minutes=5)
    service.sender.beat(service.last)
    assert (len(peer.paths), service.sender.state.withheld) == (3, "")


def test_a_bad_answer_is_logged_once_and_its_end_too(service, peer, caplog):
    caplog.set_level("INFO")
    for status in (200, 500, 503, 302, 200, 200):
        peer.status = status
        service.sender.beat(NOW)
    messages = [record.message for record in caplog.records if "heartbeat" in record.message]
    assert messages == [
        "the heartbeat did not arrive: 127.0.0.1 answered 500",
        "the heartbeat arrives again at 127.0.0.1",
    ]
    assert (service.sender.state.sent, service.sender.state.errors) == (3, 3)


@pytest.mark.parametrize("url", ["hc-ping.com/x", "ftp://a/b", "http://"])
def test_a_heartbeat_needs_an_address(url):
    with pytest.raises(InvalidAlert, match="must start with http"):
        Heartbeat(url)


def test_a_service_that_is_down_is_named_without_the_secret_of_its_path():
    beating = Heartbeat("http://127.0.0.1:9/s3cret")
    with pytest.raises(ChannelError, match=r"^cannot reach 127.0.0.1: ") as caught:
        beating.beat()
    assert "s3cret" not in str(caught.value)
    beating.close()
