import asyncio
import random
import socket
import struct

from chaos.address import Address
from chaos.proxy.link import Link
from chaos.proxy.toxic import Stream, Toxic, ToxicChain

BIND_ATTEMPTS = 20
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """A TCP proxy from `listen` to `upstream` whose links carry toxics.

    While disabled its port stays bound but does not listen: connections are refused, and nobody else can take the
    port. An upstream that does not answer costs that one connection (the client sees a reset).
    `client` and `server` name the services on both sides of the edge, where known.
    """

    def __init__(self, name: str, listen: Address, upstream: Address, *, client: str = "", server: str = "") -> None:
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.client = client
        self.server = server
        self._chains: dict[Stream, ToxicChain] = {"upstream": ToxicChain(), "downstream": ToxicChain()}
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._bound: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

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
        self._server = await asyncio.start_server(self._accept, sock=bound, backlog=1024)

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
        """Return whether a connection to the proxy's own port is accepted now."""
        try:
            async with asyncio.timeout(timeout_s):
                _, writer = await asyncio.open_connection(self.listen.host, self.listen.port)
        except OSError:
            return False
        writer.close()
        return True

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._connections.add(task)
        task.add_done_callback(lambda done: self._forget(done, writer))

    def _forget(self, task: asyncio.Task[None], writer: asyncio.StreamWriter) -> None:
        self._connections.discard(task)
        if not writer.is_closing():  # cancelled before its first step, so it could not clean up itself
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            up_reader, up_writer = await asyncio.open_connection(self.upstream.host, self.upstream.port)
            writers.append(up_writer)
            async with asyncio.TaskGroup() as group:
                group.create_task(Link(reader, up_writer, self._chains["upstream"], self._rng).run())
                group.create_task(Link(up_reader, writer, self._chains["downstream"], self._rng).run())
            for each in writers:
                each.close()
        except* OSError:
            for each in writers:
                _reset(each)
        finally:
            for each in writers:
                if not each.is_closing():
                    each.transport.abort()


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


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, so that the peer sees a broken connection and not a tidy end of file."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() != -1:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
