"""The bare engine, given the same requests as finished segments. No HTTP, no check, no spool, no evaluator.

Both functions open the engine, which allows one process a folder and never returns its threads, so each call runs in
a process of its own.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from benchmarks.cpu import wait_until_settled
from benchmarks.payload import Plan, plan
from collector.spool.segment import frame
from collector.spool.spool import SEAL_BYTES
from ninelives.settings import Settings
from storage.client import Database
from storage.ingest import insert_segment
from storage.migrate import migrate
from storage.totals import span_total

PARTS = """SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts
    WHERE active AND database = currentDatabase() GROUP BY table"""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EngineRun:
    spans: int
    cpu_s: float
    segments: int


def measure_engine(folder: Path, spans: int, batch: int) -> EngineRun:
    """Insert *spans* spans into an empty database in *folder* and return the engine's CPU seconds, merges counted."""
    return _alone(_insert_all, folder, spans, batch)


@dataclass(frozen=True, slots=True)
class Parts:
    """The live parts of a database."""

    bytes: int
    rows: dict[str, int]


def stored_parts(folder: Path) -> Parts:
    """Return what the database in *folder* holds, whose server has stopped."""
    return _alone(_read_parts, folder)


def _alone(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments, **named).result()


def _insert_all(folder: Path, spans: int, batch: int) -> EngineRun:
    database = _open(folder)
    migrate(database)
    requests = plan(spans, batch)
    segments, building_s, before_s = 0, 0.0, time.process_time()
    stream = _segments(requests)
    while True:
        started = time.thread_time()
        data = next(stream, None)
        building_s += time.thread_time() - started  # making the bytes is the load's work, not the engine's
        if data is None:
            break
        insert_segment(database, "traces", data, f"bench:{segments}")
        segments += 1
    wait_until_settled(time.process_time)
    cpu_s = time.process_time() - before_s - building_s
    found = span_total(database)
    database.close()
    return EngineRun(found, cpu_s, segments)


def _segments(requests: Plan) -> Iterator[bytes]:
    """Yield the requests in the collector's segment layout, sealed at the collector's size."""
    open_segment = bytearray()
    for number in range(requests.requests):
        open_segment += frame(requests.template(number).fresh(time.time_ns()))
        if len(open_segment) >= SEAL_BYTES:
            yield bytes(open_segment)
            open_segment.clear()
    if open_segment:
        yield bytes(open_segment)


def _read_parts(folder: Path) -> Parts:
    database = _open(folder)
    with database.client() as client:
        found = client.query(PARTS).result_rows
    database.close()
    return Parts(sum(size for _, _, size in found), {table: rows for table, rows, _ in found})


def _open(folder: Path) -> Database:
    return Database(f"chdb://{folder}", memory_bytes=Settings.model_construct(memory=None).memory_bytes)
