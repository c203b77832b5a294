"""Alert transitions as rows: what is in the bodies is the business of `alerts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.append_log import append, last_batch
from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One change of an alert; *body* is its JSON, *rule* the objective's id where it is none of its own."""

    alert_id: str
    sequence: int
    slo_id: str
    severity: str
    state: str
    at: datetime
    body: str
    rule: str = ""


def last_transition_batch(database: Database) -> int:
    """Return the number of the last batch of transitions; read it before the transitions that are decided on."""
    return last_batch(database, "alert_transitions")


def append_transitions(
    database: Database, rows: Sequence[TransitionRow], *, writer: str, after: int, now: datetime
) -> bool:
    """Store *rows*, at least one, as one batch; False, and nothing is stored, when another batch followed *after*."""
    columns = ["alert_id", "sequence", "slo_id", "rule", "severity", "state", "at", "body"]
    values = [
        (row.alert_id, row.sequence, row.slo_id, row.rule or row.slo_id, row.severity, row.state, row.at, row.body)
        for row in rows
    ]
    return append(database, "alert_transitions", values, columns, writer=writer, after=after, now=now)


def transitions(database: Database, *, since: datetime, alert_id: str = "") -> list[str]:
    """Return the bodies of transitions since *since*, oldest first."""
    return [row["body"] for row in database.rows("alert_transitions", {"since": text(since), "alert_id": alert_id})]


def latest_transitions(database: Database) -> list[str]:
    """Return the body of the last transition of each rule and severity."""
    return [row["body"] for row in database.rows("latest_transitions")]
