"""Child processes that live exactly as long as we do: each watches its standard input, a pipe that we hold open."""

import logging
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

RESPAWN_AFTER_S = 0.5


class Child:
    """One child, started again when it ends by itself.

    Args:
        respawn: False where the end of the child is its result.
        environment: Variables that it gets beside ours: unlike its command, nobody else can see them.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        respawn: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._environment = environment or {}
        self._command = list(command)
        self._respawn = respawn
        self._stopping = threading.Event()
        self._process = self._spawn()
        self._watcher = threading.Thread(target=self._watch, name=f"child-{name}", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self, timeout_s: float = 6.0) -> None:
        """Ask the child to end; end it when it does not."""
        self._stopping.set()
        process = self._process
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop within %.0f s and is killed", self.name, timeout_s)
            process.kill()
            process.wait()
        _close_pipe(process)

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self._environment}
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True, env=environment)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            code = self._process.wait()
            if self._stopping.is_set() or not self._respawn:
                return
            log.warning("%s ended with code %s and is started again", self.name, code)
            _close_pipe(self._process)
            time.sleep(RESPAWN_AFTER_S)
            if not self._stopping.is_set():
                self._process = self._spawn()


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def stop_all(children: Sequence[Child], timeout_s: float = 6.0) -> None:
    """Stop all of them at the same time."""
    threads = [threading.Thread(target=child.stop, args=(timeout_s,)) for child in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
