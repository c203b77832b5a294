"""What the delivery log last said of each channel."""

from dataclasses import dataclass
from datetime import datetime

from storage.client import Database


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """When a message last reached `channel`, when one last failed, and why; None and "": never."""

    channel: str
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str


def channel_health(database: Database) -> dict[str, ChannelHealth]:
    """Return every channel that something was sent to, by its name."""
    return {row["channel"]: ChannelHealth(**row) for row in database.rows("channel_health")}
