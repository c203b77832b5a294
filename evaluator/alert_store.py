"""Transitions between the alert domain and the database; the outbox's store."""

from datetime import UTC, datetime, timedelta

from alerts.outbox import DeliveryStatus
from alerts.transition import Transition
from storage import transitions as rows
from storage.client import Database

TOLD_WITHIN = timedelta(days=7)  # older transitions are history, not news
SETTLED = frozenset({"sent", "dead", "skipped"})


class AlertStore:
    """Implements `alerts.outbox.DeliveryStore`.

    Args:
        writer: Names this process among several evaluators; it owns the transitions that it was first to store.
    """

    def __init__(self, database: Database, writer: str) -> None:
        self._database = database
        self._writer = writer

    def store(self, transition: Transition) -> bool:
        """Store *transition*; False when another evaluator was first."""
        row = rows.TransitionRow(
            alert_id=transition.alert_id,
            sequence=transition.sequence,
            slo_id=transition.slo_id,
            severity=transition.severity,
            state=transition.state,
            at=transition.at,
            body=transition.to_json(),
        )
        return rows.store_transition(self._database, row, writer=self._writer)

    def latest(self) -> list[Transition]:
        """Return the last transition of each SLO and severity."""
        return [Transition.from_json(body) for body in rows.latest_transitions(self._database)]

    def undelivered(self, channel: str) -> list[Transition]:
        since = datetime.now(UTC) - TOLD_WITHIN
        deliveries = rows.deliveries(self._database, channel, since=since)
        settled = {(item.alert_id, item.sequence) for item in deliveries if item.status in SETTLED}
        stored = [Transition.from_json(body) for body in rows.transitions(self._database, since=since)]
        return [item for item in stored if (item.alert_id, item.sequence) not in settled]

    def mark(
        self, transition: Transition, channel: str, status: DeliveryStatus, *, attempt: int, error: str, at: datetime
    ) -> None:
        rows.store_delivery(
            self._database,
            transition.alert_id,
            transition.sequence,
            channel,
            status=status,
            attempt=attempt,
            error=error[:1000],
            at=at,
        )
