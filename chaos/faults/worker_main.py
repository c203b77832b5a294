"""A child of the fault daemon: spins, holds memory or becomes a command. It never outlives the daemon.

Run by its path and with the standard library alone, so that it starts at once:
`worker_main.py PARENT_PID spin LOAD CORE | ballast MB | exec ARGV...`. It waits for its first lease, a line with
milliseconds on standard input, and says when it is at work. Later lines renew the lease; at the end of it, or of
standard input, it ends.
"""

import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PERIOD_S = 0.05
CHUNK_BYTES = 16 * 1024 * 1024
GRACE_S = 0.5  # the daemon reverts at the end of the lease; this is for a daemon that hangs


class Lease:
    """How long this process may go on."""

    def __init__(self) -> None:
        self.deadline_s: float | None = None
        self._unread = b""

    def wait(self, seconds: float | None) -> None:
        """Take in renewals for *seconds* (None: until the first one); exits at the end of the lease."""
        end_s = None if seconds is None else time.monotonic() + seconds
        while True:
            left_s = None if end_s is None else max(0.0, end_s - time.monotonic())
            if select.select([0], [], [], left_s)[0]:
                self._read()
            now_s = time.monotonic()
            if self.deadline_s is not None and now_s > self.deadline_s:
                raise SystemExit(0)
            if now_s >= end_s if end_s is not None else self.deadline_s is not None:
                return

    def _read(self) -> None:
        data = os.read(0, 4096)
        if not data:
            raise SystemExit(0)
        *lines, self._unread = (self._unread + data).split(b"\n")
        if lines:
            self.deadline_s = time.monotonic() + int(lines[-1]) / 1000 + GRACE_S


def spin(lease: Lease, load: float, core: int) -> None:
    """Keep one core busy for the share *load* of the time."""
    os.sched_setaffinity(0, {core})
    lease.wait(None)
    say_working()
    while True:
        until = time.monotonic() + load * PERIOD_S
        while time.monotonic() < until:
            pass
        lease.wait((1 - load) * PERIOD_S)


def ballast(lease: Lease, mb: int) -> None:
    """Hold *mb* MiB of memory that is really there."""
    prefer_for_oom()
    lease.wait(None)
    held = []
    for taken in range(0, mb * 1024 * 1024, CHUNK_BYTES):
        held.append(b"\1" * min(CHUNK_BYTES, mb * 1024 * 1024 - taken))
        lease.wait(0)
    say_working()
    while True:
        lease.wait(PERIOD_S)


def say_working() -> None:
    os.write(1, b"working\n")


def prefer_for_oom() -> None:
    """If memory does run out, this process goes first."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123 - starts without pathlib
            file.write("1000")
    except OSError:
        pass


def die_with(parent: int) -> None:
    """End when the parent does, also by kill -9, and also when it has ended before this line."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)


def main(arguments: list[str]) -> None:
    parent, mode, *rest = arguments
    die_with(int(parent))
    match mode:
        case "spin":
            spin(Lease(), float(rest[0]), int(rest[1]))
        case "ballast":
            ballast(Lease(), int(rest[0]))
        case "exec":
            try:
                os.execvp(rest[0], rest)  # noqa: S606 - an argument list from the targets file, no shell
            except OSError as error:
                raise SystemExit(f"cannot run {rest[0]}: {error.strerror}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
