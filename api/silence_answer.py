"""Silences between the database, the domain and the contract."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from alerts.silence import Silence, read_silence
from api import models as m
from storage.client import Database
from storage.silences import SilenceRow, silences


def stored_silences(database: Database, *, since: datetime | None = None) -> list[Silence]:
    """Return the silences that end after *since* (None: all), in order of their start."""
    found = (read_silence(row) for row in silences(database, since=since))
    return [silence for silence in found if silence is not None]


def silence_row(silence: Silence) -> SilenceRow:
    return SilenceRow(
        id=silence.id,
        matchers=tuple(matcher.text() for matcher in silence.matchers),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        author=silence.author,
        comment=silence.comment,
        until_resolved=silence.until_resolved,
        created_at=silence.created_at,
        expired_at=silence.expired_at,
    )


def silence_answer(silence: Silence, labels: Mapping[str, Mapping[str, str]], now: datetime) -> m.Silence:
    """Return what the API tells of *silence*; *labels* are those of the alerts that have not ended, by alert id."""
    over = silence.end <= now
    return m.Silence(
        id=silence.id,
        state="expired" if over else "active" if silence.active(now) else "pending",
        matchers=[matcher.text() for matcher in silence.matchers],
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        author=silence.author,
        comment=silence.comment,
        created_at=silence.created_at,
        until_resolved=silence.until_resolved,
        expired_at=silence.expired_at,
        alert_ids=[] if over else _matched(silence, labels.items()),
    )


def _matched(silence: Silence, labels: Iterable[tuple[str, Mapping[str, str]]]) -> list[str]:
    return sorted(alert_id for alert_id, found in labels if silence.matches(found))
