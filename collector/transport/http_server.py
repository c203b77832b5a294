"""uvicorn on a socket of ours, with what it lacks towards the open network: time limits and a cap on connections."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from math import inf
from typing import Any, cast

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from collector.errors import BadPayload
from collector.transport.media import JSON

IDLE_S = 75.0  # exporters send every few seconds and keep their connection; also the longest time to take an answer
ANSWER_S = 1.0  # the application, which knows how to answer a slow body, comes first
LINGER_S = 2.0
LAST_ANSWERS_S = 0.1
SWEEP_TICKS = 5  # of 0.1 s
LONGEST_HEAD_BYTES = 1 << 16
MOST_PIPELINED = 100
BACKLOG = 2048
GRACE_S = 1

log = logging.getLogger(__name__)
log.setLevel(logging.ERROR)  # uvicorn warns at every malformed request: a client must not fill our log


class HttpServer(uvicorn.Server):
    """A server on a bound socket that leaves signals to its caller: uvicorn raises them again and ends the process."""

    def __init__(self, app: Any, bound: socket.socket, **options: Any) -> None:
        options |= {"log_level": "warning", "access_log": False, "timeout_graceful_shutdown": GRACE_S}
        super().__init__(uvicorn.Config(app, http="httptools", **options))
        self.socket = bound
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class GuardedServer(HttpServer):
    """The same for clients that nobody knows.

    Args:
        app: An ASGI application without lifespan and WebSockets.
        bound: A listening socket.
        timeout_s: From the first byte of a request to its last; without a request, from the connection's start.
        connections: Served at the same time; the excess is closed.
        tls: None for plain HTTP.
    """

    def __init__(
        self,
        app: Any,
        bound: socket.socket,
        *,
        timeout_s: float = 20.0,
        connections: int = 1000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            app,
            bound,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=IDLE_S,
        )
        self._timeout_s = timeout_s
        self._connections = connections
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; unlike uvicorn's own, this limits the time of the TLS handshake."""
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return GuardedProtocol(self, loop, timeout_s=self._timeout_s, connections=self._connections)

        handshake_s = self._timeout_s if self._tls else None
        self.servers = [
            await loop.create_server(
                protocol, sock=found, ssl=self._tls, backlog=BACKLOG, ssl_handshake_timeout=handshake_s
            )
            for found in sockets or [self.socket]
        ]
        self.started = True
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as uvicorn does, and let the requests that it cancels answer before their connections end."""
        await super().shutdown(sockets)
        if self.server_state.tasks:
            await asyncio.wait(tuple(self.server_state.tasks), timeout=LAST_ANSWERS_S)
        if not self.server_state.connections:
            return
        for connection in tuple(self.server_state.connections):
            connection.transport.close()
        await asyncio.sleep(LAST_ANSWERS_S)
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()

    async def on_tick(self, counter: int) -> bool:
        """Look after the time limits twice a second: cheaper than a timer for each request."""
        if counter % SWEEP_TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, GuardedProtocol):
                    connection.close_if_late(now)
        return await super().on_tick(counter)


class GuardedProtocol(HttpToolsProtocol):
    """One connection, with a deadline for what its client has to do next."""

    def __init__(
        self, server: GuardedServer, loop: asyncio.AbstractEventLoop, *, timeout_s: float, connections: int
    ) -> None:
        super().__init__(server.config, server.server_state, {}, loop)
        self._server = server
        self.logger = log
        self._timeout_s = timeout_s
        self._limit = connections
        self._deadline = inf
        self._receiving = False
        self._in_body = False
        self._upgrade_offered = False
        self.discarding = False
        self._fruitless_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self._limit:
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._deadline = self.loop.time() + self._timeout_s

    def data_received(self, data: bytes) -> None:
        if self.discarding:
            return
        self._unset_keepalive_if_required()
        self._fruitless_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._answer_and_close(400, "this is no valid HTTP/1.1 request")
        if self._fruitless_bytes > LONGEST_HEAD_BYTES and self._receiving and not self.discarding:
            self._answer_and_close(431, f"the header is longer than {LONGEST_HEAD_BYTES} bytes")

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read a request that offers to upgrade as if it did not: the parser takes its body for another protocol.

        Java's HTTP client offers h2c with its first request; without this its body would be lost with a 200.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([method + b" " + self.url + b" HTTP/" + version, *headers, b"", rest]))

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:  # uvicorn reads on however many there are: gigabytes of small ones
            raise ValueError("too many requests wait for their answers")
        super().on_message_begin()
        self._receiving = True
        self._deadline = self.loop.time() + self._timeout_s + ANSWER_S

    def on_headers_complete(self) -> None:
        self._upgrade_offered = self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)
        if self._upgrade_offered:
            return
        self._in_body = True
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", _AnswerTransport(self))  # the part of one that a cycle uses

    def on_body(self, body: bytes) -> None:
        self._fruitless_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._upgrade_offered:
            return
        super().on_message_complete()
        self._receiving = self._in_body = False
        self._fruitless_bytes = 0
        self._deadline = self.loop.time() + IDLE_S

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._receiving:
            self._deadline = self.loop.time() + IDLE_S

    def close_if_late(self, now: float) -> None:
        """Close without an answer when the deadline is over: a disconnected client may send again, after 408 not."""
        if now > self._deadline:
            self.transport.abort()

    def close_after_answer(self) -> None:
        """Close; but let a client that still sends read the answer first: closing under it would reset it."""
        if not self._receiving or self._server.should_exit:
            self.transport.close()
            return
        self.discarding = True
        self._deadline = self.loop.time() + LINGER_S
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _answer_and_close(self, status: int, reason: str) -> None:
        """Refuse what is being received; when an earlier request waits, it must not take this for its own answer."""
        if self.cycle is not None:
            if self.pipeline or not (self._in_body or self.cycle.response_complete):
                self.transport.abort()
                return
            self.cycle.disconnected = True  # the application must not wait for the rest of the body
            self.cycle.message_event.set()
        body = JSON.status(BadPayload(reason))
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self._receiving = True
        self.close_after_answer()


class _AnswerTransport:
    """What answers are written to: the connection, except that its end is ours to time."""

    __slots__ = ("_protocol", "is_closing")

    def __init__(self, protocol: GuardedProtocol) -> None:
        self._protocol = protocol
        self.is_closing = protocol.transport.is_closing

    def write(self, data: bytes) -> None:
        if not (self._protocol.discarding or self.is_closing()):
            self._protocol.transport.write(data)

    def close(self) -> None:
        self._protocol.close_after_answer()
