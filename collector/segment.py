"""A segment: requests in ClickHouse's `FORMAT Protobuf` layout (varint length, bytes), with an index beside it.

The index (`.idx`) has one fixed-size entry a request: where it lies, a checksum of the stored bytes, and the digest
of the body as the client sent it, by which a retry is recognised.
"""

import mmap
import os
import secrets
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

ENTRY = struct.Struct("<QIIQ16s")  # offset of the frame, length of the frame, items, checksum of the frame, digest


@dataclass(frozen=True, slots=True)
class Entry:
    offset: int
    length: int
    items: int
    checksum: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed segment: its bytes never change again, so its id can be its deduplication token."""

    id: str
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.id}.seg"

    @property
    def index_path(self) -> Path:
        return self.folder / f"{self.id}.idx"

    def entries(self) -> list[Entry]:
        return read_index(self.index_path)

    def size(self) -> int:
        return self.path.stat().st_size

    def map(self) -> memoryview:
        """Return the segment's bytes without copying them."""
        with self.path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def new_id(after: str = "") -> str:
    """Return an id that sorts behind *after* and is never used twice, also across restarts and collectors."""
    now = max(time.time_ns(), int(after.partition("-")[0]) + 1 if after else 0)
    return f"{now:020d}-{secrets.token_hex(4)}"


def frame(body: bytes) -> bytes:
    """Return *body* behind its varint length.

    >>> frame(b"ab").hex(), frame(bytes(300))[:2].hex()
    ('026162', 'ac02')
    """
    size, prefix = len(body), bytearray()
    while size >= 0x80:
        prefix.append(size & 0x7F | 0x80)
        size >>= 7
    prefix.append(size)
    return bytes(prefix) + body


def unframe(data: bytes) -> bytes:
    """Return the body of one frame.

    >>> unframe(frame(bytes(300))) == bytes(300)
    True
    """
    start = 0
    while data[start] & 0x80:
        start += 1
    return data[start + 1 :]


def checksum(data: bytes | memoryview) -> int:
    return xxhash.xxh3_64_intdigest(data)


def digest(body: bytes) -> bytes:
    return xxhash.xxh3_128_digest(body)


def read_index(path: Path) -> list[Entry]:
    """Return the whole entries of an index; a torn last one is left out."""
    data = path.read_bytes()
    usable = len(data) - len(data) % ENTRY.size
    return [Entry(*values) for values in ENTRY.iter_unpack(data[:usable])]


@dataclass(frozen=True, slots=True)
class Recovered:
    segment: Segment
    cut_bytes: int


def recover(folder: Path) -> Iterator[Recovered]:
    """Yield the segments left in *folder*, oldest first, each cut behind its last whole request.

    What is cut was never acknowledged: an answer is given only after both files are synced.
    """
    for path in sorted(folder.glob("*.seg")):
        segment = Segment(path.stem, folder)
        kept = _whole_entries(segment)
        size = kept[-1].offset + kept[-1].length if kept else 0
        cut = path.stat().st_size - size
        if cut or not kept:
            _truncate(path, size)
        if segment.index_path.exists():
            _truncate(segment.index_path, len(kept) * ENTRY.size)
        if kept:
            yield Recovered(segment, cut)
        else:
            path.unlink()
            segment.index_path.unlink(missing_ok=True)


def _whole_entries(segment: Segment) -> list[Entry]:
    if not segment.index_path.exists():
        return []
    data = segment.path.read_bytes()
    whole: list[Entry] = []
    for entry in segment.entries():
        part = data[entry.offset : entry.offset + entry.length]
        if len(part) != entry.length or checksum(part) != entry.checksum:
            break
        whole.append(entry)
    return whole


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        if file.seek(0, os.SEEK_END) != size:
            file.truncate(size)
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make created and removed names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
