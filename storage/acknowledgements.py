"""Acknowledgements of alerts, as rows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class AcknowledgementRow:
    """Who took which alert on, when and how; *token_digest* is "" but for a link that was used."""

    alert_id: str
    at: datetime
    author: str
    comment: str
    via: str
    token_digest: str = ""


def acknowledge(database: Database, row: AcknowledgementRow) -> None:
    values = (row.alert_id, row.at, row.author, row.comment, row.via, row.token_digest)
    columns = ["alert_id", "at", "author", "comment", "via", "token_digest"]
    database.insert("acknowledgements", [values], columns)


def acknowledgements(
    database: Database, *, alert_ids: Collection[str] | None = None, since: datetime | None = None
) -> list[AcknowledgementRow]:
    """Return the acknowledgements since *since* (None: ever) of *alert_ids* (None: all), oldest first."""
    if alert_ids is not None and not alert_ids:
        return []
    parameters = {"ids": sorted(alert_ids or ()), "since": text(since or datetime.fromtimestamp(0, UTC))}
    return [AcknowledgementRow(**row) for row in database.rows("acknowledgements", parameters)]


def link_was_used(database: Database, token_digest: str) -> bool:
    """Return whether an acknowledgement came by the link whose token has this digest."""
    return bool(database.rows("acknowledgement_of_link", {"token_digest": token_digest}))
