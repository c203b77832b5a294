"""The circuit breaker (Nygard, "Release It!"): stop asking a service that keeps failing, and try again later."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class CircuitBreaker:
    """Opens when `failures` of the last `window` calls failed; every `open_s` seconds it then lets one call try.

    Time is an argument, in seconds of any one clock.

    >>> breaker = CircuitBreaker(window=4, failures=2, open_s=3.0)
    >>> breaker.record(ok=False, now=0.0), breaker.record(ok=False, now=0.0)
    (False, True)
    >>> breaker.state(1.0), breaker.allows(1.0)
    ('open', False)
    >>> breaker.state(3.0), breaker.allows(3.0), breaker.allows(3.1)
    ('half_open', True, False)
    >>> breaker.record(ok=True, now=3.2)
    False
    >>> breaker.state(3.2)
    'closed'
    """

    window: int = 10
    failures: int = 5
    open_s: float = 3.0
    _outcomes: deque[bool] = field(default_factory=deque)
    _tried_at: float | None = None
    """When the breaker opened or last let a call try; None while it is closed."""

    def state(self, now: float) -> BreakerState:
        """Return "half_open" where the next call may try whether the service is back."""
        if self._tried_at is None:
            return "closed"
        return "half_open" if now - self._tried_at >= self.open_s else "open"

    def allows(self, now: float) -> bool:
        """Tell whether a call may be made now. A True while half open is the one try: the next is `open_s` later."""
        state = self.state(now)
        if state == "half_open":
            self._tried_at = now  # and not when it ends: a try whose outcome is never told must not block the next
        return state != "open"

    def record(self, *, ok: bool, now: float) -> bool:
        """Count the outcome of a call and return whether the breaker opened by it."""
        if self._tried_at is not None:
            self._tried_at = None if ok else now
            self._outcomes.clear()
            return False
        self._outcomes.append(ok)
        if len(self._outcomes) > self.window:
            self._outcomes.popleft()
        if self._outcomes.count(False) < self.failures:
            return False
        self._tried_at = now
        return True
