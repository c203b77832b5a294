"""What was known of an alert's cause when it fired, and the page that shows it: written once, read for 400 days."""

from collections.abc import Collection
from datetime import datetime

from storage.client import Database


def save_evidence(database: Database, alert_id: str, body: str, page: str, *, at: datetime) -> None:
    """Store the evidence of an alert as JSON, and its page; what was gathered later replaces it."""
    database.insert("alert_evidence", [(alert_id, at, body, page)], ["alert_id", "at", "body", "page"])


def evidence(database: Database, alert_id: str) -> tuple[str, str] | None:
    """Return the JSON and the page of an alert, None where nothing was gathered (yet)."""
    found = database.rows("alert_evidence", {"alert_id": alert_id})
    return (found[0]["body"], found[0]["page"]) if found else None


def evidence_bodies(database: Database, alert_ids: Collection[str]) -> dict[str, str]:
    """Return the JSON of each of *alert_ids* that has one."""
    if not alert_ids:
        return {}
    rows = database.rows("alert_evidence_bodies", {"alert_ids": sorted(set(alert_ids))})
    return {row["alert_id"]: row["body"] for row in rows}


def exemplar_traces_of(database: Database, alert_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the ids of the traces in the evidence of each of *alert_ids* that has some, the most telling first."""
    if not alert_ids:
        return {}
    rows = database.rows("alert_exemplars", {"alert_ids": sorted(set(alert_ids))})
    return {row["alert_id"]: list(row["traces"]) for row in rows if row["traces"]}
