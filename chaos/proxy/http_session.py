"""HTTP/1.1 between one client connection and one upstream connection, request by request."""

import asyncio
from typing import Any

import h11

from chaos.proxy.flow import CutError
from chaos.proxy.http_peer import HttpPeer
from chaos.proxy.request_fault import Effect, RequestFault, RequestFaults, RequestPlan

LINGER_S = 1.0
VERSIONS = frozenset({b"1.0", b"1.1"})
BODYLESS = frozenset({204, 304})
WAITING = (h11.NEED_DATA, h11.PAUSED)


class BrokenExchangeError(ConnectionError):
    """An exchange cannot be completed honestly: both peers must see a broken connection."""


class HttpSession:
    """Passes requests and responses on as they come, and applies the edge's faults to each request.

    The two connections live and die together, as without a proxy: no response is ever made up for an upstream that
    closes, breaks off or talks nonsense; the client sees a broken connection. `authority` is the upstream's address.
    """

    def __init__(self, client: HttpPeer, server: HttpPeer, faults: RequestFaults, *, authority: str) -> None:
        self._client = client
        self._server = server
        self._faults = faults
        self._authority = authority
        self._method = b""
        self._body: asyncio.Task[None] | None = None
        self._broken: asyncio.Future[CutError] = asyncio.get_running_loop().create_future()
        self._is_idle = True
        self._is_request_complete = False
        self._is_stuck = False
        client.reader.on_end = self._on_client_end
        server.reader.on_end = self._on_server_end

    async def run(self) -> None:
        """Serve until one of the peers ends.

        Raises:
            ExceptionGroup: of CutError or OSError.
        """
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            flows = [group.create_task(peer.flow.run()) for peer in (self._client, self._server)]
            await self._serve()
            self._client.flow.end()
            self._server.flow.end()
            await asyncio.wait(flows)
            if not self._client.reader.ended and self._client.h11.their_state in {h11.SEND_BODY, h11.ERROR}:
                await self._client.drain(LINGER_S)
            watch.cancel()

    async def _serve(self) -> None:
        while not self._server.reader.ended:
            self._is_idle = True
            try:
                event = await self._client.next_event()
            except h11.RemoteProtocolError as error:
                await self._refuse(error)
                return
            if not isinstance(event, h11.Request):
                return
            if event.http_version not in VERSIONS:
                await self._refuse(h11.RemoteProtocolError(f"version {event.http_version.decode()}", 505))
                return
            self._is_idle = self._is_request_complete = False
            try:
                await self._exchange(event)
            except h11.ProtocolError as error:
                raise BrokenExchangeError(str(error)) from error
            if h11.SWITCHED_PROTOCOL in self._client.h11.states.values():
                await self._tunnel()
                return
            if not self._start_next_cycle():
                return

    async def _exchange(self, request: h11.Request) -> None:
        self._method = request.method
        plan = self._faults.plan(request.headers.raw_items())
        for fault, effect in plan.on("upstream"):
            if await fault.hold(effect.hold_s):
                continue
            if effect.cut is not None:
                await self._cut(fault, effect)
            if effect.status is not None:
                await self._answer(fault, effect.status)
                return
        await self._server.send(_request(request, plan, self._authority))
        if await self._pass_ready_body():
            await self._pass_response(plan)
        else:
            await self._pass_both(plan)

    async def _pass_ready_body(self) -> bool:
        """Pass on what of the body has arrived, with the head; returns whether that was all of it."""
        while (event := self._client.ready_event()) not in WAITING:
            await self._server.send(event)
            if isinstance(event, h11.EndOfMessage):
                await self._complete_request()
                return True
        await self._server.flush()
        return False

    async def _pass_both(self, plan: RequestPlan) -> None:
        """Pass on the rest of the body and the response side by side: a server may answer before it has read all."""
        self._body = body = asyncio.create_task(self._pass_body())
        try:
            await self._pass_response(plan)
            if not self._server.reader.ended:
                await asyncio.wait({body})
        finally:
            body.cancel()
            await asyncio.gather(body, return_exceptions=True)
            self._body = None

    async def _pass_body(self) -> None:
        try:
            while True:
                event = await self._client.next_event()
                await self._server.send(event)
                if isinstance(event, h11.EndOfMessage):
                    await self._complete_request()
                    return
                await self._server.flush()
        except h11.ProtocolError:
            self._break(CutError(reset=True))  # the client broke off: the server must not take this for a request
        except OSError:
            return  # one of them is gone: whether the server has answered before is for the response to tell

    async def _pass_response(self, plan: RequestPlan) -> None:
        while True:
            event = self._server.ready_event()
            if event is h11.NEED_DATA:
                await self._client.flush()
                await self._server.read()
                continue
            if isinstance(event, h11.Response):
                await self._hold_response(plan)
            if isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                raise BrokenExchangeError("the upstream closed without a response")
            await self._client.send(_response(event, self._method))
            if isinstance(event, h11.EndOfMessage) or self._server.h11.their_state is h11.SWITCHED_PROTOCOL:
                break
        await self._client.flush()

    async def _hold_response(self, plan: RequestPlan) -> None:
        for fault, effect in plan.on("downstream"):
            if not await fault.hold(effect.hold_s) and effect.cut is not None:
                await self._cut(fault, effect)

    async def _cut(self, fault: RequestFault, effect: Effect) -> None:
        if effect.cut == "swallow":
            self._is_stuck = True
            if self._client.reader.ended:
                raise CutError(reset=False)
            await fault.hold(None)
        raise CutError(reset=True)

    async def _answer(self, fault: RequestFault, status: int) -> None:
        """Answer in the server's place, after reading the request to its end unless the client waits for a go-ahead."""
        if self._client.h11.they_are_waiting_for_100_continue:
            close = True
        else:
            close = False
            while not isinstance(await self._client.next_event(), h11.EndOfMessage):
                pass
        await self._respond(status, f'{{"error": "injected by fault {fault.name}"}}\n', fault=fault.name, close=close)

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Tell a client that does not speak HTTP/1.1 so, as far as it can still be told."""
        if self._client.h11.our_state not in {h11.IDLE, h11.SEND_RESPONSE} or self._client.reader.ended:
            raise BrokenExchangeError(f"request: {error}") from error
        body = f'{{"error": "the fault proxy cannot read this as HTTP/1.1: {error}"}}\n'
        await self._respond(error.error_status_hint, body, close=True)

    async def _respond(self, status: int, body: str, *, fault: str = "", close: bool = False) -> None:
        content = body.encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(content)))]
        headers += [("chaos-fault", fault)] if fault else []
        headers += [("connection", "close")] if close else []
        bodyless = status in BODYLESS
        await self._client.send(h11.Response(status_code=status, headers=headers[2:] if bodyless else headers))
        if not bodyless and self._method != b"HEAD":
            await self._client.send(h11.Data(data=content))
        await self._client.send(h11.EndOfMessage())
        await self._client.flush()

    async def _tunnel(self) -> None:
        self._client.reader.on_end = self._server.reader.on_end = lambda _: None
        async with asyncio.TaskGroup() as group:
            group.create_task(self._client.tunnel_to(self._server))
            group.create_task(self._server.tunnel_to(self._client))

    def _start_next_cycle(self) -> bool:
        peers = [self._client] if self._server.h11.our_state is h11.IDLE else [self._client, self._server]
        if any(set(peer.h11.states.values()) != {h11.DONE} for peer in peers):
            return False
        for peer in peers:
            peer.h11.start_next_cycle()
        return True

    async def _complete_request(self) -> None:
        await self._server.flush()
        self._is_request_complete = True
        self._pass_client_end()

    def _pass_client_end(self) -> None:
        """Let the server learn, as without a proxy, that the client is done; pipelined requests come first."""
        if self._client.reader.at_eof() and not self._client.h11.trailing_data[0]:
            self._server.flow.end()

    def _on_client_end(self, error: Exception | None) -> None:
        if error is not None:
            self._break(CutError(reset=True))
        elif self._is_stuck:
            self._break(CutError(reset=False))
        elif self._is_request_complete and not self._is_idle:
            self._pass_client_end()

    def _on_server_end(self, error: Exception | None) -> None:
        if self._is_idle:
            self._break(CutError(reset=error is not None))
        elif self._body is not None and self._server.h11.their_state in {h11.DONE, h11.MUST_CLOSE, h11.CLOSED}:
            self._body.cancel()  # it has answered and reads no more

    def _break(self, error: CutError) -> None:
        if not self._broken.done():
            self._broken.set_result(error)

    async def _watch(self) -> None:
        raise await self._broken


def _request(request: h11.Request, plan: RequestPlan, host: str) -> h11.Request:
    headers = list(plan.headers)
    if not any(name.lower() == b"host" for name, _ in headers):
        headers.append((b"Host", host.encode()))  # HTTP/1.0 does without, and leaves here as HTTP/1.1
    return h11.Request(method=request.method, target=request.target, headers=headers)


def _response(event: Any, method: bytes) -> Any:
    """Return a response event as it came, with the spelling of its headers."""
    if not isinstance(event, h11.Response | h11.InformationalResponse):
        return event
    headers = event.headers.raw_items()
    if isinstance(event, h11.Response) and _ends_with_connection(event, method):
        headers = [*headers, (b"Connection", b"close")]
    return type(event)(status_code=event.status_code, headers=headers, reason=event.reason)


def _ends_with_connection(response: h11.Response, method: bytes) -> bool:
    """Whether the upstream says, by its version or by giving no length, that it will close."""
    names = {name.lower() for name, _ in response.headers.raw_items()}
    if response.http_version < b"1.1":
        return b"connection" not in names
    framed = names & {b"content-length", b"transfer-encoding"} or response.status_code in BODYLESS
    return not framed and method not in {b"HEAD", b"CONNECT"} and b"connection" not in names
