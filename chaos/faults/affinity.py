"""The cores that a live process may use. Linux keeps them a thread, so all threads are asked and set."""

import contextlib
import os
from collections.abc import Iterator, Mapping

import psutil


def cores_by_thread(process: psutil.Process) -> dict[int, list[int]]:
    """Return the cores of each thread of *process*, by thread id."""
    return dict(_threads(process))


def pin(process: psutil.Process, core: int) -> bool:
    """Let *process* run on *core* alone and return whether it does. Threads that start meanwhile are caught too."""
    for _ in range(5):
        strays = [thread for thread, cores in _threads(process) if cores != [core]]
        if not strays:
            return True
        for thread in strays:
            _set(thread, [core])
    return False


def unpin(process: psutil.Process, core: int, before: Mapping[int, list[int]]) -> bool:
    """Give every thread of *process* and of its children that is on *core* alone its cores back.

    Args:
        process: what was pinned.
        core: where it was pinned to.
        before: what `cores_by_thread` said; a thread or child that came later gets what the main thread had.

    Returns:
        Whether none is left there that was not there before.
    """
    usual = before.get(process.pid, sorted(range(os.cpu_count() or 1)))
    family = [process]
    with contextlib.suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
    for _ in range(5):
        pinned = [
            (thread, before.get(thread, usual))
            for each in family
            for thread, cores in _threads(each)
            if cores == [core] != before.get(thread, usual)
        ]
        if not pinned:
            return True
        for thread, cores in pinned:
            _set(thread, cores)
    return False


def _threads(process: psutil.Process) -> Iterator[tuple[int, list[int]]]:
    with contextlib.suppress(psutil.NoSuchProcess):
        for thread in process.threads():
            with contextlib.suppress(ProcessLookupError):
                yield thread.id, sorted(os.sched_getaffinity(thread.id))


def _set(thread: int, cores: list[int]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(thread, cores)
