"""A message on its way, and what came of an attempt to deliver it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from alerts.message import Message
from alerts.notification import Notification

DeliveryStatus = Literal["sent", "failed", "dead"]
DEADLINE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A stored notification and its message; `attempts` were made before, by whoever had it then."""

    notification: Notification
    message: Message
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """Attempt number `attempt` (from 1), which ended at `at` after `took_ms`.

    `status`: "sent", "failed" is tried again, "dead" is not. `error` is "" of what was sent.
    """

    notification_id: str
    channel: str
    attempt: int
    status: DeliveryStatus
    error: str
    at: datetime
    took_ms: int

    @property
    def settled(self) -> bool:
        return self.status != "failed"


class AttemptStore(Protocol):
    """Where the outcomes of attempts are kept."""

    def store(self, attempts: Sequence[DeliveryAttempt]) -> None:
        """Keep *attempts*; what it raises has them offered again later."""
