"""The spool: a request is on disk, synced, before it is acknowledged; a sealed segment waits for the writer."""

import logging
import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from collector.errors import Overloaded
from collector.segment import (
    ENTRY,
    Segment,
    checksum,
    digest,
    frame,
    new_id,
    read_index,
    recover,
    sync_folder,
)

log = logging.getLogger(__name__)

SEAL_BYTES = 24 << 20
SEAL_AFTER_S = 1.0
REMEMBER_S = 600.0  # how long a body is known, so that a client's retry is not stored twice


@dataclass(slots=True)
class _Request:
    data: bytes
    items: int
    digest: bytes
    done: Future[None] = field(default_factory=Future)


class Spool:
    """One signal's folder of segments. Thread-safe: any number of appenders, one committer thread, one writer.

    Args:
        folder: Where the segments lie; what a crash left there is cut and sealed first.
        limit_bytes: Requests are refused as retryable when this much waits for the database.
    """

    def __init__(self, folder: Path, *, limit_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.cut_bytes = 0
        self._limit_bytes = limit_bytes
        self._changed = threading.Condition()
        self._waiting: deque[_Request] = deque()
        self._sealed: deque[Segment] = deque()
        self._sizes: dict[str, int] = {}
        self._pending: dict[bytes, Future[None]] = {}
        self._queued_bytes = 0  # accepted, and not yet in an open segment's size
        self._known: dict[bytes, float] = {}  # digest -> when it was acknowledged, oldest first
        self._open: _OpenSegment | None = None
        self._last_id = ""
        self._next_forget = 0.0
        self._closing = False
        self._recover()
        self._committer = threading.Thread(target=self._commit_loop, name=f"spool-{folder.name}", daemon=True)
        self._committer.start()

    def append(self, body: bytes, data: bytes, items: int) -> Future[None]:
        """Queue *data*; the future is done when it is durable.

        A *body* that was acknowledged in the last 10 minutes is acknowledged again and not stored.

        Raises:
            Overloaded: the spool is full or closing.
        """
        mark = digest(body)
        with self._changed:
            if time.time() - self._known.get(mark, 0.0) < REMEMBER_S:
                done: Future[None] = Future()
                done.set_result(None)
                return done
            if mark in self._pending:
                return self._pending[mark]
            if self._closing:
                raise Overloaded("the collector is shutting down")
            if self.waiting_bytes() + self._queued_bytes + len(data) > self._limit_bytes:
                raise Overloaded(f"the spool is full ({self._limit_bytes} bytes wait for the database)")
            request = _Request(data, items, mark)
            self._pending[mark] = request.done
            self._queued_bytes += len(data)
            self._waiting.append(request)
            self._changed.notify_all()
            return request.done

    def waiting_bytes(self) -> int:
        """Return how many bytes have not reached the database."""
        return sum(self._sizes.values())

    def segments(self) -> int:
        return len(self._sizes)

    def next_sealed(self, timeout_s: float) -> Segment | None:
        """Return the oldest sealed segment without removing it, or None after *timeout_s*."""
        with self._changed:
            if not self._sealed:
                self._changed.wait(timeout_s)
            return self._sealed[0] if self._sealed else None

    def drained(self) -> bool:
        """Return whether the spool is closed and holds nothing."""
        with self._changed:
            return self._closing and not self._sealed and not self._committer.is_alive()

    def remove(self, segment: Segment) -> None:
        """Delete a stored segment; its index stays for 10 minutes to recognise retries.

        One that cannot be deleted is sent again by the next start, under the token that stores it once.
        """
        try:
            segment.path.unlink()
            sync_folder(self.folder)
        except OSError:
            log.exception("cannot delete the stored segment %s", segment.id)
        with self._changed:
            self._sealed.popleft()
            self._sizes.pop(segment.id, None)

    def close(self) -> None:
        """Commit what is queued, seal, and stop accepting."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._committer.join()

    def _recover(self) -> None:
        for found in recover(self.folder):
            self._sealed.append(found.segment)
            self._sizes[found.segment.id] = found.segment.size()
            self._last_id = found.segment.id
            self.cut_bytes += found.cut_bytes
            if found.cut_bytes:
                log.warning("cut %d unacknowledged bytes off segment %s", found.cut_bytes, found.segment.id)
        now = time.time()
        for path in sorted(self.folder.glob("*.idx")):
            written = path.stat().st_mtime
            if now - written < REMEMBER_S:
                self._known.update((entry.digest, written) for entry in read_index(path))
            elif path.stem not in self._sizes:
                path.unlink()

    def _commit_loop(self) -> None:
        while True:
            batch = self._next_batch()
            if batch:
                self._commit(batch)
            with self._changed:
                self._seal_if_due()
                if self._closing and not self._waiting:
                    self._seal()
                    self._changed.notify_all()
                    return

    def _next_batch(self) -> list[_Request]:
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(self._open.seconds_left() if self._open else 30.0)
            batch = list(self._waiting)
            self._waiting.clear()
            return batch

    def _commit(self, batch: list[_Request]) -> None:
        """Write and sync a group of requests, then answer them all."""
        failure: OSError | None = None
        try:
            if self._open is None:
                self._last_id = new_id(self._last_id)
                self._open = _OpenSegment(Segment(self._last_id, self.folder))
            self._open.write(batch)
        except OSError as error:
            log.exception("cannot write the spool")
            failure = error
        now = time.time()
        with self._changed:
            if self._open is not None:
                self._sizes[self._open.segment.id] = self._open.size
            for request in batch:
                self._pending.pop(request.digest, None)
                self._queued_bytes -= len(request.data)
                if failure is None:
                    self._known.pop(request.digest, None)  # a dict keeps an old key's place: oldest first
                    self._known[request.digest] = now
        for request in batch:
            if failure is None:
                request.done.set_result(None)
            else:
                request.done.set_exception(Overloaded(f"the spool cannot be written: {failure.strerror}"))

    def _seal_if_due(self) -> None:
        if self._open is not None and (self._open.size >= SEAL_BYTES or self._open.seconds_left() <= 0):
            self._seal()
            self._forget(time.time())

    def _seal(self) -> None:
        if self._open is None:
            return
        opened, self._open = self._open, None
        opened.close()
        if opened.size:
            self._sealed.append(opened.segment)
            self._changed.notify_all()

    def _forget(self, now: float) -> None:
        """Drop digests and indexes older than 10 minutes; looked at twice a minute."""
        if now < self._next_forget:
            return
        self._next_forget = now + 30.0
        while self._known:
            mark, at = next(iter(self._known.items()))
            if now - at < REMEMBER_S:
                break
            del self._known[mark]
        for path in self.folder.glob("*.idx"):
            if path.stem not in self._sizes and now - path.stat().st_mtime > REMEMBER_S:
                path.unlink(missing_ok=True)


class _OpenSegment:
    """The segment that is being written: two files, synced together."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.size = 0
        self._entries = 0
        self._born = time.monotonic()
        self._data = segment.path.open("xb", buffering=0)
        self._index = segment.index_path.open("xb", buffering=0)
        sync_folder(segment.folder)

    def seconds_left(self) -> float:
        return SEAL_AFTER_S - (time.monotonic() - self._born)

    def write(self, batch: list[_Request]) -> None:
        """Append *batch* durably; on an error the files are as they were before."""
        frames, entries, offset = [], bytearray(), self.size
        for request in batch:
            data = frame(request.data)
            frames.append(data)
            entries += ENTRY.pack(offset, len(data), request.items, checksum(data), request.digest)
            offset += len(data)
        try:
            _write_all(self._data.fileno(), frames)
            _write_all(self._index.fileno(), [bytes(entries)])
            os.fdatasync(self._data.fileno())
            os.fdatasync(self._index.fileno())
        except OSError:
            os.ftruncate(self._data.fileno(), self.size)
            os.ftruncate(self._index.fileno(), self._entries * ENTRY.size)
            os.lseek(self._data.fileno(), 0, os.SEEK_END)
            os.lseek(self._index.fileno(), 0, os.SEEK_END)
            raise
        self.size = offset
        self._entries += len(batch)

    def close(self) -> None:
        self._data.close()
        self._index.close()
        if not self.size:
            self.segment.path.unlink(missing_ok=True)
            self.segment.index_path.unlink(missing_ok=True)


def _write_all(descriptor: int, parts: list[bytes]) -> None:
    """Write every byte of *parts*; writev may write less than asked, and takes at most IOV_MAX parts."""
    views = deque(memoryview(part) for part in parts if part)
    while views:
        written = os.writev(descriptor, [views[index] for index in range(min(len(views), 512))])
        while written:
            if written >= len(views[0]):
                written -= len(views.popleft())
            else:
                views[0] = views[0][written:]
                written = 0
