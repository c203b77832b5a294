"""Transitions between the alert domain and the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerts.transition import Transition, readable
from storage import transitions as rows
from storage.client import Database

AlertKey = tuple[str, str]  # (rule, severity)


class AlertStore:
    """Stores what was decided.

    Args:
        writer: Names this process among several evaluators, and this start of it.

    Attributes:
        others_at: When another evaluator decided what the last `latest` found to be new; None when nothing was.
    """

    def __init__(self, database: Database, writer: str) -> None:
        self.others_at: datetime | None = None
        self._database = database
        self._writer = writer
        self._batch: int | None = None
        self._latest: dict[AlertKey, Transition] = {}

    def latest(self) -> Mapping[AlertKey, Transition]:
        """Return the last transition of each alert, read again only when someone else stored one."""
        batch = rows.last_transition_batch(self._database)
        self.others_at = None
        if batch != self._batch:
            # what is stored while they are read is then newer than its number says: the next append is refused
            bodies = rows.latest_transitions(self._database)
            found: dict[AlertKey, Transition] = {(item.rule, item.severity): item for item in readable(bodies)}
            if self._batch is not None:
                new = (item.at for key, item in found.items() if self._latest.get(key) != item)
                self.others_at = max(new, default=None)
            self._latest = found
            self._batch = batch
        return self._latest

    def append(self, transitions: Sequence[Transition], now: datetime) -> bool:
        """Store *transitions*, at least one, that were decided on what `latest` returned last.

        False, and nothing is stored, when another evaluator was first.
        """
        if self._batch is None:
            self.latest()
        after, self._batch = self._batch or 0, None  # until it is known what became of it
        batch = [_row(item) for item in transitions]
        if not rows.append_transitions(self._database, batch, writer=self._writer, after=after, now=now):
            return False
        self._latest |= {(item.rule, item.severity): item for item in transitions}
        self._batch = after + 1
        return True


def _row(transition: Transition) -> rows.TransitionRow:
    return rows.TransitionRow(
        alert_id=transition.alert_id,
        sequence=transition.sequence,
        slo_id=transition.slo_id,
        severity=transition.severity,
        state=transition.state,
        at=transition.at,
        body=transition.to_json(),
        rule=transition.rule,
    )
