import fcntl
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from chaos.errors import TargetsError
from chaos.files import write_durably
from chaos.wire import FaultRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """What a restarted daemon needs to revert a fault that it finds half done; `plan` is `LastingFault.plan`."""

    fault_id: str
    request: FaultRequest
    plan: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UndoRecords:
    """The write-ahead log of faults: one file a fault, on disk before the fault is injected."""

    folder: Path

    def claim(self) -> IO[bytes]:
        """Keep other daemons off these records: they would revert what this one injects.

        Returns:
            What holds the claim until it is closed, or until this process ends in whatever way.

        Raises:
            TargetsError: another daemon has it.
        """
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        lock = (self.folder.parent / "daemon.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise TargetsError(
                f"another fault daemon uses {self.folder.parent}; stop it, or choose another folder with --data"
            ) from error
        return lock

    def write(self, record: UndoRecord) -> None:
        """Store *record* so that it survives kill -9 and a power cut."""
        document = {
            "fault_id": record.fault_id,
            "request": record.request.model_dump(mode="json"),
            "plan": record.plan,
        }
        write_durably(self._path(record.fault_id), json.dumps(document).encode())

    def clear(self, fault_id: str) -> None:
        """Forget a reverted fault; an unknown one is already forgotten."""
        self._path(fault_id).unlink(missing_ok=True)

    def leftovers(self) -> list[UndoRecord]:
        """Return the records of faults that no daemon reverted.

        Unreadable ones are set aside as `*.bad`. A draft is removed: its fault was never injected.
        """
        if not self.folder.is_dir():
            return []
        for draft in self.folder.glob(".*.draft"):
            draft.unlink(missing_ok=True)
        found = (self._read(path) for path in sorted(self.folder.glob("*.json")))
        return [record for record in found if record is not None]

    def set_aside(self, fault_id: str, reason: str) -> None:
        """Keep a record that cannot be used as `*.bad`, for a person to look at."""
        path = self._path(fault_id)
        log.error("the undo record %s cannot be used (%s); look whether its target is still broken", path, reason)
        path.replace(path.with_suffix(".bad"))

    def _read(self, path: Path) -> UndoRecord | None:
        try:
            document = json.loads(path.read_bytes())
            request = FaultRequest.model_validate(document["request"])
            record = UndoRecord(document["fault_id"], request, document.get("plan", {}))
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            self.set_aside(path.stem, str(error))
            return None
        if record.fault_id != path.stem or not isinstance(record.plan, dict):
            self.set_aside(path.stem, "its content does not fit its name")
            return None
        return record

    def _path(self, fault_id: str) -> Path:
        return self.folder / f"{fault_id}.json"
