"""Everything else, through apprise: real sends to a local server."""

import io
import json
import logging
import time
from dataclasses import replace

import pytest

from alerts.channels.apprise import AppriseChannel
from alerts.errors import ChannelError, InvalidAlert
from alerts.rendering import Renderer
from tests.unit.alert_messages import FIRING, GROUP, RESOLVED, hostile
from tests.unit.alert_receivers import answer, http_peer

RENDERER = Renderer()


def channel(peer, timeout_s=5.0):
    return AppriseChannel(
        "team/apprise-1", f"json://me:s3cret@127.0.0.1:{peer.port}/t0ken", RENDERER, timeout_s=timeout_s
    )


def failure(mood, timeout_s=5.0):
    with http_peer(mood) as peer, pytest.raises(ChannelError) as caught:
        channel(peer, timeout_s).send(FIRING)
    assert str(caught.value).startswith("team/apprise-1: json did not deliver: ")
    assert "s3cret" not in str(caught.value)
    assert "t0ken" not in str(caught.value)
    return caught.value


def test_urgency_becomes_the_kind_of_the_notification():
    with http_peer() as peer:
        sent = channel(peer)
        for message in (FIRING, RESOLVED, replace(GROUP, alerts=GROUP.alerts[1:])):
            sent.send(message)
        assert [json.loads(request.body)["type"] for request in peer.requests] == ["failure", "success", "warning"]


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (401, True), (404, True), (408, False), (429, False), (500, False)]
)
def test_the_status_that_the_library_tells_says_whether_to_try_again(status, permanent):
    error = failure(answer(status))
    assert error.permanent is permanent
    assert str(status) in str(error)


def test_a_service_that_is_not_there_is_tried_again():
    with http_peer() as peer:
        pass
    with pytest.raises(ChannelError) as caught:
        channel(peer).send(FIRING)
    assert not caught.value.permanent


def test_a_service_that_hangs_is_left_in_time_and_tried_again():
    begun = time.monotonic()
    error = failure(lambda connection, stopped: stopped.wait(3), timeout_s=0.5)
    assert time.monotonic() - begun < 3
    assert not error.permanent


def test_a_redirect_is_not_followed():
    with http_peer() as elsewhere:
        failure(answer(307, f"Location: {elsewhere.url()}"))
        assert elsewhere.requests == []


def test_what_the_library_says_gets_into_no_log(capfd):
    """Also where somebody asks it for every word: it names whole addresses then."""
    library, root, said = logging.getLogger("apprise"), logging.getLogger(), io.StringIO()
    ours = logging.StreamHandler(said)  # pytest's own handler listens where none of the program's does
    with http_peer(answer(500)) as peer:
        sent = channel(peer)
        library.setLevel(logging.DEBUG)
        root.addHandler(ours)
        try:
            with pytest.raises(ChannelError):
                sent.send(FIRING)
        finally:
            root.removeHandler(ours)
            library.setLevel(logging.WARNING)
    assert "t0ken" not in said.getvalue() + "".join(capfd.readouterr())
    assert "JSON" not in said.getvalue()


@pytest.mark.parametrize("url", ["nosuch://s3cret", "discord://s3cret", "s3cret", "slack://s3cret"])
def test_an_address_that_the_library_does_not_know_is_refused_without_showing_it(url):
    with pytest.raises(InvalidAlert, match="is none that apprise knows") as caught:
        AppriseChannel("team/apprise-1", url, RENDERER)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("body", "title"), [(160, 0), (140, 0), (90, 0), (2000, 50), (2000, 0), (32768, 250)])
def test_texts_are_cut_to_what_the_service_takes(body, title):
    with http_peer() as peer:
        sent = channel(peer)
        sent._body_limit, sent._title_limit = body, title
        for message in (FIRING, hostile(40)):
            sent.send(message)
    for request in peer.requests:
        got = json.loads(request.body)
        assert len(got["message"]) + len(got["title"]) <= body
        assert got["message"]
        assert title == 0 or len(got["title"]) <= title


def test_a_text_message_says_what_is_wrong_and_where_to_read_on():
    with http_peer() as peer:
        sent = channel(peer)
        sent._body_limit = 320
        sent.send(FIRING)
    got = json.loads(peer.requests[0].body)["message"]
    what, where = got.split("\n")
    assert what.startswith("[PAGE] checkout in prod: 7.3 % of requests failed")
    assert where.startswith("https://nl.example/api/v1/alerts/")


def test_a_place_that_does_not_fit_into_a_text_message_is_left_out():
    with http_peer() as peer:
        sent = channel(peer)
        sent._body_limit = 70
        sent.send(FIRING)
    got = json.loads(peer.requests[0].body)["message"]
    assert got.startswith("[PAGE] checkout in prod")
    assert "http" not in got
    assert len(got) <= 70
