"""Calls that may hang, each kind of them in one thread at a time."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Background:
    """Runs one call at a time in a thread of its own, which the end of the process does not wait for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None

    def start(self, call: Callable[[], object]) -> bool:
        """Start *call*; False, and nothing is started, while the one before still runs."""
        if self._thread is not None and self._thread.is_alive():
            return False
        self._thread = threading.Thread(target=self._run, args=(call,), name=self._name, daemon=True)
        self._thread.start()
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait for the call that runs; False when it still runs after *timeout_s*."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _run(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception:
            log.exception("%s failed", self._name)
