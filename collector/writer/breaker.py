"""The circuit breaker in front of the database: after repeated failures nobody calls it for a while."""

import threading
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half-open"]

POLL_S = 0.1  # how soon to ask again while another caller's probe is under way


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """What a person should know about the breaker.

    Attributes:
        for_s: Seconds since it entered its state; a probe that fails does not start them anew.
        failures: Failures in a row.
        last_error: Of the last failure; "" after a success.
    """

    state: State
    for_s: float
    failures: int
    last_error: str


class Breaker:
    """Closed, open or half-open (circuit breaker pattern, M. Nygard, "Release It!"). Thread-safe.

    Every call that `allow` admits has to be followed by one of `succeeded`, `failed` or `released`. Times (`now`) are
    seconds of one monotonic clock.

    Args:
        failures_to_open: So many failures in a row open it.
        first_pause_s: How long it stays open at first; doubled each time the probe fails.
        longest_pause_s: Where the doubling ends.
    """

    def __init__(self, *, failures_to_open: int = 3, first_pause_s: float = 0.5, longest_pause_s: float = 30.0) -> None:
        self._failures_to_open = failures_to_open
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._lock = threading.Lock()
        self._state: State = "closed"
        self._failures = 0
        self._pause_s = 0.0
        self._opened_at = 0.0
        self._changed_at: float | None = None
        self._last_error = ""

    def allow(self, now: float) -> bool:
        """Return whether the caller may call the database; when half-open, one caller at a time probes."""
        with self._lock:
            if self._state == "open" and self._rest_s(now) <= 0:
                self._state = "half-open"
                return True
            return self._state == "closed"

    def retry_in_s(self, now: float) -> float:
        """Return how long to wait before `allow` is worth another question."""
        with self._lock:
            return {"closed": 0.0, "open": max(0.0, self._rest_s(now)), "half-open": POLL_S}[self._state]

    def succeeded(self, now: float) -> None:
        """Close: the database answered."""
        with self._lock:
            if self._state != "closed":
                self._changed_at = now
            self._state, self._failures, self._pause_s, self._last_error = "closed", 0, 0.0, ""

    def failed(self, now: float, error: str) -> None:
        """Count a failure; one of a call that began before the breaker opened does not prolong the pause."""
        with self._lock:
            self._last_error = error
            self._failures += 1
            if self._state == "open" or (self._state == "closed" and self._failures < self._failures_to_open):
                return
            if self._state == "closed":
                self._changed_at = now
            self._state, self._opened_at = "open", now
            self._pause_s = min(self._longest_pause_s, self._pause_s * 2 or self._first_pause_s)

    def released(self, now: float) -> None:
        """Give the turn back: the call ended without saying anything about the database."""
        with self._lock:
            if self._state == "half-open":
                self._state, self._opened_at = "open", now - self._pause_s

    def status(self, now: float) -> BreakerStatus:
        with self._lock:
            since = now if self._changed_at is None else self._changed_at
            return BreakerStatus(self._state, now - since, self._failures, self._last_error)

    def _rest_s(self, now: float) -> float:
        return self._opened_at + self._pause_s - now
