"""A token bucket that may be overdrawn once: what is spent is known only after it was let in."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """Lets in as long as something is left, and takes what it cost afterwards, if need be as a debt.

    Between any two moments at most `burst + rate_per_s * seconds` plus the one cost that overdrew is let in, so a
    request larger than the burst is not refused forever.

    Attributes:
        level: What is left, below 0 a debt.
        at: When *level* was right, in seconds of the caller's monotonic clock.
    """

    rate_per_s: float
    burst: float
    level: float
    at: float

    @classmethod
    def full(cls, rate_per_s: float, now: float) -> "Bucket":
        """Return a bucket whose burst is what one second brings, at least 1."""
        burst = max(1.0, rate_per_s)
        return cls(rate_per_s, burst, burst, now)

    def ready(self, now: float, wanted: float = 0.0) -> bool:
        """Return whether something is left, and at least *wanted* of it."""
        self._refill(now)
        return self.level > 0 and self.level >= wanted

    def spend(self, cost: float, now: float) -> None:
        self._refill(now)
        self.level -= cost

    def _refill(self, now: float) -> None:
        self.level = min(self.burst, self.level + max(0.0, now - self.at) * self.rate_per_s)
        self.at = max(self.at, now)
