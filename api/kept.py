"""Answers that cost much, kept for a while: pages ask for them every few seconds."""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_KEPT = 200


@dataclass(slots=True)
class _Place(Generic[T]):
    """Where one answer is kept; its lock is held while the answer is made."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: tuple[datetime, T] | None = None


class Kept(Generic[T]):
    """One kind of answer, by what was asked. Thread-safe: the same answer is not made twice at once, others are."""

    def __init__(self, duration: timedelta) -> None:
        self._duration = duration
        self._lock = threading.Lock()
        self._places: dict[Hashable, _Place[T]] = {}

    def answer(self, asked: Hashable, now: datetime, make: Callable[[], T]) -> T:
        """Return the answer that was kept to *asked*, or what *make* returns when there is none or it is too old."""
        place = self._place(asked)
        with place.lock:
            if place.kept is None or now - place.kept[0] > self._duration:
                place.kept = (now, make())
            return place.kept[1]

    def _place(self, asked: Hashable) -> _Place[T]:
        with self._lock:
            if asked not in self._places and len(self._places) >= MOST_KEPT:
                self._places.clear()  # whoever waits at one of them still gets its answer
            return self._places.setdefault(asked, _Place())
