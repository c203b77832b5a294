"""Runs other people's Chaos Toolkit experiments: the toolkit's library in one child process a run, and its end in ours.

Rollbacks are always played: by the child, and once more by a fresh one if it had to be killed.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from chaos.errors import ExperimentError
from chaos.files import write_durably
from chaos.toolkit.journal import Journal, note, noted
from chaos.toolkit.plain import encode
from chaos.toolkit.rollbacks import only_rollbacks, rollbacks_missing

GRACE_S = 10.0
ROLLBACK_S = 60.0
ACTIVITY_TIMEOUT_S = 300.0
SLACK_S = 2.0  # a provider that knows its own timeout is given the time to notice it
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """A step of the run: `name` is chaoslib's, or "stopping" and "killed"."""

    name: str
    message: str
    at: datetime


def run_document(
    document: dict[str, Any],
    *,
    folder: Path,
    on_event: Callable[[EngineEvent], None] = lambda _: None,
    stop: Callable[[], str] = lambda: "",
    timeout_s: float = 3600.0,
    activity_timeout_s: float = ACTIVITY_TIMEOUT_S,
    grace_s: float = GRACE_S,
) -> Journal:
    """Run the Chaos Toolkit *document* and return its journal, which is also in `<folder>/journal.json`.

    A run that could not end by itself has status "aborted", and `chaos.toolkit.journal.noted` says why.

    Args:
        document: the experiment; it is not changed.
        folder: files of this run, and of no other.
        on_event: told of every step.
        stop: why the run should end now; empty while it should not. Asked some times a second to the very end, so that
            a caller can show by it that it lives.
        timeout_s: the longest that the whole run may take.
        activity_timeout_s: the longest that one activity in the foreground may take, unless it declares a timeout.
        grace_s: how long a child that is asked to end may take before it is killed.

    Raises:
        ExperimentError: the toolkit does not accept the document; nothing was run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    child = _Child(folder, "experiment", document, on_event, activity_timeout_s, grace_s)
    rollbacks = _Child(folder, "rollbacks", only_rollbacks(document), lambda _: None, activity_timeout_s, grace_s)
    try:
        journal = child.run(stop, timeout_s)
    except ExperimentError:
        raise
    except BaseException:
        if rollbacks_missing(document, child.journal()):
            rollbacks.run(lambda: "", ROLLBACK_S)
        raise
    if rollbacks_missing(document, journal):
        rollbacks.on_event = on_event
        journal["rollbacks"] = rollbacks.run(_unheeded(stop), ROLLBACK_S).get("rollbacks") or []
    write_durably(folder / "journal.json", encode(journal))
    return journal


def check_document(document: dict[str, Any], *, folder: Path, timeout_s: float = 30.0) -> None:
    """Have the toolkit validate *document* and import what it names, in a process of its own; nothing is run.

    Raises:
        ExperimentError: the toolkit does not accept it, or did not answer in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    child = _Child(folder, "check", document, lambda _: None, timeout_s, GRACE_S)
    reason = noted(child.run(lambda: "", timeout_s))["reason"]
    if reason:
        raise ExperimentError(f"Chaos Toolkit could not check the experiment: {reason}")


def _unheeded(stop: Callable[[], str]) -> Callable[[], str]:
    """Ask *stop*, and end no rollback for it."""

    def ask() -> str:
        stop()
        return ""

    return ask


@dataclass(slots=True)
class _Child:
    folder: Path
    name: str
    document: dict[str, Any]
    on_event: Callable[[EngineEvent], None]
    activity_timeout_s: float
    grace_s: float
    _process: subprocess.Popen[bytes] = field(init=False)
    _deadlines: dict[int, tuple[float, str]] = field(default_factory=dict)
    _kill_at: float = float("inf")
    _reason: str = ""
    _rolling_back: bool = False
    _invalid: str = ""

    def run(self, stop: Callable[[], str], timeout_s: float) -> Journal:
        write_durably(self.folder / f"{self.name}.json", encode(self.document))
        for stale in ("journal", "partial"):
            (self.folder / f"{self.name}.{stale}.json").unlink(missing_ok=True)
        lines: queue.Queue[bytes | None] = queue.Queue()
        with self._started(lines):
            self._follow(lines, stop, time.monotonic() + timeout_s)
        if self._invalid:
            raise ExperimentError(f"Chaos Toolkit does not accept the experiment: {self._invalid}")
        return self.journal()

    @contextlib.contextmanager
    def _started(self, lines: "queue.Queue[bytes | None]") -> Any:
        read_end, write_end = os.pipe()
        command = [sys.executable, "-m", "chaos.toolkit.engine", str(self.folder), self.name, str(write_end)]
        with (self.folder / f"{self.name}.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=[write_end], start_new_session=True
            )
        os.close(write_end)
        reader = threading.Thread(target=_read, args=(os.fdopen(read_end, "rb"), lines), daemon=True)
        reader.start()
        assert self._process.stdin is not None  # a pipe was asked for
        try:
            yield
        finally:
            self._process.stdin.close()  # a child that still runs takes it for our death: it rolls back and ends
            self._process.wait()
            reader.join(timeout=POLL_S)  # what an activity forked may hold the pipe for longer

    def _follow(self, lines: "queue.Queue[bytes | None]", stop: Callable[[], str], end_at: float) -> None:
        while True:
            try:
                line = lines.get(timeout=POLL_S)
            except queue.Empty:
                if self._process.poll() is not None:
                    return
            else:
                if line is None:
                    return
                self._hear(json.loads(line))
            now = time.monotonic()
            if now >= self._kill_at:
                self._kill()
            asked = stop()
            if not self._reason:
                self._ask_to_end(self._why_to_end(asked, end_at, now), now)

    def _hear(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        match event["event"]:
            case "start_activity":
                seconds = event["timeout_s"]
                if seconds is not None or not event["background"]:
                    limit_s = self.activity_timeout_s if seconds is None else seconds + SLACK_S
                    self._deadlines[event["key"]] = (now + limit_s, f"{event['message']} took over {limit_s:g} s")
            case "activity_completed":
                self._deadlines.pop(event["key"], None)
            case "start_rollbacks":
                self._rolling_back = True
                if self._reason:
                    self._kill_at = now + ROLLBACK_S
            case "invalid":
                self._invalid = event["message"]
            case "journal":
                self._deadlines.clear()
        self._tell(event["event"], event["message"], datetime.fromisoformat(event["at"]))

    def _why_to_end(self, asked: str, end_at: float, now: float) -> str:
        late = [text for deadline, text in self._deadlines.values() if now >= deadline]
        if late:
            return late[0]
        if now >= end_at:
            return "the run took longer than it may"
        return "" if self._rolling_back else asked

    def _ask_to_end(self, reason: str, now: float) -> None:
        if not reason:
            return
        self._reason = reason
        self._tell("stopping", reason, datetime.now(UTC))
        if not self._rolling_back:
            with contextlib.suppress(ProcessLookupError):
                # SIGTERM would be swallowed inside a Python activity, and SIGUSR2 would skip the rollbacks
                self._process.send_signal(signal.SIGUSR1)
        self._kill_at = now + self.grace_s

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with the processes that its activities started
        self._kill_at = float("inf")
        self._tell("killed", self._reason, datetime.now(UTC))

    def journal(self) -> Journal:
        """Return what the child wrote, or what can be said in its place now that it has ended."""
        written = _read_json(self.folder / f"{self.name}.journal.json")
        if written is not None:
            return note(written, reason=self._reason)
        reason = self._reason or f"the engine's process ended with code {self._process.returncode}"
        now = datetime.now(UTC).isoformat()
        blank = {"experiment": self.document, "start": now, "deviated": False, "run": [], "rollbacks": [],
                 "steady_states": {"before": None, "after": None, "during": []}}  # fmt: skip
        partial = _read_json(self.folder / f"{self.name}.partial.json") or {}
        ended = {"status": "aborted", "end": now, "experiment": self.document}
        return note({**blank, **partial, **ended}, reason=reason)

    def _tell(self, name: str, message: str, at: datetime) -> None:
        self.on_event(EngineEvent(name, message, at))


def _read(pipe: IO[bytes], lines: "queue.Queue[bytes | None]") -> None:
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(None)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


if __name__ == "__main__":
    from chaos.toolkit.child import main

    main(sys.argv[1:])
