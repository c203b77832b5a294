"""Hands the outcomes of deliveries to their store: many in one insert, and again while the store is away."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from alerts.delivery import AttemptStore, DeliveryAttempt

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5
LONGEST_WAIT_S: Final = 10.0


class DeliveryRecorder:
    """Stores what is added at once, and what comes within the next half second together.

    While the store fails, the last outcome of each notification is kept, so that no more is kept than is on its way.

    Args:
        store: where outcomes go.
        stored: called with outcomes that are stored, in the recorder's thread.
        every_s: the shortest time between two inserts.
    """

    def __init__(
        self,
        store: AttemptStore,
        stored: Callable[[Sequence[DeliveryAttempt]], None],
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._store = store
        self._stored = stored
        self._every_s = every_s
        self._waiting: dict[str, list[DeliveryAttempt]] = {}
        self._failing = False
        self._stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="delivery-recorder", daemon=True)
        self._thread.start()

    def add(self, attempt: DeliveryAttempt) -> None:
        with self._changed:
            before = [] if self._failing else self._waiting.get(attempt.notification_id, [])
            self._waiting[attempt.notification_id] = [*before, attempt]
            self._changed.notify()

    def stop(self, timeout_s: float) -> bool:
        """Store what is left; False when that takes longer than *timeout_s*, or fails."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        wait_s = self._every_s
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                batch = [attempt for attempts in self._waiting.values() for attempt in attempts]
                self._waiting.clear()
            if not batch:
                return
            began = time.monotonic()
            self._failing = not self._succeeds(batch)
            if self._failing:
                self._put_back(batch)
                if self._stopping:
                    return
            wait_s = min(wait_s * 2, LONGEST_WAIT_S) if self._failing else self._every_s
            self._pause(wait_s - (time.monotonic() - began))

    def _succeeds(self, batch: Sequence[DeliveryAttempt]) -> bool:
        try:
            self._store.store(batch)
        except Exception as error:  # noqa: BLE001 - whatever the store raises, the outcomes must outlive it
            if not self._failing:
                log.warning("outcomes of deliveries cannot be stored yet: %s", str(error)[:300])
            return False
        self._stored(batch)
        return True

    def _put_back(self, batch: Sequence[DeliveryAttempt]) -> None:
        with self._changed:
            for attempt in batch:  # of each notification in order, so that the last one stays
                newer = self._waiting.get(attempt.notification_id)
                if newer is None or newer[-1].attempt <= attempt.attempt:
                    self._waiting[attempt.notification_id] = [attempt]

    def _pause(self, seconds: float) -> None:
        """Let more outcomes come; the end does not wait."""
        until = time.monotonic() + seconds
        with self._changed:
            while not self._stopping and (left_s := until - time.monotonic()) > 0:
                self._changed.wait(left_s)
