import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from chaos.files import write_durably
from chaos.wire import FaultRequest


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """What a restarted daemon needs to revert a fault that it finds half done."""

    fault_id: str
    request: FaultRequest


@dataclass(frozen=True, slots=True)
class UndoRecords:
    """The write-ahead log of faults: one file a fault, on disk before the fault is injected."""

    folder: Path

    def write(self, record: UndoRecord) -> None:
        """Store *record* so that it survives kill -9 and a power cut."""
        document = {"fault_id": record.fault_id, "request": record.request.model_dump(mode="json")}
        write_durably(self._path(record.fault_id), json.dumps(document).encode())

    def clear(self, fault_id: str) -> None:
        """Forget a reverted fault; an unknown one is already forgotten."""
        self._path(fault_id).unlink(missing_ok=True)

    def leftovers(self) -> list[UndoRecord]:
        """Return the records of faults that no daemon reverted. Unreadable ones are set aside as `*.bad`."""
        if not self.folder.is_dir():
            return []
        found = (self._read(path) for path in sorted(self.folder.glob("*.json")))
        return [record for record in found if record is not None]

    def _read(self, path: Path) -> UndoRecord | None:
        try:
            document = json.loads(path.read_bytes())
            return UndoRecord(document["fault_id"], FaultRequest.model_validate(document["request"]))
        except (ValueError, KeyError, TypeError, ValidationError):
            path.replace(path.with_suffix(".bad"))
            return None

    def _path(self, fault_id: str) -> Path:
        return self.folder / f"{fault_id}.json"
