"""Where an objective stands: the one function behind live evaluation, replay and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal

from slo.budget import allowed_bad, budget_remaining, burn_rate, exceeds, sli
from slo.duration import format_duration
from slo.errors import MissingWindow
from slo.model import NO_EVENTS, EventCounts, Slo
from slo.policy import Condition
from slo.standard_policy import standard_policy
from slo.window import MINUTE

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
class Unadjusted:
    """The objective's window with the excluded time counted in: what the budget would be without maintenance."""

    counts: EventCounts
    sli: float | None
    error_budget_remaining: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Where an objective stands.

    `counts` are those of the objective's window, `hour` those of the last hour, both without excluded time.
    `error_budget_remaining` of a calendar window is the share left of the budget that the whole period is expected to
    have if traffic goes on as so far (`estimated`); `budget_remaining_so_far` relates to the events so far.
    `burn_rates` is keyed by window ("1h"), shortest first; None is a window without events. `conditions` are those of
    the objective's own policy. `provisional` means that the data covers less than the window, `low_confidence` that the
    whole error budget is less than one event, so that a single failure decides everything. `unadjusted` is None unless
    time was excluded.
    """

    state: SloState
    sli: float | None
    counts: EventCounts
    hour: EventCounts
    error_budget_remaining: float | None
    budget_remaining_so_far: float | None
    estimated: bool
    burn_rates: dict[str, float | None]
    conditions: tuple[ConditionResult, ...]
    coverage: float
    provisional: bool
    low_confidence: bool
    unadjusted: Unadjusted | None = None


def window_bounds(now: datetime, window: timedelta, lateness: timedelta) -> tuple[datetime, datetime]:
    """Return [start, end) of *window*: whole minutes, ending at the last full minute before *now* - *lateness*.

    >>> window_bounds(datetime(2026, 3, 1, 12, 0, 5), timedelta(minutes=5), timedelta(seconds=10))
    (datetime.datetime(2026, 3, 1, 11, 54), datetime.datetime(2026, 3, 1, 11, 59))
    """
    end = (now - lateness).replace(second=0, microsecond=0)
    return end - window, end


def judged_conditions(slo: Slo) -> tuple[Condition, ...]:
    """Return what "burning" means for *slo*: its own conditions, or the standard ones where it has none."""
    return slo.policy.conditions or standard_policy(slo.target, slo.period).policy.conditions


def burn_rate_windows(slo: Slo) -> tuple[timedelta, ...]:
    """Return the windows whose burn rates an evaluation reports, shortest first."""
    judged = {window for condition in judged_conditions(slo) for window in (condition.long, condition.short)}
    return tuple(sorted(judged.union(SHOWN_WINDOWS)))


def needed_windows(slo: Slo, end: datetime) -> frozenset[timedelta]:
    """Return every window that `evaluate` wants counts of, all ending at *end*."""
    return frozenset((budget_window(slo, end), *burn_rate_windows(slo)))


def budget_window(slo: Slo, end: datetime) -> timedelta:
    """Return how long the objective's window is up to *end*: a calendar period grows from its start."""
    return end - slo.window.period(end)[0]


def evaluate(
    slo: Slo,
    counts: Mapping[timedelta, EventCounts],
    *,
    end: datetime,
    coverage: float,
    seen_recently: bool = False,
    excluded: Mapping[timedelta, EventCounts] | None = None,
    observed: timedelta | None = None,
) -> Evaluation:
    """Return where *slo* stands at *end*, given the events of each of its windows.

    Args:
        slo: the objective.
        counts: events of every window of `needed_windows(slo, end)`, all ending at *end*.
        end: the end of the windows, exclusive, a whole minute in UTC.
        coverage: share of the objective's window that data exists for, 0..1.
        seen_recently: the service is alive: it sent anything at all in the last hour, counted here or not.
        excluded: those of *counts* that fell into excluded time, by window; None where there is none.
        observed: how long before *end* the first event came, whole minutes; None if long ago. A condition whose window
            is longer is judged as if the rest of the window had had as many events, and no bad ones: with two hours of
            history a window of three days is not one of two hours, and an incident alerts as it will with full history.

    Raises:
        MissingWindow: *counts* lacks a window.
    """
    missing = needed_windows(slo, end) - counts.keys()
    if missing:
        names = ", ".join(format_duration(window) for window in sorted(missing))
        raise MissingWindow(f"{slo.id!r} needs the counts of {names} as well; see needed_windows")
    left_out = excluded or {}
    net = {window: events - left_out.get(window, NO_EVENTS) for window, events in counts.items()}
    budget = _budget(slo, net, end)
    conditions = {condition: _result(slo, condition, net, observed) for condition in judged_conditions(slo)}
    return Evaluation(
        state=_state(budget, net, [result.met for result in conditions.values()], seen_recently),
        sli=sli(budget.counts),
        counts=budget.counts,
        hour=net[HOUR],
        error_budget_remaining=budget_remaining(budget.counts, slo.target, elapsed=budget.elapsed),
        budget_remaining_so_far=budget_remaining(budget.counts, slo.target),
        estimated=budget.elapsed < 1,
        burn_rates={format_duration(w): burn_rate(net[w], slo.target) for w in burn_rate_windows(slo)},
        conditions=tuple(conditions[condition] for condition in slo.policy.conditions),
        coverage=coverage,
        provisional=coverage < 1,
        low_confidence=budget.allowed < 1,
        unadjusted=_unadjusted(slo, counts[budget.window], budget) if excluded else None,
    )


def remaining_at(slo: Slo, counts: EventCounts, end: datetime) -> float | None:
    """Return the share of the budget left at *end*, given the events of the objective's window up to then."""
    return budget_remaining(counts, slo.target, elapsed=_elapsed(slo, end))


@dataclass(frozen=True, slots=True)
class _Budget:
    """The objective's window up to now. `allowed` bad events in the whole period, of which `elapsed` (0..1) is over."""

    window: timedelta
    counts: EventCounts
    elapsed: Fraction
    allowed: Fraction


def _budget(slo: Slo, counts: Mapping[timedelta, EventCounts], end: datetime) -> _Budget:
    window, elapsed = budget_window(slo, end), _elapsed(slo, end)
    return _Budget(window, counts[window], elapsed, allowed_bad(counts[window], slo.target) / elapsed)


def _elapsed(slo: Slo, end: datetime) -> Fraction:
    """Return the share of the window that is over: all of a rolling one, part of a calendar period."""
    start, finish = slo.window.period(end)
    return Fraction((end - start) // MINUTE, (finish - start) // MINUTE)


def _unadjusted(slo: Slo, counts: EventCounts, budget: _Budget) -> Unadjusted:
    return Unadjusted(counts, sli(counts), budget_remaining(counts, slo.target, elapsed=budget.elapsed))


def _result(
    slo: Slo, condition: Condition, counts: Mapping[timedelta, EventCounts], observed: timedelta | None
) -> ConditionResult:
    long, short = counts[condition.long], counts[condition.short]
    enough = long.total >= slo.min_total and long.bad >= slo.min_bad
    return ConditionResult(
        condition=condition,
        met=enough
        and all(
            exceeds(counts[window], slo.target, condition.factor * _unseen(window, observed))
            for window in (condition.long, condition.short)
        ),
        has_data=long.total > 0 and short.total > 0,
        long=long,
        short=short,
    )


def _unseen(window: timedelta, observed: timedelta | None) -> Fraction:
    """Return how many times as many events *window* is expected to hold as were observed: 1 where all of it was."""
    if observed is None or observed >= window:
        return Fraction(1)
    return Fraction(window // MINUTE, max(observed // MINUTE, 1))


def _state(
    budget: _Budget, counts: Mapping[timedelta, EventCounts], met: Sequence[bool], seen_recently: bool
) -> SloState:
    """Bad news first; silence comes after it and before "ok": it neither hides bad news nor counts as good."""
    whole = budget.counts
    if whole.total == 0:
        return "no_traffic" if seen_recently else "no_data"
    if whole.bad >= budget.allowed:
        return "exhausted"
    if any(met):
        return "burning"
    if whole.bad > (1 - AT_RISK_BELOW) * budget.allowed:
        return "at_risk"
    return "ok" if counts[HOUR].total else "no_traffic"
