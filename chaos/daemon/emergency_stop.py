from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from chaos.errors import FaultRefusedError
from chaos.files import write_durably
from chaos.wire import EmergencyStopRequest, EmergencyStopState

RELEASED = EmergencyStopState(locked=False)


class EmergencyStop:
    """The lock that keeps a daemon from breaking anything. Its file outlives the daemon; an unreadable one locks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = _read(path)

    @property
    def state(self) -> EmergencyStopState:
        return self._state

    def lock(self, request: EmergencyStopRequest, *, at: datetime) -> None:
        """Lock from now on. Whoever locked first stays on record."""
        if not self._state.locked:
            self._state = EmergencyStopState(locked=True, by=request.by, reason=request.reason, at=at)

    def save(self) -> None:
        """Make the lock outlive the daemon (raises OSError)."""
        if self._state.locked:
            write_durably(self._path, self._state.model_dump_json().encode())

    def release(self) -> None:
        """Allow faults again; does nothing when it is released already (raises OSError)."""
        self._path.unlink(missing_ok=True)
        self._state = RELEASED

    def require_released(self) -> None:
        """Raise FaultRefusedError (423) while it is locked."""
        state = self._state
        if state.locked:
            when = "" if state.at is None else f" at {state.at:%Y-%m-%dT%H:%M:%SZ}"
            reason = f" ({state.reason})" if state.reason else ""
            raise FaultRefusedError(
                f"emergency stop by {state.by or 'unknown'}{when}{reason}: nothing is broken until it is released "
                "with DELETE /emergency-stop",
                423,
            )


def _read(path: Path) -> EmergencyStopState:
    try:
        return EmergencyStopState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return RELEASED
    except (OSError, ValidationError) as error:
        return EmergencyStopState(locked=True, reason=f"{path} cannot be read: {error}")
