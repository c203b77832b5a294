"""The sender against a server that answers as a test wants; the real Alertmanager is in tests/e2e."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.alertmanager import BATCH, Alertmanager
from alerts.errors import ChannelError, InvalidAlert
from alerts.peers import PostedAlert
from tests.integration.peer_server import Peer, serve

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def peer():
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
        assert sender.name == peer.url.removeprefix("http://").removesuffix("/")
    assert [len(post) for post in peer.posts] == [BATCH, BATCH, 1]
    assert set(peer.paths) == {"/prefix/api/v2/alerts"}


def test_a_bad_alert_hides_no_other_and_is_sent_by_itself_from_then_on(peer):
    peer.bad = {"a1"}
    with alertmanager(peer) as sender:
        (refusal,) = sender.post(alerts(3))
        assert (refusal.alert.name, refusal.reason) == ("a1", "400 invalid label set")
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
    ("refusal", "reason"),
    [
        ('{"code": 400, "message": "two\\nlines"}', "400 two lines"),
        ("<html>no JSON</html>", "400 <html>no JSON</html>"),
        ("", "400"),
        ("x" * 5000, f"400 {'x' * 300}"),
    ],
)
def test_a_refusal_is_told_in_one_short_line_whatever_its_form(peer, refusal, reason):
    peer.bad, peer.refusal = {"a0"}, refusal
    with alertmanager(peer) as sender:
        assert [refusal.reason for refusal in sender.post(alerts(1))] == [reason]


def test_an_alert_that_no_json_can_hold_hides_no_other(peer):
    broken = PostedAlert({"slo_id": "b"}, {"summary": "\ud800"}, NOW, NOW)
    with alertmanager(peer) as sender:
        (refusal,) = sender.post([*alerts(2), broken])
    assert "cannot be written as JSON" in refusal.reason
    assert peer.told == ["a0", "a1"]


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
