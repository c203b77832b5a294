"""Delivers notifications: some threads for each channel, so that one that hangs delays neither another nor a tick."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.backoff import backoff
from alerts.channels.base import Channel
from alerts.delivery import DEADLINE, AttemptStore, DeliveryAttempt, DeliveryStatus, Parcel
from alerts.delivery_queue import CAPACITY, DeliveryQueue
from alerts.delivery_recorder import DeliveryRecorder
from alerts.errors import ChannelError
from alerts.message import Message
from alerts.notification import Notification

log = logging.getLogger(__name__)

THREADS: Final = 4


def _now() -> datetime:
    return datetime.now(UTC)


class Courier:
    """Delivers what it is offered at least once, or gives it up a day after it was decided.

    What it holds is in the store as well and comes back after a restart, with the same idempotency key. Everything is
    then tried once at once.

    Args:
        channels: as for `use`; each has a name of its own, and `send` is called by several threads at a time.
        store: where the outcome of each attempt goes; a notification is held until its last one is stored.
        threads: messages that are sent to a channel at the same time, at most.
        capacity: messages that wait for a channel, at most.
        clock: the time that attempts are stored with.
        wait: how long to wait after failed attempt number (from 1) of a message.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        store: AttemptStore,
        *,
        threads: int = THREADS,
        capacity: int = CAPACITY,
        clock: Callable[[], datetime] = _now,
        wait: Callable[[int, str], timedelta] = backoff,
    ) -> None:
        self._clock = clock
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._recorder = DeliveryRecorder(store, self._release)
        self._lanes: dict[str, _Lane] = {}
        self._options = (threads, capacity, wait)
        self.use(channels)

    def use(self, channels: Sequence[Channel]) -> None:
        """Send through *channels* from now on: what waits for one goes through that which has its name.

        What waits for one that is gone is not held any more: whoever offers it again hears that there is none.
        """
        threads, capacity, wait = self._options
        lanes: dict[str, _Lane] = {}
        for channel in channels:
            lane = self._lanes.pop(channel.name, None)
            if lane is None:
                queue = DeliveryQueue(channel.name, capacity=capacity, wait=wait)
                lane = _Lane(channel, queue, self._note, self._release_ids, threads)
            lane.channel = channel
            lanes[channel.name] = lane
        gone, self._lanes = self._lanes, lanes
        for lane in gone.values():
            lane.stop()

    def holds(self) -> frozenset[str]:
        """Return the ids of the notifications whose end is not stored yet."""
        with self._lock:
            return frozenset(self._held)

    def offer(self, notification: Notification, message: Message, attempts: int = 0) -> bool:
        """Take *notification*, the next one of its group, to deliver it; False when its channel has no room for it.

        Args:
            notification: stored before.
            message: what it says.
            attempts: how often that was tried before.
        """
        lane = self._lanes.get(notification.channel)
        if lane is None:
            self.refuse(notification, f"no channel is named {notification.channel!r} any more", attempts)
            return True
        if not self._hold(notification):
            return True
        left = notification.at + DEADLINE - self._clock()
        taken = lane.add(Parcel(notification, message, attempts), left.total_seconds())
        if not taken:
            self._release_ids([notification.id])
        return taken

    def refuse(self, notification: Notification, reason: str, attempts: int = 0) -> None:
        """Give *notification* up, for *reason*, without an attempt to send it."""
        if self._hold(notification):
            log.warning("%s is not told of a group of alerts: %s", notification.channel, reason)
            self._note(notification, attempts + 1, "dead", reason, 0)

    def worked_at(self) -> datetime:
        """Return until when every channel did all that was to do.

        It is now while messages are tried as they become due, whatever receivers answer, and falls behind once none of
        those that are due is tried any more.
        """
        now_s = time.monotonic()
        stalled_s = max((lane.stalled_s(now_s) for lane in list(self._lanes.values())), default=0.0)
        return self._clock() - timedelta(seconds=stalled_s)

    def stop(self, timeout_s: float) -> bool:
        """Send nothing more and store what came of what is being sent; False when that takes longer."""
        until = time.monotonic() + timeout_s
        for lane in self._lanes.values():
            lane.stop()
        ended = [lane.join(until - time.monotonic()) for lane in self._lanes.values()]
        return self._recorder.stop(max(until - time.monotonic(), 0.1)) and all(ended)

    def _hold(self, notification: Notification) -> bool:
        with self._lock:
            new = notification.id not in self._held
            self._held.add(notification.id)
        return new

    def _note(self, notification: Notification, attempt: int, status: DeliveryStatus, error: str, took_ms: int) -> None:
        made = DeliveryAttempt(notification.id, notification.channel, attempt, status, error, self._clock(), took_ms)
        self._recorder.add(made)

    def _release(self, stored: Sequence[DeliveryAttempt]) -> None:
        self._release_ids([attempt.notification_id for attempt in stored if attempt.settled])

    def _release_ids(self, ids: Sequence[str]) -> None:
        with self._lock:
            self._held.difference_update(ids)


class _Lane:
    """One channel: its queue, and up to *threads* threads that send what is due."""

    def __init__(
        self,
        channel: Channel,
        queue: DeliveryQueue,
        note: Callable[[Notification, int, DeliveryStatus, str, int], None],
        release: Callable[[Sequence[str]], None],
        threads: int,
    ) -> None:
        self.channel = channel
        self._queue = queue
        self._note = note
        self._release = release
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._moved_s = 0.0  # when an attempt began or ended last
        self._changed = threading.Condition()

    def add(self, parcel: Parcel, left_s: float) -> bool:
        with self._changed:
            now_s = time.monotonic()
            taken = not self._stopping and self._queue.add(parcel, now_s, now_s + left_s)
            if taken and len(self._threads) < min(len(self._queue), self._most):
                name = f"courier-{self.channel.name}-{len(self._threads) + 1}"
                self._threads.append(threading.Thread(target=self._run, name=name, daemon=True))
                self._threads[-1].start()
            self._changed.notify()
        return taken

    def stalled_s(self, now_s: float) -> float:
        """Return for how long nothing has moved although there is something to do, in seconds."""
        with self._changed:
            if self._queue.is_sending():
                return now_s - self._moved_s
            since_s = self._queue.pending_since_s(now_s)
            return 0.0 if since_s is None else now_s - max(since_s, self._moved_s)

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            waiting = self._queue.waiting()
        self._release(waiting)

    def join(self, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            began = time.monotonic()
            error = self._attempt(parcel.message)
            self._settle(parcel, error, round((time.monotonic() - began) * 1000))

    def _next(self) -> Parcel | None:
        """Return what is to be sent, as soon as there is something; None at the end."""
        with self._changed:
            while not self._stopping:
                now_s = time.monotonic()
                parcel = self._queue.take(now_s)
                if parcel is not None:
                    self._moved_s = now_s
                    return parcel
                at_s = self._queue.next_at_s()
                self._changed.wait(None if at_s is None else max(at_s - now_s, 0))
        return None

    def _attempt(self, message: Message) -> ChannelError | None:
        try:
            self.channel.send(message)
        except ChannelError as error:
            return error
        except Exception as error:
            log.exception("channel %s failed", self.channel.name)
            return ChannelError(f"{type(error).__name__}: {error}", permanent=False)
        return None

    def _settle(self, parcel: Parcel, error: ChannelError | None, took_ms: int) -> None:
        status: DeliveryStatus = "sent"
        with self._changed:
            attempt = self._queue.attempt_of(parcel)
            self._moved_s = time.monotonic()
            if error is None:
                self._queue.delivered(parcel, self._moved_s)
            else:
                status = "failed" if self._queue.failed(parcel, error, self._moved_s) else "dead"
            self._changed.notify_all()
        if status == "dead":
            log.warning("%s was not told of a group of alerts, for good: %s", self.channel.name, error)
        self._note(parcel.notification, attempt, status, "" if error is None else str(error), took_ms)
        if self._stopping and status == "failed":
            self._release([parcel.notification.id])
