"""Real servers on this machine that receive alerts: HTTP in every mood, and SMTP."""

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from alerts.address_guard import AddressGuard
from tests.receivers import make_certificates

ANYWHERE = AddressGuard(allow_private=True)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict
    body: bytes


@dataclass
class HttpPeer:
    """Keeps what it was sent; answers with `answer`, bytes or a function of the connection and `stopped`."""

    port: int
    answer: object = OK
    requests: list = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def url(self, path="/hooks/s3cret"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _serve(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection):
        with connection, suppress(OSError):
            connection.settimeout(10)
            self.requests.append(_read(connection))
            if callable(self.answer):
                self.answer(connection, self.stopped)
            else:
                connection.sendall(self.answer)


def _read(connection):
    got = b""
    while b"\r\n\r\n" not in got:
        got += _some(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name.title(): value for name, value in (text.split(": ", 1) for text in lines)}
    while len(body) < int(headers.get("Content-Length", 0)):
        body += _some(connection)
    return Request(line, headers, body)


def _some(connection):
    got = connection.recv(65536)
    if not got:
        raise OSError("the client is gone")
    return got


@contextmanager
def http_peer(answer=OK):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = HttpPeer(listener.getsockname()[1], answer)
        thread = threading.Thread(target=peer._serve, args=(listener,))
        thread.start()
        try:
            yield peer
        finally:
            peer.stopped.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def answer(status, *headers, body=b""):
    """Return an answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Mailbox:
    """Handler of a mail server: keeps envelopes, refuses what `refusals` says."""

    def __init__(self):
        self.envelopes = []
        self.refusals = {}
        self.data_answer = "250 OK"
        self.logins = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - the library's name
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the library's name
        if self.data_answer.startswith("250"):
            encrypted = server.transport.get_extra_info("sslcontext") is not None
            self.envelopes.append((tuple(envelope.rcpt_tos), envelope.content, encrypted))
        return self.data_answer

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"s3cret-word", handled=False)


@dataclass
class MailPeer:
    port: int
    box: Mailbox
    trusted: ssl.SSLContext


@contextmanager
def mail_peer(folder, *, tls=True, implicit_tls=False, login=False):
    """Run a mail server that demands STARTTLS, or speaks TLS from the start; `trusted` knows its certificate."""
    made = make_certificates(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.path("server.pem"), made.path("server.key"))
    box = Mailbox()
    options = {"tls_context": context, "require_starttls": True} if tls else {}
    if implicit_tls:
        options = {"ssl_context": context, "server_hostname": "mail.test"}
    if login:
        options |= {"authenticator": box.authenticate, "auth_required": True}
    controller = Controller(box, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    try:
        yield MailPeer(controller.port, box, made.client_context(with_certificate=False))
    finally:
        controller.stop()


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
