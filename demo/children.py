"""Child processes of the supervisor: started again when they die, and gone when the supervisor is."""

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_HEADERS

from demo.files import write_atomically

RESPAWN_S = 1.0
"""A process that dies at once is started again no sooner than this after its last start."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run. `pid_file` is None where nobody needs to find the process; `port` is None if it listens nowhere."""

    name: str
    arguments: tuple[str, ...]
    log_file: Path
    port: int | None = None
    pid_file: Path | None = None


def child_environment() -> dict[str, str]:
    """Return this process's environment with the shop's own OpenTelemetry settings instead of the user's.

    The headers stay: the receiver's token is among them.
    """
    headers = OTEL_EXPORTER_OTLP_HEADERS
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_") or name == headers}
    return {**kept, "OTEL_SEMCONV_STABILITY_OPT_IN": "http", "PYTHONUNBUFFERED": "1"}


@dataclass(slots=True)
class Child:
    """One process and its lifeline."""

    spec: ChildSpec
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = field(default=-RESPAWN_S)

    def start(self) -> None:
        """Start the process and publish its pid."""
        self.spec.log_file.parent.mkdir(parents=True, exist_ok=True)
        # A group of its own keeps the terminal's Ctrl-C from reaching it before its callers have stopped.
        with self.spec.log_file.open("ab" if self.starts else "wb") as log:
            self._process = subprocess.Popen(
                self.spec.arguments,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(),
                process_group=0,
            )
        self.starts += 1
        self._started_at = time.monotonic()
        self._publish(self._process.pid)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """Return how the process ended, or None while it runs."""
        return None if self._process is None else self._process.poll()

    def keep_alive(self) -> None:
        """Start the process again if it has died."""
        if not self.is_running() and time.monotonic() - self._started_at >= RESPAWN_S:
            self._release()
            self.start()

    def terminate(self) -> None:
        """Ask the process to stop."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, timeout_s: float) -> bool:
        """Wait at most `timeout_s` for the end of the process and tell whether it has ended."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
        return not self.is_running()

    def end(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` for the end of the process, then kill it; take its pid file away."""
        if self._process is None:
            return
        if not self.wait(timeout_s):
            self._process.kill()
            self._process.wait()
        self._release()
        if self.spec.pid_file is not None:
            self.spec.pid_file.unlink(missing_ok=True)

    def _publish(self, pid: int) -> None:
        if self.spec.pid_file is None:
            return
        identity = {"pid": pid, "create_time": psutil.Process(pid).create_time(), "port": self.spec.port}
        write_atomically(self.spec.pid_file, json.dumps(identity))

    def _release(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
