"""What each toxic does to the bytes of one connection. A stage plans when pieces leave; it waits for nothing.

The meaning of every toxic follows github.com/Shopify/toxiproxy, toxics/*.go. A plan can be made again for bytes that
have not left yet: what a stage remembers changes only when a piece has left (`commit`), so toxics may come and go at
any time without losing, doubling or reordering a byte.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from chaos.proxy.toxic import (
    BandwidthAttributes,
    DelayAttributes,
    LatencyAttributes,
    LimitDataAttributes,
    ResetPeerAttributes,
    SlicerAttributes,
    SlowCloseAttributes,
    TimeoutAttributes,
    Toxic,
)

End = Literal["eof", "close", "reset"]

SLICE_S = 0.1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they arrived at `arrived_s`. `draws` keeps a toxic's delay for them over new plans."""

    data: bytes
    arrived_s: float
    draws: dict[Toxic, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of `chunk`, or the end of the connection, that leave at `at_s`.

    `stamp_s` is the arrival plus the latencies so far: latencies add up, and other toxics hide behind them. `marks`
    is what stages remember once it has left.
    """

    chunk: Chunk
    data: bytes
    at_s: float
    stamp_s: float
    end: End | None = None
    marks: tuple[tuple["Stage", float], ...] = ()


class Stage:
    """A toxic on one connection; passes everything on. `active`: the connection is among those that are affected."""

    def __init__(self, toxic: Toxic, rng: random.Random, now_s: float) -> None:
        self.toxic = toxic
        self.rng = toxic.rng or rng
        self.since_s = now_s
        self.active = rng.random() < toxic.toxicity

    def update(self, toxic: Toxic, rng: random.Random, now_s: float) -> None:
        """Take over the new state of the toxic; toxicity is drawn again, what was counted is kept."""
        self.toxic, self.rng, self.since_s = toxic, toxic.rng or rng, now_s
        self.active = rng.random() < toxic.toxicity

    @property
    def deadline_s(self) -> float | None:
        """When the connection is to be closed if nothing arrives before."""
        return None

    @property
    def closes_when_removed(self) -> bool:
        return False

    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        raise NotImplementedError

    def commit(self, mark: float) -> None:
        """Remember that the piece with this mark has left."""


class LatencyStage(Stage):
    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            if piece.end is None:
                stamp_s = piece.stamp_s + self._drawn_s(piece.chunk)
                yield replace(piece, stamp_s=stamp_s, at_s=max(piece.at_s, stamp_s))
            else:
                yield piece

    def _drawn_s(self, chunk: Chunk) -> float:
        if self.toxic not in chunk.draws:
            chunk.draws[self.toxic] = self._draw_s()
        return chunk.draws[self.toxic]

    def _draw_s(self) -> float:
        attributes = self.toxic.attributes
        if isinstance(attributes, DelayAttributes):
            return attributes.delay.draw_s(self.rng)
        assert isinstance(attributes, LatencyAttributes)
        return max(0.0, attributes.latency + self.rng.uniform(-attributes.jitter, attributes.jitter)) / 1000


class BandwidthStage(Stage):
    def __init__(self, toxic: Toxic, rng: random.Random, now_s: float) -> None:
        super().__init__(toxic, rng, now_s)
        self._free_s = now_s

    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        assert isinstance(self.toxic.attributes, BandwidthAttributes)
        rate = self.toxic.attributes.rate
        free_s = self._free_s
        for piece in pieces:
            at_s = max(piece.at_s, free_s)
            if piece.end is not None:
                yield replace(piece, at_s=at_s)
            elif rate == 0:
                yield replace(piece, at_s=float("inf"))
            else:
                sizes = _slices(len(piece.data), rate * 100)
                for part, size in zip(_split(piece, sizes), sizes, strict=True):
                    at_s += size / (rate * 1000)
                    yield replace(part, at_s=at_s, marks=(*part.marks, (self, at_s)))
                free_s = at_s

    def commit(self, mark: float) -> None:
        self._free_s = mark


class SlowCloseStage(Stage):
    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        assert isinstance(self.toxic.attributes, SlowCloseAttributes)
        for piece in pieces:
            delay_s = self.toxic.attributes.delay / 1000 if piece.end is not None else 0.0
            yield replace(piece, at_s=piece.at_s + delay_s)


class TimeoutStage(Stage):
    @property
    def deadline_s(self) -> float | None:
        assert isinstance(self.toxic.attributes, TimeoutAttributes)
        timeout = self.toxic.attributes.timeout
        return self.since_s + timeout / 1000 if timeout and self.active else None

    @property
    def closes_when_removed(self) -> bool:
        return self.active

    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            self.since_s = max(self.since_s, piece.chunk.arrived_s)
            if piece.end is not None:
                yield replace(piece, end="close")


class ResetPeerStage(Stage):
    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        assert isinstance(self.toxic.attributes, ResetPeerAttributes)
        for piece in pieces:
            at_s = max(piece.at_s, piece.chunk.arrived_s) + self.toxic.attributes.timeout / 1000
            yield replace(piece, data=b"", at_s=at_s, end="reset")
            return


class SlicerStage(Stage):
    def __init__(self, toxic: Toxic, rng: random.Random, now_s: float) -> None:
        super().__init__(toxic, rng, now_s)
        self._free_s = now_s

    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        attributes = self.toxic.attributes
        assert isinstance(attributes, SlicerAttributes)
        free_s = self._free_s
        for piece in pieces:
            if piece.end is not None:
                yield replace(piece, at_s=max(piece.at_s, free_s))
                continue
            for part in _split(piece, _uneven(len(piece.data), attributes, self.rng)):
                at_s = max(part.at_s, free_s)
                free_s = at_s + attributes.delay / 1_000_000
                yield replace(part, at_s=at_s, marks=(*part.marks, (self, free_s)))

    def commit(self, mark: float) -> None:
        self._free_s = mark


class LimitDataStage(Stage):
    def __init__(self, toxic: Toxic, rng: random.Random, now_s: float) -> None:
        super().__init__(toxic, rng, now_s)
        self._passed = 0

    def plan(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        assert isinstance(self.toxic.attributes, LimitDataAttributes)
        passed = self._passed
        for piece in pieces:
            if piece.end is not None:
                yield piece
                continue
            left = max(0, self.toxic.attributes.bytes - passed)
            passed += min(left, len(piece.data))
            if left:
                yield replace(piece, data=piece.data[:left], marks=(*piece.marks, (self, passed)))
            if left <= len(piece.data):
                yield replace(piece, data=b"", end="close", marks=())
                return

    def commit(self, mark: float) -> None:
        self._passed = int(mark)


STAGES: dict[str, type[Stage]] = {
    "latency": LatencyStage,
    "bandwidth": BandwidthStage,
    "slow_close": SlowCloseStage,
    "timeout": TimeoutStage,
    "reset_peer": ResetPeerStage,
    "slicer": SlicerStage,
    "limit_data": LimitDataStage,
}


def _split(piece: Piece, sizes: list[int]) -> Iterator[Piece]:
    """Cut a piece; only the last part carries its marks, since only then all of it has left."""
    start = 0
    for size in sizes:
        end = start + size
        yield replace(piece, data=piece.data[start:end], marks=piece.marks if end == len(piece.data) else ())
        start = end


def _slices(length: int, most: int) -> list[int]:
    whole, rest = divmod(length, most)
    return [most] * whole + [rest] * (rest > 0)


def _uneven(length: int, attributes: SlicerAttributes, rng: random.Random) -> list[int]:
    """Halve, at a middle that varies, until every slice is about the average size (toxics/slicer.go, `chunk`)."""
    average, variation = max(1, attributes.average_size), attributes.size_variation
    sizes, open_ends, start = [], [length], 0
    while open_ends:
        size = open_ends[-1] - start
        if size - average <= variation or size < 2:
            sizes.append(size)
            start = open_ends.pop()
        else:
            middle = size // 2 + (rng.randrange(-variation, variation) if variation else 0)
            open_ends.append(start + min(max(middle, 1), size - 1))
    return sizes
