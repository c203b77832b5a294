"""The spool: a request is on disk, synced, before it is acknowledged; a sealed segment waits for the writer."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from collector.errors import Overloaded
from collector.spool.commit_queue import CommitQueue, Request, answered
from collector.spool.index import read_index, write_index
from collector.spool.open_segment import Fsync, OpenSegment
from collector.spool.recent import RecentBodies
from collector.spool.recovery import recover
from collector.spool.segment import Segment, born_at, digest, new_id, sync_folder

log = logging.getLogger(__name__)

SEAL_BYTES = 48 << 20
SEAL_AFTER_S = 2.0


class Spool:
    """One signal's folder of segments. Thread-safe: any number of appenders, one committer thread, one writer.

    Args:
        folder: Where the segments lie, named like its signal; what a crash left there is brought into order first.
        limit_bytes: Requests are refused as retryable when this much waits for the database.
        age_limit_s: They are refused as well when something waits longer than this; None: however long.
        fsync: "always": synced before the answer. "interval": every two seconds, after the answer. "off": never.

    Attributes:
        cut_bytes: Of torn requests, which were never acknowledged, found at the start.
        mended_entries: Of damaged indexes, found at the start.
        blocked_by: What keeps the database from taking segments, as the writer says; "" when nothing does.
        disk_error: Why the disk refused the last group; "" when it did not.
    """

    def __init__(
        self, folder: Path, *, limit_bytes: int, age_limit_s: float | None = None, fsync: Fsync = "always"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.cut_bytes = self.mended_entries = 0
        self.blocked_by = self.disk_error = ""
        self._limit_bytes = limit_bytes
        self._age_limit_s = age_limit_s
        self._fsync: Fsync = fsync
        self._started_at = time.time()
        self._changed = threading.Condition()
        self._queue = CommitQueue()
        self._sealed: deque[Segment] = deque()
        self._sizes: dict[str, int] = {}  # by segment id, the oldest first
        self._recent = RecentBodies(folder)
        self._open: OpenSegment | None = None
        self._last_id = ""
        self._closing = False
        self._recover()
        self._committer = threading.Thread(target=self._commit_loop, name=f"spool-{folder.name}", daemon=True)
        self._committer.start()

    def append(self, body: bytes, data: bytes, items: int) -> Future[bool]:
        """Queue *data*; the future is done when it is durable: True when it was stored now, False when it was before.

        A *body* that was acknowledged in the last 10 minutes, or is on its way, is acknowledged again and not stored.

        Raises:
            Overloaded: the spool is full, too old, or closing.
        """
        mark = digest(body)
        with self._changed:
            now = time.time()
            if self._recent.knows(mark, now):
                return answered(False)
            if (first := self._queue.join(mark)) is not None:
                return first
            self._refuse_if_overloaded(len(data), now)
            self._changed.notify_all()
            return self._queue.add(Request(data, items, mark))

    def waiting_bytes(self) -> int:
        """Return how many bytes have not reached the database."""
        return sum(self._sizes.values())

    def segments(self) -> int:
        return len(self._sizes)

    def fill(self) -> float:
        """Return how full it is: 0 empty, 1 at its limit."""
        with self._changed:
            return min(1.0, (self.waiting_bytes() + self._queue.size_bytes) / self._limit_bytes)

    def oldest_age_s(self, now: float) -> float:
        """Return for how long the oldest segment has been waiting at *now* (Unix seconds); 0 when none waits."""
        with self._changed:
            return max(0.0, now - born_at(next(iter(self._sizes)))) if self._sizes else 0.0

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

    def forget(self, digests: Iterable[bytes]) -> None:
        """Take these bodies for new when they come again: they were put aside instead of stored."""
        with self._changed:
            self._recent.forget(digests)

    def remove(self, segment: Segment, put_aside: frozenset[bytes] = frozenset()) -> None:
        """Delete a stored segment; its index stays for 10 minutes to recognise retries, but for those *put_aside*.

        One that cannot be deleted is sent again by the next start, under the token that stores it once.
        """
        try:
            self._keep_digests(segment, put_aside)
            segment.path.unlink(missing_ok=True)
            if self._fsync != "off":
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
            self._sizes[found.segment.id] = found.segment.size
            self._last_id = found.segment.id
            self.cut_bytes += found.cut_bytes
            self.mended_entries += found.mended_entries
        now = time.time()
        self._recent.expire(now)
        self._recent.load(now, self._sizes)

    def _keep_digests(self, segment: Segment, put_aside: frozenset[bytes]) -> None:
        """Rename the index of a stored segment; where the disk has no room for one without *put_aside*, drop it."""
        if not put_aside:
            segment.index_path.replace(segment.stored_path)
            return
        kept = [item for item in read_index(segment.index_path).entries if item.digest not in put_aside]
        try:
            write_index(segment.stored_path, kept, segment.size)
        except OSError:
            log.exception("retries of what was in segment %s are not recognised after a restart", segment.id)
        segment.index_path.unlink()

    def _refuse_if_overloaded(self, size: int, now: float) -> None:
        if self._closing:
            raise Overloaded("the collector is shutting down")
        because = f": {self.blocked_by}" if self.blocked_by else ""
        if self.waiting_bytes() + self._queue.size_bytes + size > self._limit_bytes:
            raise Overloaded(f"the spool is full ({self._limit_bytes} bytes wait for the database){because}")
        # what waited while the collector was off is not held against the clients that meet it first
        age_s = min(self.oldest_age_s(now), now - self._started_at)
        if self._age_limit_s is not None and age_s > self._age_limit_s:
            raise Overloaded(
                f"requests have been waiting for the database for {age_s:.0f} s "
                f"(limit {self._age_limit_s:.0f} s){because}"
            )

    def _commit_loop(self) -> None:
        while True:
            batch = self._next_batch()
            if batch:
                self._commit(batch)
            if self._must_seal():
                self._seal()
            with self._changed:
                if self._closing and not self._queue:
                    break
        self._seal()

    def _next_batch(self) -> list[Request]:
        with self._changed:
            if not self._queue and not self._closing:
                self._changed.wait(max(0.0, SEAL_AFTER_S - self._open.age_s()) if self._open else 30.0)
            return self._queue.take()

    def _commit(self, batch: Sequence[Request]) -> None:
        """Write a group of requests, synced together, then answer them all."""
        failure = self._write(batch)
        if failure and not self.disk_error:
            log.error("cannot write the spool in %s: %s", self.folder, failure)
        self.disk_error = failure
        with self._changed:
            if self._open is not None and self._open.size:
                self._sizes[self._open.id] = self._open.size
            self._queue.settle(batch)
            if not failure:
                self._recent.remember((request.digest for request in batch), time.time())
        for request in batch:
            if failure:
                request.done.set_exception(Overloaded(f"the spool cannot be written: {failure}"))
            else:
                request.done.set_result(True)

    def _write(self, batch: Sequence[Request]) -> str:
        """Return "" when *batch* is in the open segment, otherwise why it is not."""
        try:
            if self._open is None:
                self._last_id = new_id(self._last_id)
                self._open = OpenSegment(self._last_id, self.folder, fsync=self._fsync)
            self._open.write(batch)
        except OSError as error:
            if self._open is not None and not self._open.trusted:
                self._seal()  # before the answer: what was refused must not come back after a crash
            return error.strerror or str(error)
        except Exception as error:  # whatever it was, these requests get an answer and the next ones a committer
            log.exception("cannot write the spool in %s", self.folder)
            return str(error)
        return ""

    def _must_seal(self) -> bool:
        opened = self._open
        return opened is not None and (opened.size >= SEAL_BYTES or opened.age_s() >= SEAL_AFTER_S)

    def _seal(self) -> None:
        opened, self._open = self._open, None
        segment = opened.seal() if opened else None
        with self._changed:
            if segment is not None:
                self._sealed.append(segment)
            self._recent.expire(time.time())
            self._changed.notify_all()
