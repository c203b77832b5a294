"""The retry budget (Finagle, Linkerd): retries stay a share of the requests, so that they cannot become the outage."""

from dataclasses import dataclass


@dataclass(slots=True)
class RetryBudget:
    """Allows `ratio` retries for each request and `per_s` more a second, saved up to `capacity` retries.

    Time is an argument, in seconds of any one clock.

    >>> budget = RetryBudget(ratio=0.5, per_s=1.0, capacity=2.0)
    >>> [budget.spend(0.0) for _ in range(3)]
    [True, True, False]
    >>> budget.earn(); budget.spend(0.0), budget.spend(0.5), budget.spend(0.5)
    (False, True, False)
    >>> budget.give_back(); budget.spend(0.5)
    True
    """

    ratio: float = 0.2
    per_s: float = 10.0
    capacity: float = 20.0
    _left: float | None = None
    _at: float = 0.0

    def earn(self) -> None:
        """Count a request that is no retry."""
        self._left = min(self.capacity, self._saved() + self.ratio)

    def spend(self, now: float) -> bool:
        """Take one retry and return True, or return False if none is left."""
        left = self._saved()
        if self._left is not None:
            left = min(self.capacity, left + self.per_s * max(0.0, now - self._at))
        self._at = now
        self._left = left - 1 if left >= 1 else left
        return left >= 1

    def give_back(self) -> None:
        """Return a retry that was taken and not needed."""
        self._left = min(self.capacity, self._saved() + 1)

    def _saved(self) -> float:
        return self.capacity if self._left is None else self._left
