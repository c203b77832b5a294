"""The contents of a segment: its requests, verified each time before they are inserted."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector.spool.index import NO_DIGEST, Count, Entry, Kind, mend, read_index, write_index
from collector.spool.segment import Segment, checksum, unframe

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that cannot be inserted.

    Attributes:
        entries: One, or all in a row whose bytes are gone.
        body: What is left of the request.
    """

    entries: Sequence[Entry]
    body: bytes
    reason: str


@dataclass(slots=True)
class Contents:
    """What a segment holds.

    Attributes:
        entries: All of them, sound and damaged, so that halving them comes out the same however many are damaged.
        is_whole: The file holds all of them, all are sound, and nothing lies behind them.
    """

    segment: Segment
    entries: Sequence[Entry]
    is_whole: bool
    _data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The segment's bytes, read when they are asked for first: a whole file needs nobody who holds them."""
        if self._data is None:
            self._data = self.segment.read()
        return self._data

    def sound(self, entries: Sequence[Entry]) -> Path | memoryview | bytes:
        """Return the sound requests among *entries* as one block; where possible the file itself, or no copy."""
        if self.is_whole and len(entries) == len(self.entries):
            return self.segment.path
        if all(entry.kind == Kind.REQUEST for entry in entries):
            return memoryview(self.data)[entries[0].offset : entries[-1].end]
        return b"".join(self.data[entry.offset : entry.end] for entry in entries if entry.kind == Kind.REQUEST)

    def body(self, entry: Entry) -> bytes:
        """Return a request without its length; damaged bytes that belong to no request as they are."""
        part = self.data[entry.offset : entry.end]
        return part if entry.kind == Kind.UNFRAMED or len(part) < entry.length else unframe(part)

    def damages(self) -> Iterator[Damage]:
        gone: list[Entry] = []
        for entry in self.entries:
            if entry.kind == Kind.REQUEST:
                continue
            if entry.offset >= len(self.data):
                gone.append(entry)
            elif entry.kind == Kind.UNFRAMED:
                yield Damage([entry], self.body(entry), "damaged on disk: these bytes are no request")
            else:
                yield Damage([entry], self.body(entry), "damaged on disk: the bytes do not match their checksum")
        if gone:
            yield Damage(gone, b"", f"damaged on disk: the bytes of {len(gone)} request(s) are gone")


def load(segment: Segment, count: Count) -> Contents:
    """Read and verify *segment*. What is damaged is marked so in its index, for good, before anybody acts on it.

    *count* returns how many items a request has, or None when the bytes are no request.

    Raises:
        OSError: the disk refused; try again.
    """
    index = read_index(segment.index_path)
    known = [entry for entry in index.entries if entry.end <= segment.size]
    complete = not index.flawed and known and known[-1].end == segment.size
    if complete and _is_whole(segment, known):
        return Contents(segment, known, is_whole=True)
    data = segment.read()
    found = known if complete else mend(known, index.claims, data, segment.size, count)
    entries = [entry if _is_sound(entry, data) else entry.marked(Kind.DAMAGED) for entry in found]
    if entries != known:
        _mark(segment, entries)
    return Contents(segment, entries, is_whole=False, _data=data)


def _is_whole(segment: Segment, entries: Sequence[Entry]) -> bool:
    """Return whether the file holds exactly *entries*, as they were written; read one by one, to keep no copy of it."""
    if any(entry.kind != Kind.REQUEST for entry in entries):
        return False
    try:
        with segment.path.open("rb", buffering=0) as file:
            descriptor = file.fileno()
            return os.fstat(descriptor).st_size == segment.size and all(
                checksum(os.pread(descriptor, entry.length, entry.offset)) == entry.checksum for entry in entries
            )
    except OSError:
        return False


def _mark(segment: Segment, entries: Sequence[Entry]) -> None:
    damaged = sum(entry.kind != Kind.REQUEST for entry in entries)
    log.error("segment %s or its index is damaged: %d of %d requests are lost", segment.id, damaged, len(entries))
    try:
        write_index(segment.index_path, entries, segment.size)
    except OSError:
        if damaged:
            raise
        log.exception("cannot mend the index of segment %s on disk; it is not needed for long", segment.id)


def digests(entries: Sequence[Entry]) -> frozenset[bytes]:
    return frozenset(entry.digest for entry in entries if entry.digest != NO_DIGEST)


def _is_sound(entry: Entry, data: bytes) -> bool:
    """Return whether an entry is as it claims; one that claims to be damaged stays so, even if the disk recovers."""
    return entry.kind != Kind.REQUEST or (
        entry.end <= len(data) and checksum(memoryview(data)[entry.offset : entry.end]) == entry.checksum
    )
