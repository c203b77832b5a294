"""Answers that cost much, kept for a while: pages ask for them every few seconds."""

import threading
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_KEPT = 200


class Kept(Generic[T]):
    """One kind of answer, by what was asked. Thread-safe; callers do not make the same answer at once."""

    def __init__(self, duration: timedelta) -> None:
        self._duration = duration
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[datetime, T]] = {}

    def answer(self, asked: Hashable, now: datetime, make: Callable[[], T]) -> T:
        """Return the answer that was kept to *asked*, or what *make* returns when there is none or it is too old."""
        with self._lock:
            found = self._kept.get(asked)
            if found is None or now - found[0] > self._duration:
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                found = self._kept[asked] = (now, make())
            return found[1]
