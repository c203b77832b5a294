"""Earlier episodes of a rule, and what people noted of them."""

from dataclasses import dataclass
from datetime import datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class PastAlertRow:
    """The last transition of an episode as JSON, and the last note on the incident that it opened ("" none)."""

    body: str
    note: str


def past_alerts(
    database: Database, rule: str, *, since: datetime, without: str = "", limit: int = 5
) -> list[PastAlertRow]:
    """Return the newest *limit* episodes of *rule* that fired since *since*, but not the alert *without*."""
    parameters = {"rule": rule, "since": text(since), "alert_id": without, "limit": limit}
    return [PastAlertRow(row["body"], row["note"]) for row in database.rows("past_alerts", parameters)]
