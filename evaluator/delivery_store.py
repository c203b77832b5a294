"""Attempts of deliveries between the alert domain and the database."""

from collections.abc import Sequence

from alerts.delivery import DeliveryAttempt
from storage.client import Database
from storage.delivery_attempts import AttemptRow, store_attempts


class DeliveryStore:
    """Implements `alerts.delivery.AttemptStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, attempts: Sequence[DeliveryAttempt]) -> None:
        rows = [
            AttemptRow(item.notification_id, item.attempt, item.channel, item.status, item.error, item.at, item.took_ms)
            for item in attempts
        ]
        store_attempts(self._database, rows)
