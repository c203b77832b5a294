import asyncio
from typing import Any

import h11

from chaos.proxy.flow import READ_BYTES, Flow
from chaos.proxy.reader import WatchedReader

HEAD_BYTES = 64 * 1024  # a head that is larger, and has not ended within one more read, is refused


class HttpPeer:
    """One side of a proxied HTTP/1.1 connection: what it has sent as events, and the way back to it.

    What is sent waits until `flush`, or until there is as much as one read brings.
    """

    def __init__(self, role: Any, reader: WatchedReader, flow: Flow) -> None:
        self.reader = reader
        self.flow = flow
        self.h11 = h11.Connection(role, max_incomplete_event_size=HEAD_BYTES)
        self._unsent = bytearray()

    def ready_event(self) -> Any:
        """Return the next event that is complete without reading, `h11.NEED_DATA` or `h11.PAUSED` if there is none."""
        return self.h11.next_event()

    async def next_event(self) -> Any:
        """Return the next event.

        Raises:
            h11.RemoteProtocolError: the peer does not speak HTTP/1.1, or went away in the middle of a message.
            OSError: the connection broke.
        """
        while (event := self.h11.next_event()) is h11.NEED_DATA:
            await self.read()
        return event

    async def read(self) -> None:
        """Read once, or see the end."""
        self.h11.receive_data(await self.reader.read(READ_BYTES))

    async def send(self, event: h11.Event) -> None:
        self._unsent += self.h11.send(event) or b""
        if len(self._unsent) >= READ_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Pass on what was sent (raises OSError when the peer is gone)."""
        if self._unsent:
            data, self._unsent = bytes(self._unsent), bytearray()
            await self.flow.put(data)

    async def tunnel_to(self, other: "HttpPeer") -> None:
        """From here on the bytes are not HTTP: carry them until the end of file."""
        data, _ = self.h11.trailing_data
        if data:
            await other.flow.put(data)
        while data := await self.reader.read(READ_BYTES):
            await other.flow.put(data)
        other.flow.end()

    async def drain(self, timeout_s: float) -> None:
        """Read and forget until the peer has ended or *timeout_s* is over: else it may lose what it was answered."""
        try:
            async with asyncio.timeout(timeout_s):
                while await self.reader.read(READ_BYTES):
                    pass
        except OSError:
            return
