import asyncio
from collections.abc import Callable

BUFFER_BYTES = 64 * 1024


class WatchedReader(asyncio.StreamReader):
    """A stream reader that tells when the peer has ended, even while nobody reads.

    `ended` is whether no more bytes come. `on_end` is called then, with the error if the connection broke. What came
    before a break is read first, as from a socket; then `read` raises the error.
    """

    on_end: Callable[[Exception | None], None]

    def __init__(self) -> None:
        super().__init__(limit=BUFFER_BYTES, loop=asyncio.get_running_loop())
        self.ended = False
        self._error: Exception | None = None
        self.on_end = lambda _: None

    def feed_eof(self) -> None:
        super().feed_eof()
        self._end(None)

    def set_exception(self, exc: Exception) -> None:
        self._error = exc
        super().feed_eof()
        self._end(exc)

    async def read(self, n: int = -1) -> bytes:
        data = await super().read(n)
        if not data and self._error is not None:
            raise self._error
        return data

    def _end(self, error: Exception | None) -> None:
        if not self.ended or error is not None:
            self.ended = True
            self.on_end(error)


async def connect(host: str, port: int) -> tuple[WatchedReader, asyncio.StreamWriter]:
    """Open a TCP connection (raises OSError)."""
    loop = asyncio.get_running_loop()
    reader = WatchedReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_connection(lambda: protocol, host, port)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
