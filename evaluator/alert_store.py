"""Transitions between the alert domain and the database."""

from alerts.transition import Transition
from storage import transitions as rows
from storage.client import Database


class AlertStore:
    """Stores what was decided.

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
