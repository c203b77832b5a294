"""CPU seconds and memory of a process and its children: what neighbours on the machine do not change much."""

import contextlib
import threading
import time
from collections.abc import Callable

import psutil

FLAT_SHARE = 0.03
FLAT_S = 2.0
SAMPLE_S = 0.2


class NotSettledError(Exception):
    """The process kept on working for longer than a benchmark may wait."""


class ProcessTree:
    """Processes and all of their children, those that ended included."""

    def __init__(self, *pids: int) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]

    def cpu_s(self) -> float:
        """Return user and system seconds since the start."""
        total = 0.0
        for process in self._alive():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def rss_bytes(self) -> int:
        total = 0
        for process in self._alive():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def _alive(self) -> list[psutil.Process]:
        return [process for root in self._roots for process in (root, *root.children(recursive=True))]


class PeakMemory:
    """Samples the memory of a tree five times a second until it is closed."""

    def __init__(self, tree: ProcessTree) -> None:
        self.bytes = 0
        self._tree = tree
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            with contextlib.suppress(psutil.NoSuchProcess):
                self.bytes = max(self.bytes, self._tree.rss_bytes())


def wait_until_settled(cpu_s: Callable[[], float], *, flat_s: float = FLAT_S, timeout_s: float = 90.0) -> None:
    """Return when *cpu_s* grew by less than 3 % of a core over *flat_s*: nothing is inserted and no merge runs.

    Raises:
        NotSettledError: that did not happen within *timeout_s*.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        before, since = cpu_s(), time.monotonic()
        time.sleep(flat_s)
        if cpu_s() - before < FLAT_SHARE * (time.monotonic() - since):
            return
    raise NotSettledError(f"the CPU was never below {FLAT_SHARE:.0%} for {flat_s:g} s within {timeout_s:.0f} s")
