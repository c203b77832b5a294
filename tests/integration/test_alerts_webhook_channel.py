import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from alerts.address_guard import AddressGuard
from alerts.channels.webhook import WebhookChannel
from alerts.errors import ChannelError, InvalidAlert
from alerts.message import Links, message_of
from alerts.transition import AlertDetails, Transition, WindowDetails
from alerts.webhook_payload import build_payload

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DETAILS = AlertDetails(
    "SLOErrorBudgetBurn", "pay", Decimal("0.999"), None, WindowDetails("30d", 9, 1, 10, 100.0), -99.0, ()
)
TRANSITION = Transition("a", 1, "pay", "pay", "", "page", "firing", NOW, NOW, NOW, None, "bad", DETAILS)
MESSAGE = message_of(TRANSITION, "hook", Links("https://nl.example"))


class Receiver:
    """A real HTTP server that answers with one status and keeps what it was sent."""

    def __init__(self):
        self.status = 200
        self.answering = threading.Event()
        self.answering.set()
        self.requests = []
        self.url = ""


@pytest.fixture
def receiver():
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.requests.append((self.path, dict(self.headers), body))
            kept.answering.wait(5)
            self.send_response(kept.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_port}/hooks/s3cret"
        yield kept
        kept.answering.set()
        server.shutdown()
        thread.join()


@contextmanager
def _channel(url, timeout_s=5.0):
    with WebhookChannel("hook", url, guard=AddressGuard(allow_private=True), timeout_s=timeout_s) as channel:
        yield channel


def test_the_payload_arrives_as_json_with_its_idempotency_key(receiver):
    with _channel(receiver.url) as channel:
        channel.send(MESSAGE)
    ((path, headers, body),) = receiver.requests
    assert path == "/hooks/s3cret"
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "a-1"
    assert json.loads(body) == json.loads(build_payload(MESSAGE).to_json())


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_delivered(receiver, status):
    receiver.status = status
    with _channel(receiver.url) as channel:
        channel.send(MESSAGE)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(500, False), (502, False), (503, False), (429, False), (408, False), (400, True), (401, True), (404, True)],
)
def test_a_refusal_says_whether_trying_again_can_help(receiver, status, permanent):
    receiver.status = status
    with _channel(receiver.url) as channel, pytest.raises(ChannelError, match=f"answered {status}") as caught:
        channel.send(MESSAGE)
    assert caught.value.permanent is permanent
    assert "s3cret" not in str(caught.value)


def test_a_redirect_is_not_followed(receiver):
    receiver.status = 307
    with _channel(receiver.url) as channel, pytest.raises(ChannelError, match="redirects are not followed") as caught:
        channel.send(MESSAGE)
    assert caught.value.permanent
    assert len(receiver.requests) == 1


def test_a_receiver_that_does_not_answer_in_time_is_worth_another_try(receiver):
    receiver.answering.clear()
    with _channel(receiver.url, timeout_s=0.1) as channel, pytest.raises(ChannelError, match="cannot reach") as caught:
        channel.send(MESSAGE)
    assert not caught.value.permanent
    receiver.answering.set()


def test_a_port_that_nobody_listens_on_is_worth_another_try(unused_url):
    with _channel(unused_url) as channel, pytest.raises(ChannelError, match=r"cannot reach 127\.0\.0\.1") as caught:
        channel.send(MESSAGE)
    assert not caught.value.permanent


@pytest.fixture
def unused_url():
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    return f"http://127.0.0.1:{port}/"


def test_a_proxy_of_the_environment_does_not_swallow_messages(receiver, unused_url, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, unused_url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with _channel(receiver.url) as channel:
        channel.send(MESSAGE)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("url", ["", "ftp://host/x", "host/path", "http://", "http://host:port/"])
def test_an_address_that_is_none_is_refused_when_the_channel_is_made(url):
    with pytest.raises(InvalidAlert, match="URL"):
        WebhookChannel("hook", url)
