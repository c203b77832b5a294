import asyncio
import random
from dataclasses import dataclass

from chaos.proxy.toxic import Toxic, ToxicChain

CHUNK_BYTES = 16 * 1024
QUEUED_CHUNKS = 256  # 4 MiB a direction: the most that a slow or delayed peer makes the proxy hold


@dataclass(frozen=True, slots=True)
class Chunk:
    data: bytes
    arrived_s: float


class Link:
    """One direction of one proxied connection.

    A chunk leaves at its arrival plus the delays of the chain's toxics, in order. Chunks wait side by side, so
    latency does not become a bandwidth limit; a change of the chain applies to what is waiting, and nothing that
    arrived is ever dropped while both peers live.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chain: ToxicChain, rng: random.Random
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._chain = chain
        self._rng = rng
        self._queue: asyncio.Queue[Chunk | None] = asyncio.Queue(QUEUED_CHUNKS)
        self._drawn: dict[Toxic, bool] = {}

    async def run(self) -> None:
        """Carry bytes until the sender's end of file has been passed on.

        Raises:
            ExceptionGroup: a peer broke the connection (holds OSError).
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive())
            group.create_task(self._send())

    async def _receive(self) -> None:
        clock = asyncio.get_running_loop().time
        while data := await self._reader.read(CHUNK_BYTES):
            await self._queue.put(Chunk(data, clock()))
        await self._queue.put(None)

    async def _send(self) -> None:
        while chunk := await self._queue.get():
            await self._hold(chunk)
            self._writer.write(chunk.data)
            await self._writer.drain()
        if self._writer.can_write_eof():
            self._writer.write_eof()

    async def _hold(self, chunk: Chunk) -> None:
        clock = asyncio.get_running_loop().time
        while (wait_s := chunk.arrived_s + self._delay_s() - clock()) > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._chain.changed.wait()
            except TimeoutError:
                return

    def _delay_s(self) -> float:
        toxics = self._chain.toxics
        # Toxicity is drawn once a connection, as in Toxiproxy: with keep-alive it is no share of requests.
        self._drawn = {toxic: self._drawn.get(toxic, self._rng.random() < toxic.toxicity) for toxic in toxics}
        return sum(toxic.delay_s(self._rng) for toxic in toxics if self._drawn[toxic])
