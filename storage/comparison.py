"""What an experiment changed: two sides compared, either the arms of one stretch of time or two stretches of it.

Control is the arm that no fault touched, or the time before it; treatment is the other.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from storage.arms import EVERY_TRACE, Points, arm_points
from storage.times import text

Side = Literal["control", "treatment"]

_POINT: Final = "if({split:Bool}, trace_point({seed:String}, trace_id), 0)"
SIDE_SQL: Final = (
    "multiIf("
    "ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}"
    f" AND {_POINT} BETWEEN {{treatment_first:UInt64}} AND {{treatment_last:UInt64}}, 'treatment', "
    "ts >= {control_start:DateTime64(9, 'UTC')} AND ts < {control_end:DateTime64(9, 'UTC')}"
    f" AND {_POINT} BETWEEN {{control_first:UInt64}} AND {{control_last:UInt64}}, 'control', "
    "'')"
)


def times_sql(*, after_s: int = 0) -> str:
    """Return the condition that a span started on either side, or up to *after_s* seconds after its end.

    It uses the order of the table: other five minutes are not read.
    """
    ranges = []
    for start, end in (("start", "end"), ("control_start", "control_end")):
        first = f"{{{start}:DateTime64(9, 'UTC')}}"
        last = f"({{{end}:DateTime64(9, 'UTC')}} + toIntervalSecond({after_s:d}))"
        five = f"toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({first}) AND toStartOfFiveMinutes(ts) <= {last}"
        ranges.append(f"({five} AND ts >= {first} AND ts < {last})")
    return f"({' OR '.join(ranges)})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Spans of [start, end) against those of [control_start, control_end), each side of some traces only.

    *environment* None compares all of them together.
    """

    start: datetime
    end: datetime
    control_start: datetime
    control_end: datetime
    environment: str | None = None
    treatment: Points = EVERY_TRACE
    control: Points = EVERY_TRACE

    @classmethod
    def of_arms(
        cls, start: datetime, end: datetime, *, share: float, seed: str, environment: str | None = None
    ) -> "Comparison":
        """Return the comparison of the arms of [start, end).

        Raises:
            ValueError: *share* is not above 0 and at most 0.5.
        """
        arms = arm_points("treatment", share, seed), arm_points("control", share, seed)
        return cls(start, end, start, end, environment, *arms)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of SIDE_SQL and `times_sql`."""
        return {
            "start": text(self.start),
            "end": text(self.end),
            "control_start": text(self.control_start),
            "control_end": text(self.control_end),
            "any_environment": self.environment is None,
            "environment": self.environment or "",
            "split": not self.treatment.every,
            "seed": self.treatment.seed,
            "treatment_first": self.treatment.first,
            "treatment_last": self.treatment.last,
            "control_first": self.control.first,
            "control_last": self.control.last,
        }
