"""When an error budget runs out, if traffic and errors go on as they were lately.

A rolling window forgets: the outage of 29 days ago leaves it tomorrow, and so does the good traffic of that day. The
rule of thumb "remaining budget times window over burn rate" knows neither; here the window is moved forward step by
step, with the known events leaving at one end and the supposed ones entering at the other, in whole numbers and
fractions. It ends after one window length, when nothing known is left in it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm
from typing import Final

from slo.errors import InvalidDuration, InvalidObjective
from slo.exclusion import Interval, within
from slo.model import EventCounts
from slo.nines import error_budget

_MINUTE: Final = timedelta(minutes=1)
_EVEN_POINTS: Final = 119  # of the curve; the moment of exhaustion or recovery comes on top


@dataclass(frozen=True, slots=True)
class Step:
    """Events of one step of the past, which begins at `start`."""

    start: datetime
    events: EventCounts


@dataclass(frozen=True, slots=True)
class Past:
    """What is known at `as_of`: steps of equal `length`, in any order; steps without events may be left out.

    Steps from `as_of` on are not looked at. `observed_since` is when the first data came, None if long ago: the span
    of a scenario is cut there, so that the errors of two hours are not thinned out over a day. For the same reason
    it is shorter by `excluded` time, in order and without overlaps, whose events are not in the steps.
    """

    steps: Sequence[Step]
    length: timedelta
    as_of: datetime
    observed_since: datetime | None = None
    excluded: Sequence[Interval] = ()

    def __post_init__(self) -> None:
        if self.length <= timedelta(0):
            raise InvalidDuration(f"step length {self.length} must be above zero, such as a minute")
        for step in self.steps:
            if (self.as_of - step.start) % self.length:
                raise InvalidObjective(
                    f"the step at {step.start} is not whole steps of {self.length} from {self.as_of}"
                )


@dataclass(frozen=True, slots=True)
class Scenario:
    """The supposition that things go on as they were in the last `span`."""

    name: str
    span: timedelta


SCENARIOS: Final = tuple(Scenario(f"last {hours} h", timedelta(hours=hours)) for hours in (1, 6, 24))


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The share of the error budget that is left at a moment: 1 untouched, below 0 overspent, None without events."""

    at: datetime
    remaining: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of the budget under one scenario.

    `exhausted_at` is the first moment with no budget left, `as_of` if that is so already, None if it does not happen
    within the forecast. `recovers_at` is, for a budget exhausted already, the first moment with some left again. The
    `curve` has at most 120 points, the crossing among them.
    """

    scenario: Scenario
    bad_per_minute: Fraction
    total_per_minute: Fraction
    exhausted_at: datetime | None
    recovers_at: datetime | None
    curve: tuple[CurvePoint, ...]


def rolling_forecast(
    past: Past, target: Decimal, window: timedelta, scenarios: Iterable[Scenario] = SCENARIOS
) -> tuple[Forecast, ...]:
    """Return what becomes of a rolling window's budget within one window length, for each scenario.

    Raises:
        InvalidObjective: *target* does not lie between 0 and 1.
        InvalidDuration: *window* or a scenario's span is not whole steps.
    """
    ahead = _steps(window, past, "window", least=1)
    known = _Known((index + 1, events) for index, events in _inside(past, past.as_of - window))
    return tuple(_forecast(past, target, known, ahead, scenario) for scenario in scenarios)


def calendar_forecast(
    past: Past, target: Decimal, starts_at: datetime, ends_at: datetime, scenarios: Iterable[Scenario] = SCENARIOS
) -> tuple[Forecast, ...]:
    """Return what becomes of the budget of the period [*starts_at*, *ends_at*), for each scenario.

    Nothing ages out before the end, and the budget is that of the events so far. An exhausted budget recovers at
    *ends_at* at the latest, where a new one begins.

    Raises:
        InvalidObjective: *target* does not lie between 0 and 1.
        InvalidDuration: the past or the future part of the period, or a scenario's span, is not whole steps.
    """
    _steps(past.as_of - starts_at, past, "elapsed part of the period")
    ahead = _steps(ends_at - past.as_of, past, "rest of the period")
    known = _Known((ahead + 1, events) for _, events in _inside(past, starts_at))
    forecasts = (_forecast(past, target, known, ahead, scenario) for scenario in scenarios)
    return tuple(
        replace(forecast, recovers_at=ends_at)
        if forecast.exhausted_at == past.as_of and forecast.recovers_at is None
        else forecast
        for forecast in forecasts
    )


class _Known:
    """Past events by the step of the future at which they leave the window; they are gone in that step."""

    def __init__(self, leaving: Iterable[tuple[int, EventCounts]]) -> None:
        ordered = sorted(leaving, key=lambda item: item[0])
        self.leaves = [leave for leave, _ in ordered]
        self._bad = _sums_from([events.bad for _, events in ordered])
        self._total = _sums_from([events.total for _, events in ordered])

    def at(self, step: int) -> tuple[int, int]:
        """Return bad and total of what is still inside."""
        gone = bisect_right(self.leaves, step)
        return self._bad[gone], self._total[gone]


class _Window:
    """The window as it moves. Counts are scaled by the rates' denominators, so that all of it is whole numbers."""

    def __init__(self, known: _Known, bad_per_step: Fraction, total_per_step: Fraction, budget: Fraction) -> None:
        self._known = known
        self._scale = lcm(bad_per_step.denominator, total_per_step.denominator)
        self._bad_rate = int(bad_per_step * self._scale)
        self._total_rate = int(total_per_step * self._scale)
        self._budget = budget

    def remaining(self, step: int) -> float | None:
        bad, total = self._at(step)
        return float(1 - bad / (self._budget * total)) if total else None

    def first(self, last: int, *, exhausted: bool) -> int | None:
        """Return the first step up to *last* with events and with the budget exhausted, or with some of it left.

        Between two moments at which something leaves, the overspending is linear, so each stretch is solved at once.
        """
        slope = self._overspent(self._bad_rate, self._total_rate)
        sign = 1 if exhausted else -1
        for start, end in pairwise(sorted({0, *self._known.leaves, last + 1})):
            step = start if self._at(start)[1] else start + 1  # an empty window is neither; supposed traffic fills it
            bad, total = self._at(step)
            if total == 0 or step >= end:
                continue
            # whole numbers: "below zero" is "minus it is at least one"
            value = sign * self._overspent(bad, total) - (not exhausted)
            if value >= 0:
                return step
            if sign * slope > 0 and step - value // (sign * slope) < end:
                return step - value // (sign * slope)
        return None

    def _at(self, step: int) -> tuple[int, int]:
        bad, total = self._known.at(step)
        return bad * self._scale + step * self._bad_rate, total * self._scale + step * self._total_rate

    def _overspent(self, bad: int, total: int) -> int:
        """Return the bad events beyond the allowed ones, times the budget's denominator; 0 is just exhausted."""
        return bad * self._budget.denominator - total * self._budget.numerator


def _forecast(past: Past, target: Decimal, known: _Known, ahead: int, scenario: Scenario) -> Forecast:
    bad_rate, total_rate = _rates(past, scenario)
    minutes = _ratio(past.length, _MINUTE)
    window = _Window(known, bad_rate * minutes, total_rate * minutes, error_budget(target))
    exhausted = window.first(ahead, exhausted=True)
    recovered = window.first(ahead, exhausted=False) if exhausted == 0 else None
    even = {ahead * point // (_EVEN_POINTS - 1) for point in range(_EVEN_POINTS)}
    crossing = {step for step in (exhausted, recovered) if step is not None}
    return Forecast(
        scenario=scenario,
        bad_per_minute=bad_rate,
        total_per_minute=total_rate,
        exhausted_at=_moment(past, exhausted),
        recovers_at=_moment(past, recovered),
        curve=tuple(
            CurvePoint(past.as_of + step * past.length, window.remaining(step)) for step in sorted(even | crossing)
        ),
    )


def _rates(past: Past, scenario: Scenario) -> tuple[Fraction, Fraction]:
    """Return bad and total events per minute of the scenario's span."""
    _steps(scenario.span, past, f"span of {scenario.name!r}", least=1)
    since = past.as_of - scenario.span
    begun = max(since, past.observed_since or since)
    left_out = (until - start for start, until in within(past.excluded, begun, past.as_of))
    observed = past.as_of - begun - sum(left_out, timedelta(0))
    if observed <= timedelta(0):
        return Fraction(0), Fraction(0)
    recent = [events for _, events in _inside(past, since)]
    per_minute = _ratio(_MINUTE, observed)
    return sum(events.bad for events in recent) * per_minute, sum(events.total for events in recent) * per_minute


def _inside(past: Past, since: datetime) -> Iterable[tuple[int, EventCounts]]:
    """Yield the events from *since* until now with the number of their step."""
    for step in past.steps:
        if since <= step.start < past.as_of:
            yield (step.start - since) // past.length, step.events


def _steps(duration: timedelta, past: Past, name: str, *, least: int = 0) -> int:
    if duration < least * past.length or duration % past.length:
        raise InvalidDuration(f"{name} {duration} must be whole steps of {past.length}, at least {least}")
    return duration // past.length


def _moment(past: Past, step: int | None) -> datetime | None:
    return None if step is None else past.as_of + step * past.length


def _ratio(duration: timedelta, other: timedelta) -> Fraction:
    microsecond = timedelta(microseconds=1)
    return Fraction(duration // microsecond, other // microsecond)


def _sums_from(values: Sequence[int]) -> list[int]:
    """Return, for each place, the sum of the values from there to the end; one place more holds 0."""
    return list(accumulate(reversed(values), initial=0))[::-1]
