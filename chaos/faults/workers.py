import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil

from chaos.daemon.process_id import ProcessId
from chaos.errors import FaultRefusedError
from chaos.waiting import until

SCRIPT = Path(__file__).with_name("worker_main.py")
END_S = 2.0
WORKING_S = 20.0


def worker_command(*arguments: str) -> list[str]:
    """Return the command of a child that dies with this process.

    Start it from the main thread: what the kernel watches is the thread that started it.
    """
    # -I: the folder of the script holds names of the standard library
    return [sys.executable, "-I", "-S", str(SCRIPT), str(os.getpid()), *arguments]


class Workers:
    """Children of the daemon that spin or hold memory. They end with their lease, and with the daemon."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []
        self._ids: list[ProcessId] = []

    @property
    def ids(self) -> list[ProcessId]:
        return self._ids

    def start(self, *arguments: str) -> None:
        """Start one worker, idle until its first lease."""
        child = subprocess.Popen(
            worker_command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._children.append(child)
        self._ids.append(ProcessId.of(child.pid))

    def adopt(self, ids: list[ProcessId]) -> None:
        """Take over what another daemon started."""
        self._ids = ids

    def lease(self, lease_ms: int) -> None:
        """Let all of them work for *lease_ms* from now; those that have ended stay so."""
        for child in self._children:
            assert child.stdin is not None
            with contextlib.suppress(OSError):
                child.stdin.write(b"%d\n" % lease_ms)
                child.stdin.flush()

    async def require_working(self) -> None:
        """Wait until all of them say that they are at work.

        Raises:
            FaultRefusedError: 409, one ended or was not ready in time.
        """
        try:
            async with asyncio.timeout(WORKING_S):
                said = await asyncio.gather(*(asyncio.to_thread(_line, child) for child in self._children))
        except TimeoutError as error:
            raise FaultRefusedError(f"a worker was not ready within {WORKING_S:g} s", 409) from error
        if not all(said):
            raise FaultRefusedError("a worker ended before it was at work; is there enough memory?", 409)

    def running(self) -> int:
        return sum(each.live() is not None for each in self._ids)

    async def end(self) -> bool:
        """End all of them and return whether none is left."""
        for child in self._children:
            child.kill()
        for each in self._ids:
            if (process := each.live()) is not None:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        await until(self._all_reaped, within_s=END_S)
        for child in self._children:
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        return self.running() == 0

    def _all_reaped(self) -> bool:
        left = [child for child in self._children if child.poll() is None]
        return not left and self.running() == 0


def _line(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None
    return child.stdout.readline()
