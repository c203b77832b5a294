"""Receivers in bad moods: what every HTTP channel makes of them."""

import logging
import time
from base64 import b64decode
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from alerts.address_guard import AddressGuard
from alerts.channels.http_post import HttpPost, retry_after_s
from alerts.channels.msteams import MsTeamsChannel
from alerts.channels.pagerduty import PagerDutyChannel
from alerts.channels.slack import SlackChannel
from alerts.channels.webhook import WebhookChannel
from alerts.errors import ChannelError
from alerts.rendering import Renderer
from tests.unit.alert_messages import FIRING, NOW
from tests.unit.alert_receivers import ANYWHERE, OK, answer, http_peer

pytestmark = pytest.mark.slow

RENDERER = Renderer()
CHANNELS = {
    "webhook": lambda url, **options: WebhookChannel("ops/x", url, secret="s3cret-hmac", now=lambda: NOW, **options),
    "slack": lambda url, **options: SlackChannel("ops/x", url, RENDERER, now=lambda: NOW, **options),
    "msteams": lambda url, **options: MsTeamsChannel("ops/x", url, RENDERER, now=lambda: NOW, **options),
    "pagerduty": lambda url, **options: PagerDutyChannel("ops/x", "s3cret-key", url=url, now=lambda: NOW, **options),
}
every_channel = pytest.mark.parametrize("kind", CHANNELS)


def refused(kind, mood, timeout_s=5.0, **options):
    """Return the error of sending to a receiver in *mood*."""
    with http_peer(mood) as peer:
        channel = CHANNELS[kind](peer.url(), timeout_s=timeout_s, **({"guard": ANYWHERE} | options))
        with pytest.raises(ChannelError) as caught:
            channel.send(FIRING)
        channel.close()
    assert str(caught.value).startswith("ops/x: ")
    assert "s3cret" not in str(caught.value)
    return caught.value


def hangs(connection, stopped):
    stopped.wait(10)


def drips_headers(connection, stopped):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stopped.wait(0.05):
        connection.sendall(b"X-More: y\r\n")


def closes_at_once(connection, stopped):
    """Close without a word."""


def closes_half_way(connection, stopped):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")


def endless_body(status):
    def send(connection, stopped):
        connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: text/plain\r\n\r\n".encode())
        while not stopped.is_set():
            connection.sendall(b"x" * 4096)

    return send


@every_channel
@pytest.mark.parametrize("mood", [hangs, drips_headers])
def test_a_receiver_that_does_not_answer_is_left_in_time_and_tried_again(kind, mood):
    begun = time.monotonic()
    error = refused(kind, mood, timeout_s=0.3)
    assert time.monotonic() - begun < 5
    assert not error.permanent
    assert "127.0.0.1" in str(error)


@every_channel
@pytest.mark.parametrize("mood", [closes_at_once, closes_half_way, b"\x00\x01 no HTTP at all\r\n\r\n"])
def test_a_receiver_that_breaks_off_is_tried_again(kind, mood):
    error = refused(kind, mood)
    assert not error.permanent
    assert "cannot reach 127.0.0.1: " in str(error)


@every_channel
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_a_receiver_in_trouble_is_tried_again(kind, status):
    error = refused(kind, answer(status))
    assert (error.permanent, error.retry_after_s) == (False, None)
    assert f"127.0.0.1 answered {status}" in str(error)


@every_channel
@pytest.mark.parametrize("wait", ["90", format_datetime(NOW.replace(minute=1, second=30), usegmt=True)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_patience_gets_it(kind, wait, status):
    error = refused(kind, answer(status, f"Retry-After: {wait}"))
    assert (error.permanent, error.retry_after_s) == (False, 90.0)


@every_channel
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413])
def test_a_refusal_is_for_ever_and_says_what_the_receiver_said(kind, status):
    error = refused(kind, answer(status, body=b"invalid_blocks at /hooks/s3cret\n\x1b or s3cret"))
    assert error.permanent
    assert f"answered {status}: invalid_blocks at *** or ***" in str(error)


@pytest.mark.parametrize(("kind", "secret"), [("pagerduty", b"s3cret-key"), ("webhook", b"s3cret-hmac")])
def test_a_receiver_that_repeats_the_key_does_not_get_it_into_the_error(kind, secret):
    assert "no such key: ***" in str(refused(kind, answer(403, body=b"no such key: " + secret)))


@every_channel
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(kind, status):
    with http_peer() as elsewhere:
        error = refused(kind, answer(status, f"Location: {elsewhere.url()}"))
        assert elsewhere.requests == []
    assert error.permanent
    assert "redirects are not followed" in str(error)


@every_channel
def test_an_endless_answer_is_not_read(kind):
    with http_peer(endless_body(200)) as peer:
        channel = CHANNELS[kind](peer.url(), guard=ANYWHERE)
        begun = time.monotonic()
        channel.send(FIRING)
        assert time.monotonic() - begun < 5
    begun = time.monotonic()
    error = refused(kind, endless_body(400), timeout_s=30)
    assert time.monotonic() - begun < 10
    assert error.permanent
    assert len(str(error)) < 400


@every_channel
def test_a_private_address_is_refused_before_anything_is_sent(kind):
    error = refused(kind, OK, guard=AddressGuard())
    assert error.permanent
    assert "127.0.0.1 is 127.0.0.1, which is not a public address" in str(error)
    assert "allow_private_addresses" in str(error)


@every_channel
def test_a_name_without_an_address_is_tried_again(kind):
    def resolver(host, port):
        raise OSError("Name or service not known")

    channel = CHANNELS[kind]("https://hooks.example/s3cret", guard=AddressGuard(resolver=resolver))
    with pytest.raises(ChannelError, match=r"hooks\.example has no address") as caught:
        channel.send(FIRING)
    assert not caught.value.permanent
    assert "s3cret" not in str(caught.value)


def test_a_refusal_that_drips_its_reason_is_cut_short():
    def drip(connection, stopped):
        connection.sendall(b"HTTP/1.1 400 X\r\n\r\n")
        while not stopped.wait(0.05):
            connection.sendall(b"y")

    begun = time.monotonic()
    assert refused("webhook", drip, timeout_s=0.4).permanent
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", 0.0),
        ("99999999", 86_400.0),
        ("9" * 400, 86_400.0),
        ("Sun, 01 Mar 2026 02:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 03:00:30 -0000", 30.0),
        ("Sun, 99 Mar 2026 03:00:30 GMT", None),
    ],
)
def test_what_retry_after_means(header, expected):
    assert retry_after_s(header, datetime(2026, 3, 1, 3, 0, tzinfo=UTC)) == expected


def test_a_password_in_an_address_is_not_told():
    with http_peer(answer(400, body=b"who is me:s3cret?")) as peer:
        post = HttpPost("ops/x", f"http://me:s3cret%3F@127.0.0.1:{peer.port}/", guard=ANYWHERE)
        with pytest.raises(ChannelError) as caught:
            post.send(b"{}")
        assert b64decode(peer.requests[0].headers["Authorization"].removeprefix("Basic ")) == b"me:s3cret?"
    assert "s3cret" not in str(caught.value)


@every_channel
def test_nothing_of_the_address_gets_into_a_log(kind, caplog):
    with caplog.at_level(logging.DEBUG), http_peer() as peer:
        CHANNELS[kind](peer.url(), guard=ANYWHERE).send(FIRING)
        refused(kind, answer(500))
    assert "s3cret" not in caplog.text


def test_a_refusal_that_breaks_off_is_a_refusal():
    def breaks_off(connection, stopped):
        connection.sendall(b"HTTP/1.1 400 X\r\nContent-Length: 100\r\n\r\nbecau")

    error = refused("webhook", breaks_off)
    assert error.permanent
    assert "answered 400: becau" in str(error)


def test_a_date_without_a_zone_is_in_utc():
    assert retry_after_s("Sun, 01 Mar 2026 03:00:30", NOW) == 30.0
