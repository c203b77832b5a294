"""The index beside a segment: where each request lies, its checksum, and the digest by which a retry is recognised.

An entry is written before its request's bytes, so after a crash the index is ahead of the data, never behind it: bytes
without an entry mean that the index was damaged. Each entry has a checksum of its own; the last one seals the segment.
"""

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

from collector.spool.segment import checksum, digest, frame_end, sync_folder, unframe

NO_DIGEST = bytes(16)
_FIELDS = struct.Struct("<BQIIQ16s")  # kind, offset, length, items, checksum of the frame, digest of the body as sent
_SUM = struct.Struct("<Q")
ENTRY_SIZE = _FIELDS.size + _SUM.size

Count = Callable[[bytes], int | None]


class Kind(IntEnum):
    """What an entry says about its bytes."""

    REQUEST = 1
    DAMAGED = 2  # a request whose bytes do not match its checksum
    UNFRAMED = 3  # bytes that no entry speaks for and that are no requests
    SEAL = 4  # the end: `offset` is the segment's size


_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Entry:
    offset: int
    length: int
    items: int
    checksum: int
    digest: bytes
    kind: Kind = Kind.REQUEST

    @property
    def end(self) -> int:
        return self.offset + self.length

    def pack(self) -> bytes:
        fields = _FIELDS.pack(self.kind, self.offset, self.length, self.items, self.checksum, self.digest)
        return fields + _SUM.pack(checksum(fields))

    def marked(self, kind: Kind) -> "Entry":
        return replace(self, kind=kind)


@dataclass(frozen=True, slots=True)
class Index:
    """What can be read of an index.

    Attributes:
        entries: In the order of their bytes, without those that are damaged, or torn at the end.
        size: Of the sealed segment, None when it was not sealed.
        flawed: An entry is damaged or missing.
        claims: What damaged entries say of their requests; one of their sums may still be right.
    """

    entries: list[Entry]
    size: int | None
    flawed: bool
    claims: list[Entry] = field(default_factory=list)


def seal(size: int) -> Entry:
    """Return the entry that ends an index."""
    return Entry(size, 0, 0, 0, NO_DIGEST, Kind.SEAL)


def read_index(path: Path) -> Index:
    """Read as much as possible of an index; one that is missing is flawed and empty."""
    try:
        data = path.read_bytes()
    except OSError:
        return Index([], None, flawed=True)
    entries: list[Entry] = []
    claims: list[Entry] = []
    at = 0
    flawed = False
    for start in range(0, len(data), ENTRY_SIZE):
        block = data[start : start + ENTRY_SIZE]
        if len(block) < ENTRY_SIZE:
            break
        entry = _unpack(block)
        if entry is None or entry.offset < at:
            flawed = True
            claims.append(_fields(block))
        elif entry.kind == Kind.SEAL:
            return Index(entries, entry.offset, flawed or at != entry.offset, claims)
        else:
            flawed = flawed or entry.offset > at
            entries.append(entry)
            at = entry.end
    return Index(entries, None, flawed, claims)


def write_index(path: Path, entries: Sequence[Entry], size: int) -> None:
    """Replace an index by a sealed one, synced, at once or not at all."""
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        file.writelines(entry.pack() for entry in (*entries, seal(size)))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def seal_index(path: Path, entries: int, size: int) -> None:
    """End an index behind its first *entries*, in place: on a full disk it is at least cut there."""
    with path.open("r+b", buffering=0) as file:
        file.truncate(entries * ENTRY_SIZE)
        file.seek(0, os.SEEK_END)
        file.write(seal(size).pack())
        os.fsync(file.fileno())


def mend(entries: Sequence[Entry], claims: Sequence[Entry], data: bytes, size: int, count: Count) -> list[Entry]:
    """Return entries for every byte up to *size*: *entries*, and between them what the framing of *data* tells.

    A request that is found so is sound when a sum of a damaged entry still fits it. One that none fits is taken for
    damaged while a damaged entry is left that may have been its own: its bytes may have changed too, and nothing would
    show it.

    Args:
        entries: Those that are sound.
        claims: What the damaged ones say.
        data: The segment.
        size: Of the part that counts.
        count: Returns how many items a request has, or None when the bytes are no request.
    """
    found: list[Entry] = []
    guesses: list[Entry] = []
    at = 0
    for entry in (*entries, seal(size)):
        between = list(_rebuilt(data, at, entry.offset, count))
        guesses += between
        found += [*between, entry]
        at = entry.end
    damaged = _unvouched(guesses, claims)
    return [entry.marked(Kind.DAMAGED) if entry.offset in damaged else entry for entry in found[:-1]]


def _unvouched(guesses: Sequence[Entry], claims: Sequence[Entry]) -> frozenset[int]:
    """Return the offsets of requests of which a damaged entry spoke that none of its sums fits any more."""
    sums = {claim.checksum for claim in claims} | {claim.digest for claim in claims}
    requests = [guess for guess in guesses if guess.kind == Kind.REQUEST]
    doubted = [guess.offset for guess in requests if guess.checksum not in sums and guess.digest not in sums]
    vouched = len(requests) - len(doubted)
    return frozenset(doubted) if len(claims) > vouched else frozenset()


def _rebuilt(data: bytes, start: int, stop: int, count: Count) -> Iterator[Entry]:
    """Yield an entry for each request in a gap, and one for the rest that is none."""
    while start < stop:
        end = frame_end(data, start)
        body = unframe(data[start:end]) if end is not None and end <= stop else b""
        items = count(body) if body else None
        if end is None or not items:
            rest = data[start:stop]
            yield Entry(start, stop - start, 0, checksum(rest), NO_DIGEST, Kind.UNFRAMED)
            return
        yield Entry(start, end - start, items, checksum(data[start:end]), digest(body))
        start = end


def _unpack(data: bytes) -> Entry | None:
    """Return one entry, or None when it is damaged."""
    sound = _SUM.unpack(data[_FIELDS.size :])[0] == checksum(data[: _FIELDS.size])
    return _fields(data) if sound and data[0] in _KINDS else None


def _fields(data: bytes) -> Entry:
    """Return what an entry says, damaged or not."""
    kind, offset, length, items, total, mark = _FIELDS.unpack(data[: _FIELDS.size])
    return Entry(offset, length, items, total, mark, Kind(kind) if kind in _KINDS else Kind.DAMAGED)
