"""Where an objective stands: the one function behind live evaluation, replay and tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from slo.budget import allowed_bad, budget_remaining, burn_rate, exceeds, sli
from slo.duration import format_duration
from slo.errors import MissingWindow
from slo.model import EventCounts, Slo
from slo.policy import Condition
from slo.standard_policy import standard_policy

SloState = Literal["ok", "at_risk", "burning", "exhausted", "no_traffic", "no_data"]

HOUR: Final = timedelta(hours=1)
SHOWN_WINDOWS: Final = (timedelta(minutes=5), HOUR, timedelta(hours=6), timedelta(days=1), timedelta(days=3))
AT_RISK_BELOW: Final = Fraction(1, 4)  # of the error budget


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition of the policy now. `has_data` is False when either window holds no event."""

    condition: Condition
    met: bool
    has_data: bool
    long: EventCounts
    short: EventCounts


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Where an objective stands.

    `counts` are those of the objective's window, `hour` those of the last hour. `burn_rates` is keyed by window
    ("1h"), shortest first; None is a window without events. `conditions` are those of the objective's own policy.
    `provisional` means that the data covers less than the window, `low_confidence` that the whole error budget is less
    than one event, so that a single failure decides everything.
    """

    state: SloState
    sli: float | None
    counts: EventCounts
    hour: EventCounts
    error_budget_remaining: float | None
    burn_rates: dict[str, float | None]
    conditions: tuple[ConditionResult, ...]
    coverage: float
    provisional: bool
    low_confidence: bool


def window_bounds(now: datetime, window: timedelta, lateness: timedelta) -> tuple[datetime, datetime]:
    """Return [start, end) of *window*: whole minutes, ending at the last full minute before *now* - *lateness*.

    >>> window_bounds(datetime(2026, 3, 1, 12, 0, 5), timedelta(minutes=5), timedelta(seconds=10))
    (datetime.datetime(2026, 3, 1, 11, 54), datetime.datetime(2026, 3, 1, 11, 59))
    """
    end = (now - lateness).replace(second=0, microsecond=0)
    return end - window, end


def judged_conditions(slo: Slo) -> tuple[Condition, ...]:
    """Return what "burning" means for *slo*: its own conditions, or the standard ones where it has none."""
    return slo.policy.conditions or standard_policy(slo.target, slo.window).policy.conditions


def burn_rate_windows(slo: Slo) -> tuple[timedelta, ...]:
    """Return the windows whose burn rates an evaluation reports, shortest first."""
    judged = {window for condition in judged_conditions(slo) for window in (condition.long, condition.short)}
    return tuple(sorted(judged.union(SHOWN_WINDOWS)))


def needed_windows(slo: Slo) -> frozenset[timedelta]:
    """Return every window that `evaluate` wants counts of."""
    return frozenset((slo.window, *burn_rate_windows(slo)))


def evaluate(
    slo: Slo, counts: Mapping[timedelta, EventCounts], *, coverage: float, seen_recently: bool = False
) -> Evaluation:
    """Return where *slo* stands, given the events of each of its windows.

    Args:
        slo: the objective.
        counts: events of every window of `needed_windows(slo)`, all ending at the same minute.
        coverage: share of the objective's window that data exists for, 0..1.
        seen_recently: the service is alive: it sent anything at all in the last hour, counted here or not.

    Raises:
        MissingWindow: *counts* lacks a window.
    """
    missing = needed_windows(slo) - counts.keys()
    if missing:
        names = ", ".join(format_duration(window) for window in sorted(missing))
        raise MissingWindow(f"{slo.id!r} needs the counts of {names} as well; see needed_windows")
    whole = counts[slo.window]
    return Evaluation(
        state=_state(slo, counts, seen_recently),
        sli=sli(whole),
        counts=whole,
        hour=counts[HOUR],
        error_budget_remaining=budget_remaining(whole, slo.target),
        burn_rates={format_duration(w): burn_rate(counts[w], slo.target) for w in burn_rate_windows(slo)},
        conditions=tuple(_result(slo, condition, counts) for condition in slo.policy.conditions),
        coverage=coverage,
        provisional=coverage < 1,
        low_confidence=allowed_bad(whole, slo.target) < 1,
    )


def _result(slo: Slo, condition: Condition, counts: Mapping[timedelta, EventCounts]) -> ConditionResult:
    long, short = counts[condition.long], counts[condition.short]
    return ConditionResult(
        condition=condition,
        met=all(exceeds(events, slo.target, condition.factor) for events in (long, short)),
        has_data=long.total > 0 and short.total > 0,
        long=long,
        short=short,
    )


def _state(slo: Slo, counts: Mapping[timedelta, EventCounts], seen_recently: bool) -> SloState:
    """Bad news first; silence comes after it and before "ok": it neither hides bad news nor counts as good."""
    whole = counts[slo.window]
    if whole.total == 0:
        return "no_traffic" if seen_recently else "no_data"
    if whole.bad >= allowed_bad(whole, slo.target):
        return "exhausted"
    if any(_result(slo, condition, counts).met for condition in judged_conditions(slo)):
        return "burning"
    if exceeds(whole, slo.target, 1 - AT_RISK_BELOW):
        return "at_risk"
    return "ok" if counts[HOUR].total else "no_traffic"
