import asyncio
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.proxy.stages import STAGES, Chunk, End, Piece, Stage
from chaos.proxy.toxic import Toxic, ToxicChain

READ_BYTES = 64 * 1024
HELD_BYTES = 4 * 1024 * 1024  # a direction: the most that a slow or delayed peer makes the proxy hold


class CutError(Exception):
    """A toxic or a peer ends the connection: with a reset, or tidily."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


@dataclass(slots=True)
class Traffic:
    """Bytes of one direction of a proxy since it was created."""

    received: int = 0
    sent: int = 0


class Flow:
    """The way of bytes to one peer, through the toxics of a chain.

    Without toxics, bytes go straight to the socket. With them, they wait here (4 MiB at most, then `put` waits). A
    change of the chain applies to what is waiting; nothing that arrived is lost while both peers live, unless a toxic
    is there to lose it.
    """

    def __init__(
        self, writer: asyncio.StreamWriter, chain: ToxicChain, rng: random.Random, traffic: Traffic | None = None
    ) -> None:
        self._writer = writer
        self._chain = chain
        self._rng = rng
        self._traffic = traffic or Traffic()
        self._clock = asyncio.get_running_loop().time
        self._waiting: deque[Chunk] = deque()
        self._held = 0
        self._ended_at_s: float | None = None
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._seen: tuple[Toxic, ...] = ()
        self._stages: dict[str, Stage] = {}
        self._reconcile()

    async def put(self, data: bytes) -> None:
        """Pass *data* on, in order; returns when there is room for more.

        Raises:
            OSError: the peer is gone.
        """
        self._traffic.received += len(data)
        if self._is_clear:
            self._write(data)
            await self._writer.drain()
            return
        while self._held >= HELD_BYTES:
            self._room.clear()
            await self._room.wait()
        self._waiting.append(Chunk(data, self._clock()))
        self._held += len(data)
        self._wake.set()

    def end(self) -> None:
        """No more bytes come: pass on the end of file behind what is waiting."""
        if self._ended_at_s is None:
            self._ended_at_s = self._clock()
            self._wake.set()

    async def run(self) -> None:
        """Send until the end of file has been passed on.

        Raises:
            CutError: a toxic ends the connection.
            OSError: the peer is gone.
        """
        self._chain.listeners.add(self._wake.set)
        try:
            while not await self._step():
                pass
        finally:
            self._chain.listeners.discard(self._wake.set)

    @property
    def _is_clear(self) -> bool:
        return not self._held and not self._stages and not self._chain.toxics

    async def _step(self) -> bool:
        """Send the next chunk or wait for one; returns whether the end has been passed on."""
        self._reconcile()
        if self._waiting:
            chunk = self._waiting.popleft()
            await self._send(chunk, None)
            return False
        if self._ended_at_s is not None:
            at_s = self._ended_at_s
            return await self._send(Chunk(b"", at_s), "eof")
        deadline_s = min((each.deadline_s for each in self._live if each.deadline_s is not None), default=None)
        if deadline_s is not None and deadline_s <= self._clock():
            raise CutError(reset=False)
        await self._sleep(deadline_s)
        return False

    async def _send(self, chunk: Chunk, end: End | None) -> bool:
        """Send what the toxics make of *chunk*; when they change, the rest is put back.

        Returns whether the end of file has been passed on.
        """
        left = len(chunk.data)
        for piece in self._planned(Piece(chunk, chunk.data, chunk.arrived_s, chunk.arrived_s, end)):
            if not await self._is_due(piece):
                self._waiting.extendleft([Chunk(chunk.data[-left:], chunk.arrived_s, chunk.draws)] if left else [])
                return False
            if piece.end == "eof":
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                return True
            if piece.end is not None:
                raise CutError(reset=piece.end == "reset")
            self._write(piece.data)
            left -= len(piece.data)
            self._let_go(len(piece.data))
            for stage, mark in piece.marks:
                stage.commit(mark)
            await self._writer.drain()
        self._let_go(left)
        return False

    def _planned(self, whole: Piece) -> Iterator[Piece]:
        pieces = iter((whole,))
        for stage in self._live:
            pieces = stage.plan(pieces)
        return pieces

    async def _is_due(self, piece: Piece) -> bool:
        """Wait until *piece* may leave; False when the toxics have changed before."""
        while (wait_s := piece.at_s - self._clock()) > 0:
            if self._chain.toxics is not self._seen:
                return False
            await self._sleep(None if wait_s == float("inf") else piece.at_s)
        return True

    async def _sleep(self, until_s: float | None) -> None:
        """Wait for news: bytes, the end, a change of toxics, or the time *until_s*."""
        self._wake.clear()
        loop = asyncio.get_running_loop()
        timer = None if until_s is None else loop.call_at(until_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            if timer is not None:
                timer.cancel()

    @property
    def _live(self) -> list[Stage]:
        return [stage for stage in self._stages.values() if stage.active]

    def _reconcile(self) -> None:
        """Follow the chain: toxics added, updated, removed (raises CutError when one closes as it goes)."""
        toxics = self._chain.toxics
        if toxics is self._seen:
            return
        now_s, old = self._clock(), self._stages
        self._seen, self._stages = toxics, {}
        for toxic in toxics:
            stage = old.pop(toxic.name, None)
            if stage is None or stage.toxic.type != toxic.type:
                stage = STAGES[toxic.type](toxic, self._rng, now_s)
            elif stage.toxic is not toxic:
                stage.update(toxic, self._rng, now_s)
            self._stages[toxic.name] = stage
        if any(stage.closes_when_removed for stage in old.values()):
            raise CutError(reset=False)

    def _write(self, data: bytes) -> None:
        self._writer.write(data)
        self._traffic.sent += len(data)

    def _let_go(self, size: int) -> None:
        self._held -= size
        self._room.set()


async def relay(reader: asyncio.StreamReader, flow: Flow) -> None:
    """Read until the end of file and put it all into *flow* (raises OSError when a peer is gone)."""
    while data := await reader.read(READ_BYTES):
        await flow.put(data)
    flow.end()
