"""Which requests are counted: those of a stretch of time, and of one arm of an experiment in it."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any, Final, Literal

from storage.times import text

Arm = Literal["control", "treatment"]

POINTS: Final = 2**64
MOST_SHARE: Final = 0.5  # two arms of the same size


@dataclass(frozen=True, slots=True)
class Points:
    """Traces whose point lies from *first* to *last*, both included; see the SQL function `trace_point`."""

    seed: str = ""
    first: int = 0
    last: int = POINTS - 1

    @property
    def every(self) -> bool:
        return self.first == 0 and self.last == POINTS - 1


EVERY_TRACE: Final = Points()


@dataclass(frozen=True, slots=True)
class Selection:
    """Requests that started in [start, end). *environment* and *version* None count all of them."""

    start: datetime
    end: datetime
    environment: str | None = None
    version: str | None = None
    points: Points = EVERY_TRACE

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of queries over selected requests."""
        return {
            "start": text(self.start),
            "end": text(self.end),
            "any_environment": self.environment is None,
            "environment": self.environment or "",
            "any_version": self.version is None,
            "version": self.version or "",
            "any_trace": self.points.every,
            "seed": self.points.seed,
            "first_point": self.points.first,
            "last_point": self.points.last,
        }


def arm_points(arm: Arm, share: float, seed: str) -> Points:
    """Return which traces are in *arm*: treatment is u < share, control share <= u < 2 * share; u is point / 2**64.

    The borders are worked out exactly: a float would round points near them into the other arm.

    Raises:
        ValueError: *share* is not above 0 and at most 0.5.

    >>> treated, control = arm_points("treatment", 0.5, ""), arm_points("control", 0.5, "")
    >>> treated.last + 1 == control.first == 2**63, control.last == 2**64 - 1
    (True, True)
    """
    if not 0 < share <= MOST_SHARE:
        raise ValueError(f"share={share} must lie above 0 and be at most {MOST_SHARE}: both arms get as much")
    treated, compared = (ceil(Fraction(share) * times * POINTS) for times in (1, 2))
    return Points(seed, 0, treated - 1) if arm == "treatment" else Points(seed, treated, compared - 1)
