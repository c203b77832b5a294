import contextlib
from collections.abc import Iterator

import psutil

from chaos.daemon.process_id import ProcessId
from chaos.daemon.world import VictimProcess
from chaos.errors import FaultRefusedError
from chaos.faults.base import LastingFault


class ProcessFault(LastingFault):
    """Something done to one live process, which is never mistaken for the one that a supervisor starts in its place."""

    def __init__(self, kind: str, victim: VictimProcess) -> None:
        self._victim = victim
        self.key = f"{kind}:{victim.name}"

    def _chosen(self, chosen: ProcessId) -> psutil.Process:
        process = chosen.live()
        if process is None:
            raise FaultRefusedError(f"{self._name(chosen)} ended just now; try again", 409)
        return process

    def _survivor(self, chosen: ProcessId) -> psutil.Process | None:
        """Return the process to mend, None when it has ended: then there is nothing left to restore."""
        process = chosen.live()
        if process is None:
            self.detail = f"{self._name(chosen)} ended before the revert; there was nothing left to restore"
        return process

    def _name(self, chosen: ProcessId) -> str:
        return f"{self._victim.name} (pid {chosen.pid})"


@contextlib.contextmanager
def refusals(what: str) -> Iterator[None]:
    """Turn what the system says to *what*, such as "stop orders", into FaultRefusedError: 403 or 409."""
    try:
        yield
    except (psutil.AccessDenied, PermissionError) as error:
        raise FaultRefusedError(
            f"no permission to {what} ({error}); run the fault daemon as the user that owns the process", 403
        ) from error
    except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError) as error:
        raise FaultRefusedError(f"cannot {what}: the process has ended", 409) from error
