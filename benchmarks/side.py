"""One side of a comparison: the same load, the same clock, the same stop, whoever stores it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from benchmarks.cpu import PeakMemory, ProcessTree, wait_until_settled
from benchmarks.load import Load, Outcome

QUERYABLE_S = 120.0
POLL_S = 1.0
SAMPLE_S = 1.0

T = TypeVar("T")


class MismatchError(Exception):
    """Accepted and stored differ: a lost or doubled item, the one thing that no speed makes good."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a side did with a load.

    Attributes:
        cpu_s: User and system seconds of all of its processes, from the first byte until the merges had settled.
        queryable_s: From the first byte until every item could be queried.
        backlog: Items accepted and not stored yet, once a second while the load ran.
        disk_bytes: Live parts of all tables.
    """

    sent: Outcome
    cpu_s: float
    queryable_s: float
    rss_bytes: int
    backlog: tuple[int, ...]
    disk_bytes: int = 0

    @property
    def per_cpu_s(self) -> float:
        """Items per CPU-second."""
        return self.sent.items / self.cpu_s

    @property
    def drain_s(self) -> float:
        """Seconds from the last answer until every item could be queried."""
        return self.queryable_s - self.sent.wall_s


def measure(
    load: Load,
    tree: ProcessTree,
    stored: Callable[[], int],
    *,
    waiting: Callable[[], int] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Run:
    """Run a load and return what it cost.

    Args:
        load: It has not been run yet.
        tree: All processes that it makes work.
        stored: Counts the items that can be queried.
        waiting: Counts the items that are accepted and not stored yet, where that costs the side less than `stored`.
        check: Raises when waiting for the rest makes no sense.

    Raises:
        MismatchError: accepted and stored items differ.
        NotSettledError, RefusedError: see there.
    """
    wait_until_settled(tree.cpu_s)
    memory, backlog = PeakMemory(tree), Samples(waiting or (lambda: load.accepted - stored()))
    try:
        before_s, started = tree.cpu_s(), time.monotonic()
        sent = load.run()
        backlog.close()
        await_stored(stored, sent.items, check)
        queryable_s = time.monotonic() - started
        wait_until_settled(tree.cpu_s)
        cpu_s = tree.cpu_s() - before_s
    finally:
        memory.close()
        backlog.close()
    require_equal("after the merges the database had", stored(), sent.items)
    return Run(sent, cpu_s, queryable_s, memory.bytes, tuple(backlog.values))


class Samples(Generic[T]):
    """Calls *read* once a second until it is closed."""

    def __init__(self, read: Callable[[], T]) -> None:
        self.values: list[T] = []
        self._read = read
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self.values.append(self._read())


def await_stored(stored: Callable[[], int], expected: int, check: Callable[[], None] = lambda: None) -> None:
    """Return when *stored* counts *expected* items; *check* is called in between and may raise.

    Raises:
        MismatchError: it counts more, or fewer for two minutes.
    """
    deadline = time.monotonic() + QUERYABLE_S
    found = stored()
    while found < expected and time.monotonic() < deadline:
        check()
        time.sleep(POLL_S)
        found = stored()
    require_equal("the database stored", found, expected)


def require_equal(what: str, found: int, expected: int) -> None:
    """Raise MismatchError unless *found* is exactly *expected*."""
    if found != expected:
        raise MismatchError(f"{what} {found:,}, expected {expected:,}")
