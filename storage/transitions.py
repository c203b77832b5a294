"""Alert transitions as rows: what is in the bodies is the business of `alerts`."""

from dataclasses import dataclass
from datetime import datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One state change; *body* is its JSON."""

    alert_id: str
    sequence: int
    slo_id: str
    severity: str
    state: str
    at: datetime
    body: str


def store_transition(database: Database, row: TransitionRow, *, writer: str) -> bool:
    """Store *row* unless another writer was first. True when *writer* owns the transition.

    Compare and set: the token `<alert>:<sequence>` lets one of several inserts through, and the row that is read back
    names its writer.
    """
    columns = ["alert_id", "sequence", "slo_id", "severity", "state", "at", "writer", "body"]
    values = (row.alert_id, row.sequence, row.slo_id, row.severity, row.state, row.at, writer, row.body)
    database.insert("alert_transitions", [values], columns, token=f"{row.alert_id}:{row.sequence}")
    found = database.rows("transition_owner", {"alert_id": row.alert_id, "sequence": row.sequence})
    return bool(found) and found[0]["writer"] == writer


def transitions(database: Database, *, since: datetime, alert_id: str = "") -> list[str]:
    """Return the bodies of transitions since *since*, oldest first."""
    return [row["body"] for row in database.rows("alert_transitions", {"since": text(since), "alert_id": alert_id})]


def latest_transitions(database: Database) -> list[str]:
    """Return the body of the last transition of each SLO and severity."""
    return [row["body"] for row in database.rows("latest_transitions")]
