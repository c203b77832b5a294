"""The dead-man's switch: a fault lives only as long as somebody keeps renewing its lease."""

from dataclasses import dataclass

MAX_LEASE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Lease:
    """A right to keep a fault up to `deadline_s`, on the clock of whoever granted it.

    >>> lease = Lease.grant(3000, now_s=10.0)
    >>> lease.remaining_ms(now_s=12.0)
    1000
    >>> lease.remaining_ms(now_s=99.0)
    0
    """

    lease_ms: int
    deadline_s: float

    @classmethod
    def grant(cls, lease_ms: int, *, now_s: float) -> "Lease":
        """Return a lease of *lease_ms* milliseconds.

        Raises:
            ValueError: *lease_ms* is not in 1..600000.
        """
        if not 0 < lease_ms <= MAX_LEASE_MS:
            raise ValueError(f"lease_ms is {lease_ms}; it must lie in 1..{MAX_LEASE_MS}, renew it for longer faults")
        return cls(lease_ms, now_s + lease_ms / 1000)

    def remaining_ms(self, *, now_s: float) -> int:
        return max(0, round((self.deadline_s - now_s) * 1000))
