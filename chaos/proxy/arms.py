"""Which requests of a run are treated and which are its control, from the trace id alone.

The stored spans are split by the same rule in SQL, so the arms can be counted without the help of any service.
"""

import hashlib
import re
from fractions import Fraction
from math import ceil
from typing import Final, Literal

Arm = Literal["control", "treatment"]

POINTS: Final = 2**64

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)


def point(seed: str, trace_id: str) -> int:
    """Return where a trace lies among the `POINTS`: the first 8 bytes of MD5(seed + trace id), big-endian.

    >>> point("abc", "4bf92f3577b34da6a3ce929d0e0e4736") / POINTS
    0.6250996516170771
    """
    digest = hashlib.md5((seed + trace_id).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8])


def arm_of(trace_id: str, *, seed: str, share: float) -> Arm | None:
    """Return the arm of a trace, None for one that the run leaves alone.

    With u = point / 2**64: treatment is u < share, control is share <= u < 2 * share. The borders are worked out as
    integers: a float would round points near them into the other arm, and the stored spans are counted exactly.

    Args:
        trace_id: 32 lower-case hex characters.
        seed: the run's seed.
        share: part of all traces that each arm gets, 0..0.5.

    Raises:
        ValueError: *share* is not in 0..0.5, so that the arms would overlap.

    >>> arm_of("4bf92f3577b34da6a3ce929d0e0e4736", seed="abc", share=0.5)
    'control'
    >>> arm_of("4bf92f3577b34da6a3ce929d0e0e4736", seed="abc", share=0.3) is None
    True
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f"share is {share}; it must lie in 0..0.5, since control and treatment get as much each")
    found = point(seed, trace_id)
    if found < _border(share):
        return "treatment"
    return "control" if found < _border(2 * share) else None  # doubling a float is exact


def _border(share: float) -> int:
    """Return the first point that lies beyond *share* of them all."""
    return ceil(Fraction(share) * POINTS)


def trace_id_of(traceparent: str) -> str | None:
    """Return the trace id of a W3C `traceparent` header, None when the header is not valid.

    >>> trace_id_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> trace_id_of("00-00000000000000000000000000000000-00f067aa0ba902b7-01") is None
    True
    """
    found = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if found is None:
        return None
    version, trace_id, parent_id, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return trace_id
