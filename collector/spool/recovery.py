"""Brings into order what a crash or damage left in a spool's folder: cuts torn tails, mends indexes, seals segments."""

import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collector.check.check import check
from collector.errors import Refused
from collector.spool.index import Count, Entry, Index, Kind, mend, read_index, seal_index, write_index
from collector.spool.segment import Segment, sync_folder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A segment that waits for the database.

    Attributes:
        cut_bytes: Of requests that were never acknowledged.
        mended_entries: Of its index, which was damaged.
    """

    segment: Segment
    cut_bytes: int
    mended_entries: int


def recover(folder: Path) -> Iterator[Recovered]:
    """Yield the segments left in *folder* (named like its signal), oldest first, each cut at its end and sealed.

    What is cut was never acknowledged: an answer is given only after both files are written. What is damaged stays
    where it is, for the writer to put aside. A segment whose bytes are gone is yielded too: its index knows what is
    lost.
    """
    for draft in folder.glob("*.tmp"):
        draft.unlink()
    for name in sorted({path.stem for path in folder.iterdir() if path.suffix in {".seg", ".idx"}}):
        segment = Segment(name, folder, 0)
        if segment.stored_path.exists() and not segment.index_path.exists():
            segment.path.unlink()  # stored; only the deletion was not finished
            continue
        found = _recover(segment, request_counter(folder.name))
        if found is None:
            _remove(segment)
        else:
            yield found


def _recover(segment: Segment, count: Count) -> Recovered | None:
    """Return the segment that *segment*'s files make, or None when nothing in them was acknowledged."""
    index = read_index(segment.index_path)
    on_disk = segment.path.stat().st_size if segment.path.exists() else 0
    size = _acknowledged(index, on_disk, lost=not segment.path.exists())
    if not size:
        return None
    segment = Segment(segment.id, segment.folder, size)
    whole = [entry for entry in index.entries if entry.end <= size]
    entries = whole
    if index.flawed or not whole or whole[-1].end < size:
        entries = mend(whole, index.claims, segment.read(), size, count)
    mended = len(entries) - len(whole)
    if mended:
        _report(segment, entries, len(whole))
    torn = len(index.entries) - len(whole)
    if torn:
        log.warning("cut %d requests off segment %s that were not acknowledged yet", torn, segment.id)
    if on_disk > size:
        _truncate(segment.path, size)
    _settle(segment, index, entries, mended=bool(mended))
    return Recovered(segment, max(0, on_disk - size), mended)


def _settle(segment: Segment, index: Index, entries: list[Entry], *, mended: bool) -> None:
    """Bring the index on disk to *entries*. A full disk must not keep the start from making room: it is left then."""
    try:
        if index.flawed or mended:
            write_index(segment.index_path, entries, segment.size)
        elif index.size is None:
            seal_index(segment.index_path, len(entries), segment.size)
    except OSError:
        log.exception("cannot bring the index of segment %s into order; it is read as it is", segment.id)


def _acknowledged(index: Index, on_disk: int, *, lost: bool) -> int:
    """Return how many bytes of a segment count.

    An unsealed one was being written: from the first entry on whose bytes are not all there, nothing was acknowledged,
    unless the whole file is gone.
    """
    if index.size is not None:
        return index.size
    if lost:
        return index.entries[-1].end if index.entries else 0
    return next((entry.offset for entry in index.entries if entry.end > on_disk), on_disk)


def _report(segment: Segment, entries: list[Entry], known: int) -> None:
    """Say what a damaged index cost."""
    rest = sum(entry.length for entry in entries if entry.kind == Kind.UNFRAMED)
    rebuilt = sum(entry.kind != Kind.UNFRAMED for entry in entries) - known
    log.error(
        "the index of segment %s was damaged: %d requests of %d were found without it, %d bytes are no requests",
        segment.id,
        rebuilt,
        known + rebuilt,
        rest,
    )


def _truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def _remove(segment: Segment) -> None:
    segment.path.unlink(missing_ok=True)
    segment.index_path.unlink(missing_ok=True)
    sync_folder(segment.folder)


def request_counter(signal: str) -> Count:
    """Return how to count the items of a body of *signal*, by which a request is told from other bytes."""

    def count(body: bytes) -> int | None:
        try:
            return check(signal, body, item_limit=sys.maxsize).accepted
        except Refused:
            return None

    return count
