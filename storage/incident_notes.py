"""What people wrote about incidents, as rows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class IncidentNoteRow:
    """A note on the incident that the alert *incident_id* opened."""

    incident_id: str
    at: datetime
    author: str
    text: str


def add_incident_note(database: Database, note: IncidentNoteRow) -> None:
    values = (note.incident_id, note.at, note.author, note.text)
    database.insert("incident_notes", [values], ["incident_id", "at", "author", "text"])


def incident_notes(
    database: Database, *, incident_ids: Collection[str] | None = None, since: datetime | None = None
) -> list[IncidentNoteRow]:
    """Return the notes since *since* (None: ever) on *incident_ids* (None: all), oldest first."""
    if incident_ids is not None and not incident_ids:
        return []
    parameters = {"ids": sorted(incident_ids or ()), "since": text(since or datetime.fromtimestamp(0, UTC))}
    return [IncidentNoteRow(**row) for row in database.rows("incident_notes", parameters)]
