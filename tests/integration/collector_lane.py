"""One signal's way from its spool to the database, and a database that fails as planned."""

import itertools
import json
import time
from pathlib import Path

import pytest

from collector.check.check import check
from collector.spool import spool as spools
from collector.spool.spool import Spool
from collector.writer.breaker import Breaker
from collector.writer.writer import Writer
from storage.errors import DatabaseError

UNREADABLE = b"unreadable"
REFUSED = "Code: 36. DB::Exception: cannot decode. (BAD_ARGUMENTS)"


class FaultyDatabase:
    """The real database behind a boundary that fails as planned.

    *plan* says for each insert what happens: "ok"; "lost" before anything was stored; "unknown", stored, but the
    answer was lost; "down" from then on; a function is called, and the answer lost. Requests that hold the word
    "unreadable" are refused as undecodable.
    """

    def __init__(self, database, plan=()):
        self.address = database.address
        self._database = database
        self._plan = itertools.chain(plan, itertools.repeat("ok"))
        self.inserts = []  # (token, bytes)
        self.calls = []  # (table, type of what is inserted, format, settings)

    def insert_encoded(self, table, data, fmt, settings):
        step = next(self._plan)
        content = data.read_bytes() if isinstance(data, Path) else bytes(data)
        self.calls.append((table, type(data), fmt, settings))
        if step == "down":
            self._plan = itertools.repeat("down")
        self.inserts.append((settings["insert_deduplication_token"], content))
        if step in {"lost", "down"}:
            raise DatabaseError("Code: 210. DB::NetException: Connection refused")
        if UNREADABLE in content:
            raise DatabaseError(REFUSED)
        self._database.insert_encoded(table, data, fmt, settings)
        if callable(step):
            step()
        if step != "ok":
            raise DatabaseError("Code: 209. DB::NetException: Timeout exceeded while reading from socket")


class Lane:
    def __init__(self, folder):
        self.spool_folder, self.letters = folder / "spool" / "traces", folder / "dead-letter"
        self.touched = set()

    def writer(self, spool, database, breaker=None):
        breaker = breaker or Breaker(first_pause_s=0.01, longest_pause_s=0.02)
        return Writer("traces", spool, database, self.letters, breaker, lambda _seconds: None)

    def fill(self, *bodies, segment_bytes=None):
        """Acknowledge *bodies* (in segments of about *segment_bytes*) and return the closed spool."""
        patch = pytest.MonkeyPatch()
        if segment_bytes is not None:
            patch.setattr(spools, "SEAL_BYTES", segment_bytes)
        spool = Spool(self.spool_folder, limit_bytes=1 << 30)
        for body in bodies:
            checked = check("traces", body)
            spool.append(body, checked.data, checked.accepted).result(10)
        spool.close()
        patch.undo()
        return spool

    def drain(self, spool, database, timeout_s=60.0, breaker=None):
        """Write out *spool* and return its writer, stopped."""
        writer = self.writer(spool, database, breaker)
        writer.start()
        deadline = time.monotonic() + timeout_s
        while not spool.drained() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert writer.stop(5)
        return writer

    def dead_letters(self):
        return {path.stem: (path.read_bytes(), json.loads(path.with_suffix(".json").read_text("utf-8")))
                for path in sorted(self.letters.glob("*.pb"))}  # fmt: skip


def names(database):
    with database.client() as client:
        return sorted(row[0] for row in client.query("SELECT name FROM spans").result_rows)


def named(otlp, number, *, spans=2):
    return otlp.traces(*[otlp.span(f"{number:03d}/{n}") for n in range(spans)])
