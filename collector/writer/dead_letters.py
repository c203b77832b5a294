"""Dead letters: acknowledged requests that could not be stored, kept with the reason until somebody sends them again.

A letter is two files: `<signal>-<segment>-<offset>.pb`, the request's protobuf bytes as they were in the spool, and a
note beside it, `.json`. Nothing here is ever deleted but by `discard`.
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector.spool.segment import sync_folder

FOLDER = "dead-letter"  # in the data folder
LONGEST_REASON = 2000
SETTLED_S = 1.0  # a folder that changed later than this may change again within one tick of its clock


@dataclass(frozen=True, slots=True)
class Letter:
    """One request that was put aside.

    Attributes:
        items: Spans, data points or log records in it; None when they could not be counted.
        size_bytes: Of the request; 0 when its bytes are gone from the disk.
        path: Of the request's bytes.
    """

    signal: str
    at: datetime
    items: int | None
    size_bytes: int
    reason: str
    path: Path


class DeadLetters:
    """The folder of one data folder's dead letters, of all signals. Several writers may bury at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._counted: tuple[int, dict[str, int]] = (-1, {})

    def bury(
        self, signal: str, segment_id: str, offset: int, body: bytes, reason: str, *, items: int | None
    ) -> Letter | None:
        """Put *body* aside, synced; None when this place of this segment was buried before a crash or a retry.

        Raises:
            OSError: nothing is lost, the segment still holds the request; try again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{signal}-{segment_id}-{offset}.pb"
        if _note_of(path).exists():
            return None
        at = datetime.now(UTC)
        note = {"signal": signal, "items": items, "reason": reason[:LONGEST_REASON], "at": at.isoformat()}
        _write(path, body)
        _write(_note_of(path), json.dumps(note).encode())  # last: a letter with its note is whole
        sync_folder(self.folder)
        return Letter(signal, at, items, len(body), reason[:LONGEST_REASON], path)

    def letters(self) -> list[Letter]:
        """Return every letter, the oldest first; one whose note is damaged is listed too."""
        found = [letter for path in self._paths() if (letter := read_letter(path)) is not None]
        return sorted(found, key=lambda letter: (letter.at, letter.path))

    def count(self, signal: str) -> int:
        """Return how many letters *signal* has; cheap enough to be asked every second."""
        try:
            changed_ns = self.folder.stat().st_mtime_ns
        except OSError:
            return 0  # there is no folder yet, or none that can be read
        if changed_ns != self._counted[0]:
            found: dict[str, int] = {}
            for path in self._paths():
                name = path.name.partition("-")[0]
                found[name] = found.get(name, 0) + 1
            settled = time.time_ns() - changed_ns > SETTLED_S * 1e9
            self._counted = (changed_ns if settled else -1, found)
        return self._counted[1].get(signal, 0)

    def size_bytes(self) -> int:
        """Return what all letters take on disk, without their notes."""
        return sum(letter.size_bytes for letter in self.letters())

    def discard(self, letter: Letter) -> None:
        """Remove a letter that was stored after all."""
        letter.path.unlink(missing_ok=True)
        _note_of(letter.path).unlink(missing_ok=True)
        sync_folder(letter.path.parent)

    def _paths(self) -> list[Path]:
        return list(self.folder.glob("*.pb"))


def read_letter(path: Path) -> Letter | None:
    """Return the letter whose bytes or note lie at *path*, or None when there are no bytes (any more)."""
    path = path.with_suffix(".pb")
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    try:
        note = json.loads(_note_of(path).read_bytes())
        return Letter(
            note["signal"], datetime.fromisoformat(note["at"]), note["items"], stat.st_size, note["reason"], path
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"the note beside it cannot be read: {type(error).__name__}"
        at = datetime.fromtimestamp(stat.st_mtime, UTC)
        return Letter(path.name.partition("-")[0], at, None, stat.st_size, reason, path)


def _note_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _write(path: Path, content: bytes) -> None:
    """Write *content* under its name only when all of it is on disk."""
    draft = path.with_name(path.name + ".tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
