"""The alerts that notifications are decided on: what fires, and what ended lately."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.errors import InvalidAlert
from alerts.labels import labels_of
from alerts.notification import Notification
from alerts.transition import Transition, readable
from storage.client import Database
from storage.notifications import told_transitions
from storage.transitions import latest_transitions, transitions

log = logging.getLogger(__name__)

ENDED_LATELY: Final = timedelta(days=1)
OVERLAP: Final = timedelta(minutes=10)  # clocks of evaluators differ, and what one decided may be stored later


class LiveAlerts:
    """Keeps the last transition of each episode; reads from the database what is new, and everything only once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: dict[str, Transition] = {}
        self._read_until: datetime | None = None

    def read(self, now: datetime, still_open: Collection[str] = ()) -> list[Transition]:
        """Return the last transition of each episode that is not over, ended lately, or is among *still_open*.

        Args:
            now: the present.
            still_open: ids of alerts whose end is awaited, whenever it came.
        """
        since = now - ENDED_LATELY
        if self._read_until is None:
            self._keep(latest_transitions(self._database))
        else:
            since = min(self._read_until, now) - OVERLAP
        self._keep(transitions(self._database, since=since))
        self._keep(told_transitions(self._database, sorted(set(still_open) - self._last.keys())))
        self._forget(now - ENDED_LATELY, still_open)
        self._read_until = now
        return list(self._last.values())

    def told_by(self, notifications: Iterable[Notification]) -> dict[tuple[str, int], Transition]:
        """Return the transitions that *notifications* tell of, by alert and sequence number."""
        wanted = {(told.alert_id, told.sequence) for item in notifications for told in item.alerts}
        found = {(item.alert_id, item.sequence): item for item in self._last.values()}
        missing = sorted({alert_id for alert_id, _ in wanted - found.keys()})
        for item in map(_labelled, readable(told_transitions(self._database, missing))):
            found[item.alert_id, item.sequence] = item
        return {key: found[key] for key in wanted & found.keys()}

    def _keep(self, bodies: Iterable[str]) -> None:
        for item in map(_labelled, readable(bodies)):
            last = self._last.get(item.alert_id)
            if last is None or last.sequence < item.sequence:
                self._last[item.alert_id] = item

    def _forget(self, before: datetime, still_open: Collection[str]) -> None:
        over = [item for item in self._last.values() if item.state == "resolved" and item.at < before]
        for item in over:
            if item.alert_id not in still_open:
                del self._last[item.alert_id]


def _labelled(item: Transition) -> Transition:
    """Return *item* without labels that receivers would refuse: it is told all the same."""
    try:
        labels_of(item)
    except InvalidAlert as error:
        log.warning("alert %s is told without the labels of its rule: %s", item.alert_id, error)
        return replace(item, labels=())
    return item
