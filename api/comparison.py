"""Which two sides a route compares: the arms of a window, or a window and the baseline before it."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Query

from api.problem import ProblemError
from api.selection import Environment, Seed, Share, Time, require_range
from storage.comparison import Comparison

LONGEST: Final = timedelta(hours=6)
Baseline = Annotated[datetime | None, Query(description="Of the baseline, which takes the place of the control arm.")]


def _comparison(
    *,
    start: Time,
    end: Time,
    baseline_start: Baseline = None,
    baseline_end: Baseline = None,
    environment: Environment = None,
    share: Share = None,
    seed: Seed = None,
) -> Comparison:
    _require_window(start, end, ("start", "end"))
    if baseline_start is not None and baseline_end is not None:
        if share is not None or seed is not None:
            raise ProblemError(422, "compare either with a baseline or between arms: leave out share and seed")
        _require_window(baseline_start, baseline_end, ("baseline_start", "baseline_end"))
        if baseline_end > start:
            raise ProblemError(422, f"baseline_end={baseline_end.isoformat()} must not be after start")
        return Comparison(start, end, baseline_start, baseline_end, environment)
    if share is None or seed is None:
        raise ProblemError(422, "say what is compared: share and seed of the arms, or baseline_start and baseline_end")
    return Comparison.of_arms(start, end, share=share, seed=seed, environment=environment)


Compared = Annotated[Comparison, Depends(_comparison)]


def _require_window(start: datetime, end: datetime, names: tuple[str, str]) -> None:
    require_range(start, end, names)
    if end - start > LONGEST:
        raise ProblemError(422, f"{names[0]} to {names[1]} is {end - start}; compare at most {LONGEST} of raw spans")
