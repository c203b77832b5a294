"""E-mail, to a real SMTP server."""

import email
import email.policy
import socket
import ssl
import threading
import time
from dataclasses import replace

import pytest

from alerts.channels.email import EmailChannel
from alerts.channels.smtp import Smarthost
from alerts.errors import ChannelError, InvalidAlert
from alerts.rendering import Renderer
from tests.unit.alert_messages import FIRING, NOW, RESOLVED, hostile
from tests.unit.alert_receivers import mail_peer

RENDERER = Renderer()
ME, YOU = "me@shop.example", "you@shop.example"


@pytest.fixture(scope="module")
def tls_peer(tmp_path_factory):
    with mail_peer(tmp_path_factory.mktemp("certificates")) as peer:
        yield peer


@pytest.fixture
def mail(tls_peer):
    tls_peer.box.envelopes.clear()
    tls_peer.box.refusals.clear()
    tls_peer.box.data_answer = "250 OK"
    return tls_peer


def channel(peer, to=(ME,), timeout_s=5.0, **options):
    smarthost = Smarthost("127.0.0.1", peer.port, **({"tls": peer.trusted} | options))
    return EmailChannel("ops/mail", to, "Ninelives <nl@shop.example>", smarthost, RENDERER, timeout_s=timeout_s)


def failure(sent, message=FIRING):
    with pytest.raises(ChannelError) as caught:
        sent.send(message)
    assert str(caught.value).startswith("ops/mail: 127.0.0.1:")
    return caught.value


def read(peer):
    return [email.message_from_bytes(content, policy=email.policy.default) for _, content, _ in peer.box.envelopes]


def test_a_firing_alert_and_its_end_stand_in_one_thread(mail):
    sent = channel(mail)
    sent.send(FIRING)
    sent.send(RESOLVED)
    first, last = read(mail)
    assert first["Message-ID"] != last["Message-ID"]
    assert first["References"] == first["In-Reply-To"] == last["References"] == last["In-Reply-To"]
    assert first["From"] == "nl@shop.example"


def test_an_attempt_that_is_repeated_is_the_same_message(mail):
    sent = channel(mail)
    sent.send(FIRING)
    sent.send(FIRING)
    first, again = read(mail)
    assert first["Message-ID"] == again["Message-ID"]


def test_another_group_is_another_thread(mail):
    sent = channel(mail)
    sent.send(FIRING)
    sent.send(replace(FIRING, group_key="another"))
    first, other = read(mail)
    assert first["References"] != other["References"]


def test_text_and_html_say_the_same(mail):
    channel(mail).send(FIRING)
    (letter,) = read(mail)
    text, html = letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()
    for said in ("219 of 3,000 bad in 5m", "inventory (SELECT stock)", "https://runbooks.example/checkout"):
        assert said in text
        assert said in html


@pytest.mark.parametrize("times", [1, 200])
def test_hostile_names_break_neither_headers_nor_html(mail, times):
    message = replace(hostile(times), idempotency_key="k\r\nBcc: x@evil.example", group_key="g\n\ud800")
    channel(mail).send(message)
    ((recipients, content, _),) = mail.box.envelopes
    (letter,) = read(mail)
    assert recipients == (ME,)
    assert letter["Bcc"] is None
    assert len(letter["Subject"]) <= 200
    html = letter.get_body(("html",))
    assert (html is None) is (times == 200), "HTML is not cut apart: what is too long goes as text alone"
    assert html is None or "<script" not in html.get_content()
    assert all(len(line) < 1000 for line in content.split(b"\r\n"))


def test_a_login_is_made_under_tls(tmp_path):
    with mail_peer(tmp_path, login=True) as peer:
        channel(peer, username="nl", password="s3cret-word").send(FIRING)
        assert peer.box.logins == [(b"nl", b"s3cret-word")]
        assert [encrypted for _, _, encrypted in peer.box.envelopes] == [True]
        wrong = failure(channel(peer, username="nl", password="s3cret-wrong"))
        without = failure(channel(peer))
    assert (wrong.permanent, without.permanent) == (True, True)
    assert "535" in str(wrong)
    assert "s3cret" not in str(wrong)
    assert "s3cret" not in repr(Smarthost("h", password="s3cret"))


def test_a_server_without_starttls_gets_nothing_unless_that_is_allowed(tmp_path):
    with mail_peer(tmp_path, tls=False) as peer:
        error = failure(channel(peer))
        assert peer.box.envelopes == []
        channel(peer, require_tls=False).send(FIRING)
        assert [encrypted for _, _, encrypted in peer.box.envelopes] == [False]
    assert error.permanent
    assert "STARTTLS" in str(error)
    assert "require_tls: false" in str(error)


def test_a_server_that_offers_starttls_is_spoken_to_in_tls_even_if_it_need_not_be(mail):
    channel(mail, require_tls=False).send(FIRING)
    assert [encrypted for _, _, encrypted in mail.box.envelopes] == [True]


def test_a_server_may_speak_tls_from_the_start(tmp_path):
    with mail_peer(tmp_path, implicit_tls=True) as peer:
        channel(peer, implicit_tls=True).send(FIRING)
        assert [encrypted for _, _, encrypted in peer.box.envelopes] == [True]
        error = failure(channel(peer, implicit_tls=True, tls=ssl.create_default_context()))
    assert "certificate verify failed" in str(error)


def test_a_certificate_of_someone_else_is_refused(mail):
    error = failure(channel(mail, tls=ssl.create_default_context()))
    assert "certificate verify failed" in str(error)
    assert mail.box.envelopes == []


@pytest.mark.parametrize(("code", "permanent"), [("451 try later", False), ("554 5.7.1 spam", True)])
def test_the_servers_answer_says_whether_to_try_again(mail, code, permanent):
    mail.box.data_answer = code
    error = failure(channel(mail))
    assert error.permanent is permanent
    assert f"answered {code}" in str(error)


@pytest.mark.parametrize(("code", "permanent"), [("450 busy", False), ("550 no such user", True)])
def test_a_recipient_that_is_refused_is_named(mail, code, permanent):
    mail.box.refusals = {ME: code}
    error = failure(channel(mail))
    assert error.permanent is permanent
    assert f"{ME} answered {code}" in str(error)


def test_who_has_the_message_already_does_not_get_it_again(mail):
    mail.box.refusals = {YOU: "450 busy"}
    sent = channel(mail, to=(ME, YOU))
    error = failure(sent)
    assert not error.permanent
    mail.box.refusals = {}
    sent.send(FIRING)
    sent.send(RESOLVED)
    assert [recipients for recipients, _, _ in mail.box.envelopes] == [(ME,), (YOU,), (ME, YOU)]


def test_only_so_many_messages_are_remembered_as_half_sent(mail, monkeypatch):
    monkeypatch.setattr("alerts.channels.email._REMEMBERED", 1)
    mail.box.refusals = {YOU: "450 busy"}
    sent = channel(mail, to=(ME, YOU))
    failure(sent)
    failure(sent, RESOLVED)
    assert list(sent._left) == [RESOLVED.idempotency_key]


def test_a_recipient_that_does_not_exist_does_not_keep_the_others_from_it(mail):
    mail.box.refusals = {YOU: "550 no such user"}
    error = failure(channel(mail, to=(ME, YOU)))
    assert error.permanent
    assert "the other recipients have it" in str(error)
    assert [recipients for recipients, _, _ in mail.box.envelopes] == [(ME,)]


@pytest.mark.parametrize("greeting", [b"", b"421 closing\r\n", b"220 ready\r\n", b"no SMTP\r\n", None])
def test_a_server_that_breaks_off_or_hangs_is_tried_again(mail, greeting):
    """An empty greeting closes at once; None drips one for ever."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet, args=(listener, greeting, stopped))
        thread.start()
        begun = time.monotonic()
        peer = replace(mail, port=listener.getsockname()[1])
        error = failure(channel(peer, timeout_s=0.5))
        stopped.set()
        thread.join(10)
    assert not error.permanent
    assert time.monotonic() - begun < 5


def _greet(listener, greeting, stopped):
    connection, _ = listener.accept()
    with connection:
        try:
            connection.sendall(greeting or b"")
            while greeting is None and not stopped.wait(0.05):
                connection.sendall(b"2")
        except OSError:
            pass


def test_a_server_that_is_not_there_is_tried_again(mail):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not failure(channel(replace(mail, port=port))).permanent


@pytest.mark.parametrize("address", ["", "nobody", "@x.example", "a b@x.example", "a@x.example\nBcc: b@x.example"])
def test_what_is_no_address_is_refused_when_the_channel_is_made(address):
    with pytest.raises(InvalidAlert, match="e-mail address"):
        EmailChannel("ops/mail", [address], ME, Smarthost("127.0.0.1"), RENDERER, now=lambda: NOW)
