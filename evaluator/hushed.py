"""What keeps people from being told: silences, and that somebody took an alert on."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from alerts.labels import readable_labels
from alerts.silence import Silence, read_silence, settled
from alerts.transition import Transition
from storage.acknowledgements import acknowledgements
from storage.client import Database
from storage.silences import save_silence, silences

log = logging.getLogger(__name__)


class Hushed:
    def __init__(self, database: Database) -> None:
        self._database = database

    def silences(self, alerts: Sequence[Transition], now: datetime) -> list[Silence]:
        """Return the silences that are not over at *now*; those that only lasted until *alerts* ended are ended here.

        Args:
            alerts: the last transition of each episode, those that ended lately among them.
            now: the present.
        """
        found = []
        for row in silences(self._database, since=now):
            silence = read_silence(row)
            if silence is None:
                continue
            if silence.until_resolved and _is_settled(silence, alerts, now):
                save_silence(self._database, replace(row, expired_at=now), now=now)
                log.info("silence %s is over: the alerts that it matches are resolved", row.id)
            else:
                found.append(silence)
        return found

    def acknowledged(self, alerts: Sequence[Transition]) -> frozenset[str]:
        """Return which of *alerts* fire and were taken on by somebody."""
        firing = {item.alert_id: item.started_at for item in alerts if item.state == "firing"}
        if not firing:
            return frozenset()
        taken = acknowledgements(self._database, since=min(firing.values()))
        return frozenset(row.alert_id for row in taken if row.alert_id in firing)


def _is_settled(silence: Silence, alerts: Sequence[Transition], now: datetime) -> bool:
    begun = [readable_labels(item) for item in alerts if item.state != "resolved"]
    ended = [readable_labels(item) for item in alerts if item.state == "resolved" and item.at >= silence.starts_at]
    return settled(silence, begun, now, ended=ended)
