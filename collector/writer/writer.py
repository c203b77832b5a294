"""The writer: sealed segments into ClickHouse, in order, one insert each, until the outcome is known."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector.spool.contents import digests, load
from collector.spool.index import Entry
from collector.spool.recovery import request_counter
from collector.spool.segment import Segment
from collector.spool.spool import Spool
from collector.writer.breaker import Breaker
from collector.writer.dead_letters import DeadLetters
from collector.writer.insertion import Insertion
from storage.client import Database
from storage.errors import DECODE_ERROR_CODES, DatabaseError
from storage.ingest import insert_segment

log = logging.getLogger(__name__)

DISK_PAUSE_S = 1.0  # the breaker paces a failing database; this paces a failing disk


class _StoppedError(Exception):
    """The writer was told to stop before it could call the database."""


@dataclass(slots=True)
class WriterState:
    """What the writer did since the start, for status pages and metrics.

    Attributes:
        dead_letters: In the folder now, also those of earlier processes.
        damaged_requests: Found damaged on disk, and put aside.
        last_error: Why the oldest segment is not stored yet; "" when all is well.
    """

    stored_items: int = 0
    dead_letters: int = 0
    damaged_requests: int = 0
    last_stored_at: datetime | None = None
    last_error: str = ""


class Writer:
    """One thread a signal. A failing insert is retried whole before anything newer; only a decode error is split.

    Args:
        dead_letters: The folder where requests go that cannot be stored.
        breaker: Shared by the writers of all signals: while it is open nobody calls the database.
        on_insert: Called with the seconds of each successful insert.
    """

    def __init__(  # noqa: PLR0917 -- the parts in the order in which a request meets them
        self,
        signal: str,
        spool: Spool,
        database: Database,
        dead_letters: Path,
        breaker: Breaker,
        on_insert: Callable[[float], None],
    ) -> None:
        self._signal = signal
        self._spool = spool
        self._database = database
        self._letters = DeadLetters(dead_letters)
        self._breaker = breaker
        self._on_insert = on_insert
        self.state = WriterState(dead_letters=self._letters.count(signal))
        self._count = request_counter(signal)
        self._aside: set[bytes] = set()  # digests of what was put aside of the segment that is being stored
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"writer-{signal}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Write out what a closed spool still holds for *timeout_s*; the rest waits on disk."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self._thread.is_alive() and not self.state.last_error:
            self._thread.join(0.05)
        self._stop.set()
        self._thread.join(max(0.1, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set() and not self._spool.drained():
            segment = self._spool.next_sealed(timeout_s=0.5)
            if segment is not None:
                self._store(segment)
            self.state.dead_letters = self._letters.count(self._signal)

    def _store(self, segment: Segment) -> None:
        """Insert and remove *segment*, however long it takes; when stopped before, it waits for the next start."""
        self._aside.clear()
        while True:
            try:
                self._store_once(segment)
            except _StoppedError:
                return
            except Exception as error:  # noqa: BLE001 -- whatever it was, the segment is tried again under its token
                self._note(str(error))
                log.warning("cannot store segment %s of %s, trying again: %s", segment.id, self._signal, error)
                if not isinstance(error, DatabaseError) and self._stop.wait(DISK_PAUSE_S):
                    return
            else:
                self._note("")
                return

    def _store_once(self, segment: Segment) -> None:
        contents = load(segment, self._count)
        for damage in contents.damages():  # before anything is inserted
            if self._bury(segment, damage.entries, damage.body, damage.reason):
                self.state.damaged_requests += len(damage.entries)

        def bury(entry: Entry, body: bytes, reason: str) -> None:
            self._bury(segment, [entry], body, reason)

        stored = Insertion(self._signal, segment.id, contents, self._insert, bury).run()
        if stored:  # counted before it is removed: who counts both meanwhile misses nothing
            self.state.stored_items += stored
            self.state.last_stored_at = datetime.now(UTC)
        self._spool.remove(segment, frozenset(self._aside))

    def _insert(self, data: Path | memoryview | bytes, token: str) -> None:
        """Make one insert as soon as the breaker lets it pass, and tell the breaker how it went."""
        self._await_turn()
        started = time.monotonic()
        try:
            insert_segment(self._database, self._signal, data, f"{self._signal}:{token}")
        except DatabaseError as error:
            if error.code in DECODE_ERROR_CODES:
                self._breaker.succeeded(time.monotonic())  # it works: it read the request and said no
            else:
                self._breaker.failed(time.monotonic(), str(error)[:300])
            raise
        except BaseException:
            self._breaker.released(time.monotonic())
            raise
        now = time.monotonic()
        self._breaker.succeeded(now)
        self._on_insert(now - started)

    def _await_turn(self) -> None:
        while not self._stop.is_set():
            now = time.monotonic()
            if self._breaker.allow(now):
                return
            self._note(self._breaker.status(now).last_error)
            self._stop.wait(self._breaker.retry_in_s(now))
        raise _StoppedError

    def _bury(self, segment: Segment, entries: Sequence[Entry], body: bytes, reason: str) -> bool:
        """Put requests aside and return whether they were not yet.

        They are forgotten first: as soon as their letter can be seen it may be sent again, and has to be taken for new.
        They are forgotten once: when this is repeated, the one that was sent again is known, and has to stay so.
        """
        marks = digests(entries) - self._aside
        self._spool.forget(marks)
        self._aside |= marks
        items = sum(entry.items for entry in entries) or None
        letter = self._letters.bury(self._signal, segment.id, entries[0].offset, body, reason, items=items)
        if letter is None:
            return False
        self.state.dead_letters = self._letters.count(self._signal)
        log.error("put aside a request of %s items: %s: %s", items or "unknown", letter.path, reason)
        return True

    def _note(self, error: str) -> None:
        self.state.last_error = self._spool.blocked_by = error[:300]
