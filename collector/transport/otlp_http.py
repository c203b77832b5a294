"""OTLP over HTTP: POST /v1/traces, /v1/metrics and /v1/logs, in protobuf or JSON.

A bare ASGI application: a web framework would cost more of each request than everything else here, and every answer,
also to an unknown path, has its form from the OTLP specification.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from collector.errors import InternalFault, Refused, TooLarge, TooSlow, Unauthenticated, UnknownPath, WrongMethod
from collector.intake import SIGNALS, Intake
from collector.transport.compression import find_decoder
from collector.transport.cors import Cors, Headers
from collector.transport.media import JSON, Media, find_media, require_media

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

SMALL_BODY_BYTES = 1 << 16
NO_HEADERS: Headers = []


class ClientGone(Exception):  # noqa: N818 -- nobody hears the answer, and it is no fault of ours
    """The client went away before its body was complete."""


class _Request:
    """What a request says before its body."""

    __slots__ = ("_headers", "method", "path")

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:  # several are one value, which no token or encoding has
            self._headers[name] = self._headers[name] + b", " + value if name in self._headers else value

    def header(self, name: bytes) -> str | None:
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def declared_bytes(self) -> int:
        """Return what Content-Length says; the server has refused what is no number."""
        return int(self._headers.get(b"content-length", b"0"))

    def has_small_body(self) -> bool:
        """Tell whether reading on to the end of the body is cheaper than a new connection."""
        known = not self._headers.keys() & {b"transfer-encoding", b"expect"}
        return known and self.declared_bytes() <= SMALL_BODY_BYTES

    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and b"access-control-request-method" in self._headers


@dataclass(slots=True)
class _Body:
    """Reads a body under a limit, whatever its headers promise."""

    receive: Receive
    limit_bytes: int
    timeout_s: float
    complete: bool = False
    _chunks: list[bytes] = field(default_factory=list)

    async def read(self, declared_bytes: int, take: Callable[[int], object]) -> bytes:
        """Return the body; *take* reserves the memory of each piece.

        Raises:
            TooLarge, TooSlow: reading stopped there.
            ClientGone: nobody waits for an answer.
        """
        if declared_bytes > self.limit_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self.timeout_s):
                await self._read(take)
        except TimeoutError as error:
            raise TooSlow(f"the body did not arrive within {self.timeout_s:g} s; send it again") from error
        return b"".join(self._chunks)

    async def _read(self, take: Callable[[int], object]) -> None:
        size = 0
        while not self.complete:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message["body"]
            size += len(chunk)
            if size > self.limit_bytes:
                raise self._too_large()
            take(len(chunk))
            self._chunks.append(chunk)
            self.complete = not message["more_body"]

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is larger than {self.limit_bytes} bytes; send smaller batches")


def build_app(
    intake: Intake,
    *,
    body_limit_bytes: int,
    timeout_s: float = 20.0,
    path_prefix: str = "",
    cors_origins: Collection[str] = (),
) -> App:
    """Return the receiver.

    It never redirects, because exporters count a redirect as success and lose the batch.

    Args:
        intake: What accepts the requests.
        body_limit_bytes: Of a body, before and after decompression.
        timeout_s: For the whole body to arrive.
        path_prefix: Accepted before the paths, which are accepted without it too.
        cors_origins: Web pages that may send, "*" for all of them.
    """
    paths = {
        f"{prefix}/v1/{signal}{slash}": signal
        for signal in SIGNALS
        for prefix in ("", path_prefix.rstrip("/"))
        for slash in ("", "/")
    }
    cors = Cors(frozenset(cors_origins))

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        request, body = _Request(scope), _Body(receive, body_limit_bytes, timeout_s)
        origin = request.header(b"origin")
        if cors and request.is_preflight():
            await _send(send, 204, cors.preflight(origin))
            return
        try:
            media, answer = await _export(intake, _signal(request, paths), request, body)
        except ClientGone:
            return
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- every defect has an answer, and is logged
            await _refuse(send, request, body, error, cors.headers(origin))
        else:
            await _send(send, 200, [(b"content-type", media.name.encode())], answer, cors.headers(origin))

    return app


async def _refuse(send: Send, request: _Request, body: _Body, error: BaseException, headers: Headers) -> None:
    """Answer *error*. In a frame of its own: kept by a frame of its traceback, it would keep the body in memory."""
    refusal = _refusal(error)
    unread = not body.complete and (isinstance(refusal, TooSlow) or not request.has_small_body())
    await _send(send, refusal.http, *_refused(request, refusal, close=unread), headers)


def _signal(request: _Request, paths: dict[str, str]) -> str:
    """Return the signal that is sent to the request's path.

    Raises:
        UnknownPath, WrongMethod: none is.
    """
    signal = paths.get(request.path)
    if signal is None:
        raise UnknownPath(
            f"nothing is received at {request.path[:100]}; send to POST /v1/traces, /v1/metrics, /v1/logs"
        )
    if request.method != "POST":
        raise WrongMethod(f"{request.method} is not a method of {request.path}; use POST")
    return signal


async def _export(intake: Intake, signal: str, request: _Request, body: _Body) -> tuple[Media, bytes]:
    """Return the encoding and the body of the answer to an accepted request."""
    with intake.admission.enter(request.header(b"authorization"), signal) as entry:
        media = require_media(request.header(b"content-type") or "")
        decode = find_decoder(request.header(b"content-encoding") or "")
        sent = await body.read(request.declared_bytes(), entry.take)
        data = decode(sent, body.limit_bytes, entry.take)
        checked = await intake.accept(signal, data, entry, as_json=media.as_json)
    return media, media.success(signal, checked)


def _refusal(error: BaseException) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, asyncio.CancelledError):  # the server would answer 500, on which exporters drop the batch
        return InternalFault("the receiver stops; send again")
    log.error("a request failed inside", exc_info=error)
    return InternalFault("the receiver failed; send again")


def _refused(request: _Request, refusal: Refused, *, close: bool) -> tuple[Headers, bytes]:
    """Return headers and body in the request's encoding; *close* where much of a body would still follow."""
    media = find_media(request.header(b"content-type") or "") or JSON
    headers = [(b"content-type", media.name.encode())]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after_s))
    if isinstance(refusal, WrongMethod):
        headers.append((b"allow", b"POST"))
    if isinstance(refusal, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    if close:
        headers.append((b"connection", b"close"))
    return headers, media.status(refusal)


async def _send(send: Send, status: int, headers: Headers, body: bytes = b"", more: Headers = NO_HEADERS) -> None:
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length, *more]})
    await send({"type": "http.response.body", "body": body})
