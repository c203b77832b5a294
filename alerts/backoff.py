"""How long to wait before trying again."""

import hashlib
from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(minutes=5)


def backoff(attempt: int, key: str) -> timedelta:
    """Return the wait after failed *attempt* (from 1): doubling from 5 s to 5 min, of which 50 to 100 % is waited.

    The share comes from *key* and *attempt*, so that many deliveries that failed together do not come back together,
    and the same delivery always waits alike.
    """
    doublings = min(attempt - 1, 20)  # far past the longest wait, and short of an overflow
    full = min(FIRST * (1 << doublings), LONGEST)
    digest = hashlib.blake2b(f"{key}\0{attempt}".encode(), digest_size=4).digest()
    return full * (0.5 + int.from_bytes(digest) / 2**33)
