"""One experiment at a time: of two starts the second is refused, with the id of the first."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from api.problem import ProblemError
from api.run_answer import SILENT_AFTER, run_summary
from storage.client import Database
from storage.runs import RunRow, list_runs

LOOKED_AT: Final = 1000  # runs that were heard of in the last seconds


class StartGate:
    """Lets one start through at a time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = ("", datetime.fromtimestamp(0, UTC))

    def start(self, database: Database, launch: Callable[[], str]) -> str:
        """Call *launch* and return the id of the run that it started.

        Raises:
            ProblemError: 409, a run goes on, or one was started that has not reported yet.
        """
        with self._lock:
            going_on = self._going_on(database, datetime.now(UTC))
            if going_on:
                raise ProblemError(
                    409,
                    f"run {going_on} is still going on; one experiment at a time: wait for it, or stop it with "
                    f"POST /api/v1/runs/{going_on}/stop",
                )
            run_id = launch()
            self._started = (run_id, datetime.now(UTC))
            return run_id

    def _going_on(self, database: Database, now: datetime) -> str:
        """Return the id of a run that goes on, "" when there is none; a runner may take a while to report first."""
        heard = list_runs(database, since=now - SILENT_AFTER, limit=LOOKED_AT).runs
        running = next((row.id for row in heard if run_summary(row, now).status == "running"), "")
        run_id, at = self._started
        return running or ("" if self._has_reported(heard, run_id) or now - at > SILENT_AFTER else run_id)

    @staticmethod
    def _has_reported(heard: list[RunRow], run_id: str) -> bool:
        return run_id in {row.id for row in heard}
