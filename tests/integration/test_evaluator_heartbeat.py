from datetime import UTC, datetime, timedelta

import pytest

from alerts.errors import ChannelError, InvalidAlert
from alerts.heartbeat import Heartbeat
from evaluator.heartbeat import HeartbeatSender
from evaluator.liveness import Liveness
from tests.integration.peer_server import Peer, serve

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def peer():
    with serve(Peer()) as found:
        yield found


class Service:
    """A heartbeat's receiver on the peer's server, and a sender to it."""

    def __init__(self, peer):
        self.last = NOW
        self.url = f"{peer.url}/ping/s3cret"
        self.sender = HeartbeatSender(self.address, Liveness({"evaluation": lambda: self.last}))

    def address(self):
        if self.url is None:
            raise InvalidAlert("url_file x cannot be read")
        return self.url


@pytest.fixture
def service(peer):
    found = Service(peer)
    yield found
    found.sender.close()


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


@pytest.mark.parametrize("url", ["hc-ping.com/x", "ftp://a/b", "http://", "http://a:b:c"])
def test_a_heartbeat_needs_an_address(url):
    with pytest.raises(InvalidAlert, match=r"must start with http|cannot be read"):
        Heartbeat(url)


def test_a_service_that_is_down_is_named_without_the_secret_of_its_path():
    beating = Heartbeat("http://127.0.0.1:9/s3cret")
    with pytest.raises(ChannelError, match=r"^cannot reach 127.0.0.1: ") as caught:
        beating.beat()
    assert "s3cret" not in str(caught.value)
    beating.close()


def test_the_address_may_change_go_and_be_unreadable_for_a_while(service, peer, caplog):
    service.sender.beat(NOW)
    service.url = f"{peer.url}/other"
    service.sender.beat(NOW)
    for url in (None, "nowhere", ""):
        service.url = url
        service.sender.beat(NOW)
    assert peer.paths == ["/ping/s3cret", "/other"]
    messages = [record.message for record in caplog.records]
    assert messages == ["the heartbeat did not arrive: url_file x cannot be read"]
    assert (service.sender.state.last_error, service.sender.state.sent) == ("", 0)
