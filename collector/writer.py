"""The writer: sealed segments into ClickHouse, in order, one insert each, until the outcome is known."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector.check import canonical
from collector.segment import Entry, Segment, frame, sync_folder, unframe
from collector.spool import Spool
from storage.client import Database
from storage.errors import DECODE_ERROR_CODES, DatabaseError
from storage.ingest import insert_segment

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0


@dataclass(slots=True)
class WriterState:
    """What the writer did since the start, for status pages and metrics."""

    stored_items: int = 0
    dead_letters: int = 0
    last_stored_at: datetime | None = None
    last_error: str = ""


class Writer:
    """One thread a signal. A failing insert is retried whole before anything newer; only a decode error is split.

    Args:
        on_insert: Called with the seconds of each successful insert.
    """

    def __init__(
        self, signal: str, spool: Spool, database: Database, dead_letters: Path, on_insert: Callable[[float], None]
    ) -> None:
        self.state = WriterState(dead_letters=_count_letters(dead_letters, signal))
        self._signal = signal
        self._spool = spool
        self._database = database
        self._dead_letters = dead_letters
        self._on_insert = on_insert
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

    def _store(self, segment: Segment) -> None:
        """Insert and remove *segment*, however long it takes; when stopped before, it waits for the next start."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                stored = self._insert_range(segment, segment.entries(), segment.id)
                self._spool.remove(segment)
            except Exception as error:  # noqa: BLE001 -- whatever it was, the segment is tried again under its token
                self.state.last_error = str(error)[:300]
                log.warning(
                    "cannot store segment %s of %s, retrying in %.1f s: %s", segment.id, self._signal, pause, error
                )
                if self._stop.wait(pause):
                    return
                pause = min(LONGEST_PAUSE_S, pause * 2)
            else:
                self.state.last_error = ""
                self.state.stored_items += stored
                self.state.last_stored_at = datetime.now(UTC)
                return

    def _insert_range(self, segment: Segment, entries: list[Entry], token: str) -> int:
        """Insert *entries* under *token* and return the items stored.

        On a decode error halve them, under tokens that a restart repeats and that name both ends: a token that two
        different ranges share would let the second be taken for the first.
        """
        first, last = entries[0], entries[-1]
        data = segment.map()[first.offset : last.offset + last.length]
        try:
            self._insert(data, token)
        except DatabaseError as error:
            if error.code not in DECODE_ERROR_CODES:
                raise
            if len(entries) == 1:
                return self._rescue(segment, first, str(error))
            middle = len(entries) // 2
            halves = (entries[:middle], entries[middle:])
            return sum(self._insert_range(segment, half, _range_token(segment, half)) for half in halves)
        return sum(entry.items for entry in entries)

    def _rescue(self, segment: Segment, entry: Entry, reason: str) -> int:
        """Try a guilty request in canonical form; put it aside with its reason when that fails too."""
        original = unframe(bytes(segment.map()[entry.offset : entry.offset + entry.length]))
        body = canonical(self._signal, original)
        try:
            self._insert(frame(body), f"{segment.id}:{entry.offset}:canonical")
        except DatabaseError as error:
            if error.code not in DECODE_ERROR_CODES:
                raise
            self._bury(segment, entry, original, reason)
            return 0
        return entry.items

    def _insert(self, data: memoryview | bytes, token: str) -> None:
        started = time.perf_counter()
        insert_segment(self._database, self._signal, data, f"{self._signal}:{token}")
        self._on_insert(time.perf_counter() - started)

    def _bury(self, segment: Segment, entry: Entry, body: bytes, reason: str) -> None:
        """Keep a request that the database cannot read: its bytes, and why, beside each other."""
        self._dead_letters.mkdir(parents=True, exist_ok=True)
        stem = self._dead_letters / f"{self._signal}-{segment.id}-{entry.offset}"
        note = {
            "signal": self._signal,
            "items": entry.items,
            "reason": reason[:2000],
            "at": datetime.now(UTC).isoformat(),
        }
        for path, content in ((stem.with_suffix(".pb"), body), (stem.with_suffix(".json"), json.dumps(note).encode())):
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(self._dead_letters)
        self.state.dead_letters = _count_letters(self._dead_letters, self._signal)  # a retry buries it again
        log.error("put aside a request of %d items that the database cannot read: %s", entry.items, stem)


def _range_token(segment: Segment, entries: list[Entry]) -> str:
    return f"{segment.id}:{entries[0].offset}-{entries[-1].offset + entries[-1].length}"


def _count_letters(folder: Path, signal: str) -> int:
    return len(list(folder.glob(f"{signal}-*.json")))
