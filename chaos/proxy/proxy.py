import asyncio
import random
import socket
import struct
from typing import Literal

import h11

from chaos.address import Address
from chaos.proxy.flow import CutError, Flow, Traffic, relay
from chaos.proxy.http_peer import HttpPeer
from chaos.proxy.http_session import HttpSession
from chaos.proxy.reader import WatchedReader, connect
from chaos.proxy.request_fault import RequestFaults
from chaos.proxy.toxic import Stream, Toxic, ToxicChain

Protocol = Literal["tcp", "http"]

BIND_ATTEMPTS = 20
BACKLOG = 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """A proxy from `listen` to `upstream` whose links carry toxics.

    With `protocol` "http" it reads HTTP/1.1 and can break single requests (`requests`); otherwise it carries bytes.
    While disabled its port stays bound but does not listen: connections are refused, and nobody else can take the
    port. An upstream that does not answer costs that one connection (the client sees a reset).
    `client` and `server` name the services on both sides of the edge, where known.
    """

    def __init__(
        self,
        name: str,
        listen: Address,
        upstream: Address,
        *,
        client: str = "",
        server: str = "",
        protocol: Protocol = "tcp",
    ) -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.client = client
        self.server = server
        self.protocol: Protocol = protocol
        self.requests = RequestFaults()
        self.traffic: dict[Stream, Traffic] = {"upstream": Traffic(), "downstream": Traffic()}
        self._chains: dict[Stream, ToxicChain] = {"upstream": ToxicChain(), "downstream": ToxicChain()}
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._bound: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._probes: set[asyncio.Queue[tuple[int, bool]]] = set()

    @property
    def enabled(self) -> bool:
        return self._server is not None

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        return (*self._chains["upstream"].toxics, *self._chains["downstream"].toxics)

    def find_toxic(self, name: str) -> Toxic | None:
        return next((toxic for toxic in self.toxics if toxic.name == name), None)

    def put_toxic(self, toxic: Toxic) -> None:
        """Add *toxic*, or replace the one with its name; live connections feel it at once."""
        self._chains[toxic.stream].put(toxic)

    def remove_toxic(self, name: str) -> None:
        """Remove a toxic; what it held leaves at once. An unknown name is already removed."""
        for chain in self._chains.values():
            if chain.find(name) is not None:
                chain.remove(name)

    async def bind(self) -> None:
        """Take the port without listening; port 0 becomes the port that was given.

        Raises:
            OSError: the address is taken or not of this machine.
        """
        found = await asyncio.get_running_loop().getaddrinfo(
            self.listen.host, self.listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        self._bound = _bound_socket(family, kind, protocol, address)
        self.listen = Address(self.listen.host, self._bound.getsockname()[1])

    async def enable(self) -> None:
        """Listen. Does nothing when it listens already."""
        if self.enabled:
            return
        if self._bound is None:
            await self.bind()
        bound, self._bound = self._bound, None
        assert bound is not None
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: asyncio.StreamReaderProtocol(WatchedReader(), self._accept), sock=bound, backlog=BACKLOG
        )

    async def disable(self) -> None:
        """Refuse new connections and close the live ones, keeping the port."""
        await self.close()
        for attempt in range(BIND_ATTEMPTS):
            try:
                await self.bind()
                break
            except OSError:
                if attempt == BIND_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.01)  # an event loop may release the listening socket a little later

    async def close(self) -> None:
        """Give the port back and close every connection."""
        server, self._server = self._server, None
        bound, self._bound = self._bound, None
        if server is not None:
            server.close()
        if bound is not None:
            bound.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def answers(self, timeout_s: float = 1.0) -> bool:
        """Return whether a connection to the proxy's port gets through to the upstream, or the upstream itself is gone.

        The second is no business of the proxy's: what it broke is mended.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._gets_through() or not await self._upstream_accepts()
        except OSError:
            return False

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, WatchedReader)
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._connections.add(task)
        task.add_done_callback(lambda done: self._forget(done, writer))

    def _forget(self, task: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        self._connections.discard(task)
        if not writer.is_closing():  # cancelled before its first step, so it could not clean up itself
            writer.transport.abort()

    async def _carry(self, reader: WatchedReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            up_reader, up_writer = await self._reach(writer)
            writers.append(up_writer)
            up_flow = Flow(up_writer, self._chains["upstream"], self._rng, self.traffic["upstream"])
            down_flow = Flow(writer, self._chains["downstream"], self._rng, self.traffic["downstream"])
            if self.protocol == "http":
                client, server = HttpPeer(h11.SERVER, reader, down_flow), HttpPeer(h11.CLIENT, up_reader, up_flow)
                await HttpSession(client, server, self.requests, authority=str(self.upstream)).run()
            else:
                async with asyncio.TaskGroup() as group:
                    for job in (relay(reader, up_flow), up_flow.run(), relay(up_reader, down_flow), down_flow.run()):
                        group.create_task(job)
            for each in writers:
                each.close()
        except* CutError as cuts:
            for each in writers:
                (_reset if _has_reset(cuts) else _close)(each)
        except* OSError:
            for each in writers:
                _reset(each)
        finally:
            for each in writers:
                if not each.is_closing():
                    each.transport.abort()

    async def _reach(self, writer: asyncio.StreamWriter) -> tuple[WatchedReader, asyncio.StreamWriter]:
        """Connect to the upstream, and tell probes which client's connection got so far."""
        reached = False
        try:
            connection = await connect(self.upstream.host, self.upstream.port)
            reached = True
        finally:
            peer = writer.get_extra_info("peername")
            for probe in self._probes:
                probe.put_nowait((peer[1] if peer else 0, reached))
        return connection

    async def _gets_through(self) -> bool:
        outcomes: asyncio.Queue[tuple[int, bool]] = asyncio.Queue()
        self._probes.add(outcomes)
        try:
            _, writer = await asyncio.open_connection(self.listen.host, self.listen.port)
            try:
                ours = writer.get_extra_info("sockname")[1]
                while (outcome := await outcomes.get())[0] != ours:
                    pass
                return outcome[1]
            finally:
                writer.close()
        finally:
            self._probes.discard(outcomes)

    async def _upstream_accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self.upstream.host, self.upstream.port)
        except OSError:
            return False
        writer.close()
        return True


def _has_reset(group: BaseExceptionGroup[CutError]) -> bool:
    return any(_has_reset(each) if isinstance(each, BaseExceptionGroup) else each.reset for each in group.exceptions)


def _bound_socket(
    family: int, kind: int, protocol: int, address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
) -> socket.socket:
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setblocking(False)
        bound.bind(address)
        # Off again while it is only held: two sockets that allow reuse may share a port until one of them listens.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except OSError:
        bound.close()
        raise
    return bound


def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, so that the peer sees a broken connection and not a tidy end of file."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() != -1:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
