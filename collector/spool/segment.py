"""A segment: requests in ClickHouse's `FORMAT Protobuf` layout (varint length, bytes), with an index beside it.

Files of a segment: `.seg` and `.idx` while it waits for the database; then `.stored`, the former index, for 10 minutes.
"""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import xxhash

PAGE = 4096


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed segment: its bytes never change again, so its id can be its deduplication token.

    Attributes:
        size: Bytes of acknowledged requests; what lies behind them in the file was refused and does not count.
    """

    id: str
    folder: Path
    size: int

    @property
    def path(self) -> Path:
        return self.folder / f"{self.id}.seg"

    @property
    def index_path(self) -> Path:
        return self.folder / f"{self.id}.idx"

    @property
    def stored_path(self) -> Path:
        return self.folder / f"{self.id}.stored"

    def read(self) -> bytes:
        """Return its bytes: fewer when the file was cut or is gone, zeros where the disk cannot be read.

        Not mapped into memory: an unreadable sector would then kill the process instead of raising an error.
        """
        try:
            with self.path.open("rb") as file:
                try:
                    return file.read(self.size)
                except OSError:
                    return _readable(file.fileno(), min(self.size, os.fstat(file.fileno()).st_size))
        except FileNotFoundError:
            return b""


def _readable(descriptor: int, size: int) -> bytes:
    """Return a damaged file's bytes page by page."""
    pages = bytearray()
    while len(pages) < size:
        wanted = min(PAGE, size - len(pages))
        try:
            page = os.pread(descriptor, wanted, len(pages))
        except OSError:
            page = b""
        pages += page.ljust(wanted, b"\0")
    return bytes(pages)


def new_id(after: str = "") -> str:
    """Return an id that sorts behind *after* and is never used twice, also across restarts and collectors."""
    now = max(time.time_ns(), int(after.partition("-")[0]) + 1 if after else 0)
    return f"{now:020d}-{secrets.token_hex(4)}"


def born_at(segment_id: str) -> float:
    """Return the Unix seconds at which the segment was opened.

    >>> born_at("01700000000500000000-ab12cd34")
    1700000000.5
    """
    return int(segment_id.partition("-")[0]) / 1e9


def frame(body: bytes) -> bytes:
    """Return *body* behind its varint length.

    >>> frame(b"ab").hex(), frame(bytes(300))[:2].hex()
    ('026162', 'ac02')
    """
    return _varint(len(body)) + body


def unframe(data: bytes) -> bytes:
    """Return the body of one frame. Only the frame's own length counts, so damage in its first bytes does not matter.

    >>> unframe(frame(bytes(300))) == bytes(300)
    True
    """
    prefix = next((size for size in range(1, 6) if len(_varint(max(0, len(data) - size))) == size), 0)
    return data[prefix:]


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def frame_end(data: bytes, at: int) -> int | None:
    """Return where the frame that begins at *at* ends, or None when no whole frame lies there.

    >>> frame_end(b"--" + frame(b"ab"), 2), frame_end(frame(b"ab")[:-1], 0)
    (5, None)
    """
    size = shift = 0
    for position in range(at, min(at + 5, len(data))):  # no request is so long that its length takes more
        size |= (data[position] & 0x7F) << shift
        shift += 7
        if not data[position] & 0x80:
            end = position + 1 + size
            return end if end <= len(data) else None
    return None


def checksum(data: bytes | memoryview) -> int:
    return xxhash.xxh3_64_intdigest(data)


def digest(body: bytes) -> bytes:
    return xxhash.xxh3_128_digest(body)


def sync_folder(folder: Path) -> None:
    """Make created and removed names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
