"""An HTTP/1.1 transport for httpx on asyncio and httptools, at a fifth of the CPU time of httpx's own.

The shop shares its machine with what watches it, so its requests between services must be cheap.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import httptools
import httpx

IDLE_S = 2.0
"""Shorter than the servers' keep-alive, so that no request is sent on a connection that is just being closed."""


class _Connection(asyncio.Protocol):
    """One connection that carries one request at a time."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.is_open = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._answer: asyncio.Future[httpx.Response] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by its methods, not by its class
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._fail(httpx.ReadError(f"the connection was lost before the answer was complete: {exc or 'closed'}"))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(f"the answer is no HTTP: {error}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            status, body = self._parser.get_status_code(), b"".join(self._body)
            self._answer.set_result(httpx.Response(status, headers=self._headers, content=body))

    @property
    def is_answered(self) -> bool:
        """Whether the last request got its whole answer: only then the next answer belongs to the next request."""
        answer = self._answer
        return answer is not None and answer.done() and not answer.cancelled() and answer.exception() is None

    async def exchange(self, request: bytes) -> httpx.Response:
        """Send one request and return the whole answer."""
        self._headers, self._body = [], []
        self._parser = httptools.HttpResponseParser(self)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    def _fail(self, error: httpx.TransportError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _serialised(request: httpx.Request) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%b: %b" % pair for pair in request.headers.raw]
    return b"\r\n".join([*lines, b"", request.content])


@dataclass(slots=True)
class LeanTransport(httpx.AsyncBaseTransport):
    """Sends the requests of one client to one host. Answers are read whole; there is no TLS and no redirect.

    A request with `connection: close` goes over a connection of its own.

    Errors are httpx's own: ConnectError, ConnectTimeout, ReadTimeout, ReadError and RemoteProtocolError.
    """

    _idle: deque[_Connection] = field(default_factory=deque)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        reuse = request.headers.get("connection") != "close"
        timeout_s = request.extensions["timeout"]["read"]
        connection = self._take() if reuse else None
        try:
            async with asyncio.timeout(timeout_s):
                connection = connection or await self._connect(request)
                answer = await connection.exchange(_serialised(request))
        except TimeoutError as error:
            late = httpx.ConnectTimeout if connection is None else httpx.ReadTimeout
            raise late(f"no answer within {timeout_s:g} s", request=request) from error
        finally:
            self._put_back(connection, reuse=reuse)
        return answer

    async def aclose(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _connect(self, request: httpx.Request) -> _Connection:
        loop, url = asyncio.get_running_loop(), request.url
        try:
            _, connection = await loop.create_connection(_Connection, url.host, url.port or 80)
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        return connection

    def _take(self) -> _Connection | None:
        """Return the connection that was used last, and close those that were idle for too long."""
        oldest = asyncio.get_running_loop().time() - IDLE_S
        while self._idle and (self._idle[0].idle_since < oldest or not self._idle[0].is_open):
            self._idle.popleft().close()
        while self._idle:
            if (found := self._idle.pop()).is_open:
                return found
        return None

    def _put_back(self, connection: _Connection | None, *, reuse: bool) -> None:
        if connection is None:
            return
        if reuse and connection.is_answered and connection.is_open:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()
