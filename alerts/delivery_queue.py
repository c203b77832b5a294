"""What one channel has still to deliver: groups side by side, the messages of a group one after the other.

Pure: seconds of any clock that does not go back come in as arguments, so that a day of failures is tested in a moment.
"""

import heapq
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from alerts.backoff import backoff
from alerts.delivery import Parcel
from alerts.errors import ChannelError

CAPACITY: Final = 10_000
DOWN_AFTER: Final = 8  # failures in a row: of a receiver that fails a third of the time, one row in 6,000
LONGEST_PAUSE_S: Final = 30.0
LONGEST_RETRY_AFTER_S: Final = 3600.0


class DeliveryQueue:
    """Messages of one channel, each to be delivered or given up.

    A channel that failed several times in a row is down: it is tried with one message at a time, and pauses in
    between, until one is delivered. So it costs a timeout a pause, however many messages wait.

    Args:
        channel: its name, which keeps its retries apart in time from those of others.
        capacity: most messages that wait here; what is beyond stays with the one who offers it.
        wait: how long to wait after failed attempt number (from 1) of a message.
    """

    def __init__(
        self, channel: str, *, capacity: int = CAPACITY, wait: Callable[[int, str], timedelta] = backoff
    ) -> None:
        self._channel = channel
        self._capacity = capacity
        self._wait = wait
        self._groups: dict[str, deque[tuple[Parcel, float]]] = {}  # each with the second of its deadline
        self._due: list[tuple[float, int, str]] = []  # heap: when each group that is not being sent goes on
        self._turn = 0  # equal times in the order of their coming
        self._attempts: dict[str, int] = {}  # that failed, of everything that waits
        self._sending: set[str] = set()
        self._failures = 0  # in a row
        self._paused_until = 0.0

    def __len__(self) -> int:
        return len(self._attempts)

    def add(self, parcel: Parcel, now_s: float, deadline_s: float) -> bool:
        """Take *parcel*, to be sent behind those of its group; False when there is no room.

        Args:
            parcel: the next message of its group.
            now_s: the present.
            deadline_s: when it is given up if it still fails; an attempt is made even if that is over.
        """
        if len(self) >= self._capacity:
            return False
        key = parcel.notification.group_key
        self._attempts[parcel.notification.id] = parcel.attempts
        if key in self._groups:
            self._groups[key].append((parcel, deadline_s))
        else:
            self._groups[key] = deque([(parcel, deadline_s)])
            self._schedule(key, now_s)
        return True

    def next_at_s(self) -> float | None:
        """Return when there is something to take, None if only an outcome or a new message can change that."""
        if not self._due or (self._is_down and self._sending):
            return None
        return max(self._due[0][0], self._paused_until)

    def pending_since_s(self, now_s: float) -> float | None:
        """Return since when something could be taken that nobody took, None while there is nothing."""
        if not self._due:
            return None
        since_s = max(self._due[0][0], self._paused_until)
        return since_s if since_s <= now_s else None

    def is_sending(self) -> bool:
        return bool(self._sending)

    def take(self, now_s: float) -> Parcel | None:
        """Return a message to send now; its group waits until `delivered`, `failed` or `refused` is said of it."""
        at = self.next_at_s()
        if at is None or at > now_s:
            return None
        _, _, key = heapq.heappop(self._due)
        parcel, _ = self._groups[key][0]
        self._sending.add(parcel.notification.id)
        return parcel

    def waiting(self) -> list[str]:
        """Return the ids of the messages that are not being sent."""
        return [name for name in self._attempts if name not in self._sending]

    def attempt_of(self, parcel: Parcel) -> int:
        """Return the number of the attempt that is made or comes next, from 1."""
        return self._attempts[parcel.notification.id] + 1

    def delivered(self, parcel: Parcel, now_s: float) -> None:
        self._failures, self._paused_until = 0, 0.0
        self._finish(parcel, now_s)

    def failed(self, parcel: Parcel, error: ChannelError, now_s: float) -> bool:
        """Return whether *parcel* is tried again; otherwise it is given up."""
        if error.permanent:  # the receiver is there, and answered
            self.delivered(parcel, now_s)
            return False
        attempts = self.attempt_of(parcel)
        asked_s = min(max(error.retry_after_s or 0.0, 0.0), LONGEST_RETRY_AFTER_S)
        wait_s = max(self._wait(attempts, f"{self._channel}\0{parcel.notification.id}").total_seconds(), asked_s)
        self._note_failure(asked_s, now_s)
        key = parcel.notification.group_key
        if now_s + wait_s > self._groups[key][0][1]:
            self._finish(parcel, now_s)
            return False
        self._attempts[parcel.notification.id] = attempts
        self._sending.remove(parcel.notification.id)
        self._schedule(key, now_s + wait_s)
        return True

    @property
    def _is_down(self) -> bool:
        return self._failures >= DOWN_AFTER

    def _note_failure(self, asked_s: float, now_s: float) -> None:
        self._failures += 1
        if self._is_down:
            rows = self._failures - DOWN_AFTER + 1
            pause_s = self._wait(rows, self._channel).total_seconds()
            self._paused_until = now_s + min(max(pause_s, asked_s), LONGEST_PAUSE_S)

    def _finish(self, parcel: Parcel, now_s: float) -> None:
        key = parcel.notification.group_key
        del self._attempts[parcel.notification.id]
        self._sending.remove(parcel.notification.id)
        self._groups[key].popleft()
        if self._groups[key]:
            self._schedule(key, now_s)
        else:
            del self._groups[key]

    def _schedule(self, key: str, at_s: float) -> None:
        self._turn += 1
        heapq.heappush(self._due, (at_s, self._turn, key))
