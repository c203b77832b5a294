"""The segment that is being written: two files, and what to do when the disk refuses."""

import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from collector.spool.commit_queue import Request
from collector.spool.index import ENTRY_SIZE, Entry, seal
from collector.spool.segment import Segment, checksum, frame, sync_folder

log = logging.getLogger(__name__)

PARTS_A_WRITE = 512  # the kernel takes at most 1,024

Fsync = Literal["always", "interval", "off"]


class OpenSegment:
    """A segment that grows until it is sealed. Used by one thread.

    Everything is written at offsets that this class keeps, so whatever a failed write left behind is overwritten or
    lies behind the seal: no entry ever points to the wrong bytes.

    Args:
        fsync: "always": a group is synced before it is answered. "interval": synced when sealed, so every two seconds.
            "off": never.

    Raises:
        OSError: the files cannot be created; none is left.
    """

    def __init__(self, segment_id: str, folder: Path, *, fsync: Fsync) -> None:
        self.id = segment_id
        self.size = 0
        self.trusted = True  # False: seal it and open another
        self._folder = folder
        self._fsync = fsync
        self._entries = 0
        self._born = time.monotonic()
        self._files: list[BinaryIO] = []
        try:
            for path in (self._sealed().index_path, self._sealed().path):
                self._files.append(path.open("xb", buffering=0))
            if fsync != "off":
                sync_folder(folder)
        except OSError:
            self._abandon()
            raise

    def age_s(self) -> float:
        return time.monotonic() - self._born

    def write(self, batch: Sequence[Request]) -> None:
        """Append *batch*, durably when every group is synced.

        Raises:
            OSError: nothing of *batch* is in the segment. Look at `trusted` before writing again.
        """
        frames, entries, offset = [], bytearray(), self.size
        for request in batch:
            data = frame(request.data)
            frames.append(data)
            entries += Entry(offset, len(data), request.items, checksum(data), request.digest).pack()
            offset += len(data)
        index, data_file = (file.fileno() for file in self._files)
        try:
            _write_at(index, [bytes(entries)], self._entries * ENTRY_SIZE)
            _write_at(data_file, frames, self.size)
            if self._fsync == "always":
                self._sync()
        except OSError:
            self._roll_back()
            raise
        self.size = offset
        self._entries += len(batch)

    def seal(self) -> Segment | None:
        """Close the files and return the sealed segment, or None when it is empty and was removed.

        The mark at the end of the index is a help, not a need: where the disk refuses it, the next start seals.
        """
        if not self.size:
            self._abandon()
            return None
        try:
            self._mark_the_end()
            if self._fsync == "interval":
                self._sync()
        except OSError:
            log.exception("segment %s is sealed, but the disk did not confirm it", self.id)
        self._close()
        return self._sealed()

    def _sealed(self) -> Segment:
        return Segment(self.id, self._folder, self.size)

    def _mark_the_end(self) -> None:
        _write_at(self._files[0].fileno(), [seal(self.size).pack()], self._entries * ENTRY_SIZE)

    def _sync(self) -> None:
        """Sync both files. One that failed is not asked again: the kernel forgets what it could not write."""
        try:
            for file in self._files:
                os.fdatasync(file.fileno())
        except OSError:
            self.trusted = False
            raise

    def _roll_back(self) -> None:
        """Cut off what a failed write left; where even that fails, mark the end, and write here no more."""
        try:
            for file, size in zip(self._files, (self._entries * ENTRY_SIZE, self.size), strict=True):
                os.ftruncate(file.fileno(), size)
        except OSError:
            log.exception("segment %s cannot be cut back to %d bytes; it is sealed there", self.id, self.size)
            self.trusted = False

    def _abandon(self) -> None:
        """Remove a segment that holds nothing; if that fails, a mark tells the next start."""
        try:
            if not self.trusted:
                self._mark_the_end()
        except OSError:
            log.exception("cannot mark segment %s as empty", self.id)
        try:
            for file in reversed(self._files):
                Path(file.name).unlink(missing_ok=True)
        except OSError:
            log.exception("cannot remove the empty segment %s", self.id)
        self._close()

    def _close(self) -> None:
        for file in self._files:
            try:
                file.close()
            except OSError:
                log.exception("cannot close a file of segment %s", self.id)


def _write_at(descriptor: int, parts: Sequence[bytes], offset: int) -> None:
    """Write every byte of *parts* at *offset*; the kernel may write less than asked."""
    views = deque(memoryview(part) for part in parts if part)
    while views:
        written = os.pwritev(descriptor, [views[index] for index in range(min(len(views), PARTS_A_WRITE))], offset)
        offset += written
        while written:
            if written >= len(views[0]):
                written -= len(views.popleft())
            else:
                views[0] = views[0][written:]
                written = 0
