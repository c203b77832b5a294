"""One message that is to be sent: decided and stored first, delivered after."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from alerts.errors import InvalidAlert
from alerts.transition import AlertState

Reason = Literal["firing", "more alerts", "fewer alerts", "resolved", "repeat", "test"]


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as a notification tells of it."""

    alert_id: str
    sequence: int
    state: AlertState


@dataclass(frozen=True, slots=True)
class Notification:
    """Message number `number` (from 1) of a group on a channel; `receiver` is the one that the channel belongs to."""

    channel: str
    receiver: str
    group_key: str
    group_labels: tuple[tuple[str, str], ...]
    number: int
    reason: Reason
    at: datetime
    alerts: tuple[Told, ...]

    @property
    def id(self) -> str:
        """Return its name, the same for whoever decides on it: the idempotency key of its message."""
        text = f"{self.channel}\0{self.group_key}\0{self.number}"
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def to_json(self) -> str:
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Notification":
        """Return the notification that `to_json` wrote.

        Raises:
            InvalidAlert: *text* is none.
        """
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise InvalidAlert(f"this is no stored notification: {error}") from error


_ADAPTER: Final = TypeAdapter(Notification)
