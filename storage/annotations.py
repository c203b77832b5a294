"""Annotations: things that happened, drawn over charts."""

from dataclasses import dataclass
from datetime import datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class Annotation:
    """`ended_at` None is still going on."""

    id: str
    kind: str
    title: str
    started_at: datetime
    ended_at: datetime | None
    services: list[str]
    url: str


def save_annotation(database: Database, annotation: Annotation, *, now: datetime) -> None:
    a = annotation
    row = (a.id, a.kind, a.title, a.started_at, a.ended_at, a.services, a.url, now)
    columns = ["id", "kind", "title", "started_at", "ended_at", "services", "url", "updated_at"]
    database.insert("annotations", [row], columns)


def annotations(database: Database, *, start: datetime, end: datetime) -> list[Annotation]:
    """Return what touches [start, end), oldest first."""
    return [Annotation(**row) for row in database.rows("annotations", {"start": text(start), "end": text(end)})]
