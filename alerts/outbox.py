"""Delivering stored transitions to every channel, at least once, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from alerts.backoff import backoff
from alerts.channels.base import Channel
from alerts.errors import ChannelError
from alerts.message import Links, message_of
from alerts.transition import Transition

DeliveryStatus = Literal["sent", "failed", "dead", "skipped"]
STALE_AFTER: Final = timedelta(days=1)


class DeliveryStore(Protocol):
    """Where transitions and their deliveries are kept."""

    def undelivered(self, channel: str) -> list[Transition]:
        """Return the transitions whose last status for *channel* is "failed" or that have none."""

    def mark(
        self, transition: Transition, channel: str, status: DeliveryStatus, *, attempt: int, error: str, at: datetime
    ) -> None:
        """Store the outcome of *attempt* (from 1; 0 for "skipped", which tried nothing)."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one round came to, over all channels."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    skipped: int = 0

    def __add__(self, other: "DeliveryReport") -> "DeliveryReport":
        return DeliveryReport(
            self.sent + other.sent,
            self.failed + other.failed,
            self.dead + other.dead,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True, slots=True)
class _Failure:
    attempts: int
    try_again_at: datetime


class Outbox:
    """Sends what the store holds. Waiting times are kept in memory: a restart tries everything once at once."""

    def __init__(self, channels: Sequence[Channel], store: DeliveryStore, external_url: str = "") -> None:
        self._channels = tuple(channels)
        self._store = store
        self._external_url = external_url
        self._failures: dict[tuple[str, str], _Failure] = {}

    def deliver(self, now: datetime) -> DeliveryReport:
        """Try what is due on every channel; a channel that fails stops no other."""
        return sum((self._deliver_to(channel, now) for channel in self._channels), DeliveryReport())

    def _deliver_to(self, channel: Channel, now: datetime) -> DeliveryReport:
        waiting = sorted(self._store.undelivered(channel.name), key=lambda item: (item.at, item.sequence))
        history = self._history(channel, waiting, now)
        blocked: set[str] = set()  # alerts with an earlier transition that is still to be sent
        report = DeliveryReport()
        for transition in waiting:
            if transition.alert_id in blocked:
                continue
            if transition.fired_at is None or transition.alert_id in history:
                self._settle(channel, transition, "skipped", "", now)
                report += DeliveryReport(skipped=1)
                continue
            outcome = self._attempt(channel, transition, now)
            report += outcome
            if outcome.failed:
                break  # one that does not answer costs one timeout a round, not one for every message
            if not outcome.sent and not outcome.dead:
                blocked.add(transition.alert_id)
        return report

    def _history(self, channel: Channel, waiting: list[Transition], now: datetime) -> set[str]:
        """Return the alerts that began and ended untold, too long ago to be news: what a new channel finds.

        An alert that still fires is told however old it is, and so is the end of one whose firing was told or tried.
        """
        ended = {item.alert_id for item in waiting if item.state == "resolved" and now - item.at > STALE_AFTER}
        untold = {
            item.alert_id for item in waiting if item.state == "firing" and _key(channel, item) not in self._failures
        }
        return ended & untold

    def _attempt(self, channel: Channel, transition: Transition, now: datetime) -> DeliveryReport:
        """Send *transition* if it is due; an empty report means that it is not."""
        failure = self._failures.get(_key(channel, transition))
        if failure is not None and now < failure.try_again_at:
            return DeliveryReport()
        try:
            channel.send(message_of(transition, channel.name, Links(self._external_url)))
        except ChannelError as error:
            return self._failed(channel, transition, str(error), now, permanent=error.permanent)
        except Exception as error:  # noqa: BLE001 - a fault in one channel must not silence the others
            return self._failed(channel, transition, f"{type(error).__name__}: {error}", now, permanent=False)
        self._settle(channel, transition, "sent", "", now)
        return DeliveryReport(sent=1)

    def _failed(
        self, channel: Channel, transition: Transition, reason: str, now: datetime, *, permanent: bool
    ) -> DeliveryReport:
        if permanent:
            self._settle(channel, transition, "dead", reason, now)
            return DeliveryReport(dead=1)
        attempts = self._attempts(channel, transition) + 1
        wait = backoff(attempts, f"{channel.name}\0{transition.idempotency_key}")
        self._failures[_key(channel, transition)] = _Failure(attempts, now + wait)
        self._store.mark(transition, channel.name, "failed", attempt=attempts, error=reason, at=now)
        return DeliveryReport(failed=1)

    def _settle(
        self, channel: Channel, transition: Transition, status: DeliveryStatus, reason: str, now: datetime
    ) -> None:
        attempt = 0 if status == "skipped" else self._attempts(channel, transition) + 1
        self._store.mark(transition, channel.name, status, attempt=attempt, error=reason, at=now)
        self._failures.pop(_key(channel, transition), None)

    def _attempts(self, channel: Channel, transition: Transition) -> int:
        failure = self._failures.get(_key(channel, transition))
        return 0 if failure is None else failure.attempts


def _key(channel: Channel, transition: Transition) -> tuple[str, str]:
    return channel.name, transition.idempotency_key
