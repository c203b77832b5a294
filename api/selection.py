"""Which requests a route counts: its query's time range, environment, version and arm."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from api.models import Arm
from api.problem import ProblemError
from storage.arms import EVERY_TRACE, MOST_SHARE, Points, Selection, arm_points

Time = Annotated[datetime, Query(description="RFC 3339, with its zone.")]
Environment = Annotated[str | None, Query(description="Left out: any.")]
Share = Annotated[float | None, Query(gt=0, le=MOST_SHARE, description="Share of the requests in each arm.")]
Seed = Annotated[str | None, Query(max_length=200, description="What the trace ids were hashed with.")]


def _selection(
    *,
    start: Time,
    end: Time,
    environment: Environment = None,
    version: Annotated[str | None, Query(description="`service.version`; left out: any.")] = None,
    arm: Annotated[Arm | None, Query(description="Only requests of this arm; needs `share` and `seed`.")] = None,
    share: Share = None,
    seed: Seed = None,
) -> Selection:
    require_range(start, end)
    return Selection(start, end, environment, version, _points(arm, share, seed))


Selected = Annotated[Selection, Depends(_selection)]


def require_range(start: datetime, end: datetime, names: tuple[str, str] = ("start", "end")) -> None:
    """Pass when both times have a zone and *end* is after *start*.

    Raises:
        ProblemError: 422, they do not.
    """
    for name, moment in zip(names, (start, end), strict=True):
        if moment.tzinfo is None:
            raise ProblemError(422, f"{name}={moment.isoformat()} has no time zone; write 2026-01-31T12:00:00Z")
    if end <= start:
        raise ProblemError(422, f"{names[1]}={end.isoformat()} must be after {names[0]}={start.isoformat()}")


def _points(arm: Arm | None, share: float | None, seed: str | None) -> Points:
    if arm is None:
        if share is not None or seed is not None:
            raise ProblemError(422, "share and seed say how requests were split; add arm=control or arm=treatment")
        return EVERY_TRACE
    if share is None or seed is None:
        raise ProblemError(422, f"arm={arm} needs share and seed: how the requests were split into arms")
    return arm_points(arm, share, seed)
