"""What the child tells its parent while it runs."""

import json
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaoslib.run import RunEventHandler

from chaos.toolkit.plain import encode, plain

_LOGGERS = ("chaostoolkit", "logzero_default")  # the second one is that of extensions up to 2023, safeguards among them
INTERRUPTION = "InterruptExecution"
_USUAL = "Activity failed"  # chaoslib's debug line of every activity that failed; the journal has those


class SwallowedErrors(logging.Handler):
    """Collects the exceptions that chaoslib, its controls and safeguards only log at debug level.

    SIGTERM becomes an exception that chaoslib takes for that of the activity, control or handler in which it arrived:
    *on_interruption* is called then.
    """

    def __init__(self, on_interruption: Callable[[], None]) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._on_interruption = on_interruption
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.setLevel(logging.DEBUG)
            logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return
        if record.getMessage() != _USUAL:
            self.lines.append(f"{record.getMessage()}: {error!r}")
        if INTERRUPTION in repr(error):
            self._on_interruption()


class Reporter(RunEventHandler):  # type: ignore[misc]
    """Writes an event a line to *events*, and the journal as it stands to *partial*, for a parent that must kill.

    chaoslib swallows what a handler raises, so nothing is raised here: `problems` says what went wrong.
    """

    def __init__(self, events: int, partial: Path) -> None:
        self.journal: dict[str, Any] | None = None
        self.rolling_back = False
        self.problems: list[str] = []
        self._events = events
        self._partial = partial
        self._lock = threading.Lock()

    def tell(self, event: str, message: str = "", **more: Any) -> None:
        """Send one event."""
        line = {"event": event, "at": datetime.now(UTC).isoformat(), "message": message, **more}
        try:
            with self._lock:
                os.write(self._events, json.dumps(plain(line)).encode() + b"\n")
                if self.journal is not None:
                    draft = self._partial.with_suffix(".draft")
                    draft.write_bytes(encode(self.journal))
                    draft.replace(self._partial)
        except (OSError, RuntimeError) as error:
            self.problems.append(f"event {event} was not reported: {error!r}")

    def started(self, experiment: dict[str, Any], journal: dict[str, Any]) -> None:
        self.journal = journal
        self.tell("started", experiment["title"])

    def interrupted(self, *_: Any) -> None:
        self.tell("interrupted")

    def signal_exit(self) -> None:
        self.tell("interrupted")

    def start_hypothesis_before(self, *_: Any) -> None:
        self.tell("start_hypothesis_before")

    def hypothesis_before_completed(self, _: dict[str, Any], state: dict[str, Any] | None, __: dict[str, Any]) -> None:
        self.tell("hypothesis_before_completed", _met(state))

    def start_hypothesis_after(self, *_: Any) -> None:
        self.tell("start_hypothesis_after")

    def hypothesis_after_completed(self, _: dict[str, Any], state: dict[str, Any] | None, __: dict[str, Any]) -> None:
        self.tell("hypothesis_after_completed", _met(state))

    def continuous_hypothesis_iteration(self, _: int, state: Any) -> None:
        self.tell("continuous_hypothesis_iteration", _met(state))

    def start_method(self, *_: Any) -> None:
        self.tell("start_method")

    def method_completed(self, *_: Any) -> None:
        self.tell("method_completed")

    def start_rollbacks(self, *_: Any) -> None:
        self.rolling_back = True
        self.tell("start_rollbacks")

    def rollbacks_completed(self, *_: Any) -> None:
        self.tell("rollbacks_completed")

    def start_activity(self, activity: dict[str, Any]) -> None:
        self.tell(
            "start_activity",
            str(activity.get("name")),
            key=id(activity),
            timeout_s=declared_timeout_s(activity),
            background=bool(activity.get("background")),
        )

    def activity_completed(self, activity: dict[str, Any], run: dict[str, Any]) -> None:
        if type(run.get("output")).__name__ in {"coroutine", "async_generator"}:
            run["output"] = plain(run["output"])
            run["status"] = "failed"  # chaoslib believes that it succeeded
            run["exception"] = ["the function is asynchronous; Chaos Toolkit awaits nothing, so it did not run"]
        self.tell("activity_completed", f"{activity.get('name')}: {run.get('status')}", key=id(activity))


def declared_timeout_s(activity: dict[str, Any]) -> float | None:
    """Return how long an activity says that it may take: its own `timeout`, or its provider's; None if it does not."""
    provider = activity.get("provider") or {}
    for declared in (activity.get("timeout"), provider.get("timeout")):
        if isinstance(declared, list) and all(isinstance(each, int | float) for each in declared):
            return float(sum(declared))
        if isinstance(declared, int | float) and not isinstance(declared, bool):
            return float(declared)
    return None


def _met(state: dict[str, Any] | None) -> str:
    return "no hypothesis" if state is None else f"met: {state.get('steady_state_met')}"
