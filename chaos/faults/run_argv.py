import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.errors import ChaosError
from chaos.faults.workers import worker_command
from chaos.waiting import until

TAIL_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended: its exit code (negative: the signal) and the end of what it said."""

    code: int
    tail: str

    def __str__(self) -> str:
        return f"exit code {self.code}" + (f", output: {self.tail}" if self.tail else ", no output")


async def run_argv(argv: Sequence[str], *, timeout_s: float, folder: Path | None = None) -> Finished:
    """Run a command to its end, without a shell and without input. It dies with this process.

    Raises:
        ChaosError: it did not end in time (then it was killed, with its group).
    """
    with tempfile.TemporaryFile() as output:  # not a pipe: what the command leaves running may keep it open
        child = subprocess.Popen(  # noqa: ASYNC220 - from this thread: the child is tied to it
            worker_command("exec", *argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
        try:
            if not await until(lambda: child.poll() is not None, within_s=timeout_s):
                said = _tail(output.fileno()) or "nothing"
                raise ChaosError(f"{' '.join(argv)} did not end within {timeout_s:g} s; it said: {said}")
        finally:
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        return Finished(child.returncode, _tail(output.fileno()))


def _tail(file: int) -> str:
    size = os.fstat(file).st_size
    wanted = TAIL_CHARACTERS * 4
    text = os.pread(file, wanted, max(0, size - wanted)).decode(errors="replace")
    return text.strip()[-TAIL_CHARACTERS:]
