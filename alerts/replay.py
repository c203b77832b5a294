"""What an objective's burn-rate alerts would have done over counted minutes: evaluated and decided as live.

Every minute of the past is decided once, as of *delay* after its end. Live ticks come more often, but their windows end
at whole minutes too, so that they see the same numbers. Two things can still differ from what was decided live: live
knew only the rows that had arrived by then, and alerts that were firing when the replay starts begin anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from alerts.burn_rate import signals_of
from alerts.decide import Verdict, decide, next_step
from alerts.objective_signal import timing_of
from alerts.transition import Transition
from slo.budget import allowed_bad
from slo.evaluation import Evaluation, budget_window, evaluate, needed_windows
from slo.minute_history import MinuteHistory
from slo.model import Slo
from slo.policy import SEVERITIES, Condition, Severity
from slo.slices import last_end
from slo.window import MINUTE


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from firing to its end; `resolved` is None while it fires still.

    `peak_burn_rate` is the highest burn rate of any long window of its severity while it fired. `budget_spent` is the
    share of the error budget of the objective's window that the bad events cost, from the start of the long window
    that fired it to its end (the window and its budget as of that end); None without a budget to speak of.
    """

    fired: Transition
    resolved: Transition | None
    peak_burn_rate: float
    budget_spent: float | None


@dataclass(frozen=True, slots=True)
class Replay:
    """`transitions` in the order of time, and the `episodes` that fired."""

    transitions: tuple[Transition, ...]
    episodes: tuple[Episode, ...]


def replay(slo: Slo, history: MinuteHistory, start: datetime, end: datetime, *, delay: timedelta) -> Replay:
    """Return what the burn-rate alerts of *slo* would have done in [start, end), whole minutes.

    Args:
        slo: the objective, with its policy.
        history: its minutes; to be as live as possible, it begins the longest window before *start*.
        start: the first minute that is decided on.
        end: the end of the last one.
        delay: how long after its end a minute is decided on: the lateness of the live evaluation.

    Raises:
        InvalidObjective: [start, end) reaches out of *history*.
    """
    lanes = [_Lane(slo, history, severity, delay) for severity in SEVERITIES]
    for minute in range(history.position(start) + 1, history.position(end) + 1):
        # windows end with the last slice that is over
        position = history.position(max(last_end(history.start + minute * MINUTE, history.length), history.start))
        for lane in lanes:
            lane.step(position, minute)
    transitions = sorted((item for lane in lanes for item in lane.transitions), key=lambda item: item.at)
    episodes = sorted((item for lane in lanes for item in lane.episodes()), key=lambda item: item.fired.at)
    return Replay(tuple(transitions), tuple(episodes))


class _Check:
    """One condition in integers: bad of total exceeds a burn rate when bad * q > p * total."""

    def __init__(self, slo: Slo, condition: Condition, shortest: timedelta) -> None:
        self.long, self.short = (max(window, shortest) // MINUTE for window in (condition.long, condition.short))
        self._widths = condition.long // MINUTE, condition.short // MINUTE
        limit = Fraction(condition.factor) * (1 - Fraction(slo.target))
        self._p, self._q = limit.numerator, limit.denominator
        self._least = slo.min_total, slo.min_bad

    def verdict(self, history: MinuteHistory, position: int) -> Verdict:
        good, total = _window(history, position, self.long)
        short_good, short_total = _window(history, position, self.short)
        enough = total >= self._least[0] and total - good >= self._least[1]
        observed = _observed(history, position)
        if enough and all(
            bad * self._q * min(observed, width) > self._p * events * width
            for bad, events, width in (
                (total - good, total, self._widths[0]),
                (short_total - short_good, short_total, self._widths[1]),
            )
        ):
            return "met"
        return "clear" if total and short_total else "unknown"


class _Lane:
    """The alert of one severity. It is evaluated in full only where its state can change."""

    def __init__(self, slo: Slo, history: MinuteHistory, severity: Severity, delay: timedelta) -> None:
        self._slo, self._history, self._severity, self._delay = slo, history, severity, delay
        self._checks = [
            _Check(slo, item, history.length) for item in slo.policy.conditions if item.severity == severity
        ]
        self._timing = timing_of(slo)
        self._last: Transition | None = None
        self._seen: Verdict = "unknown"
        self._position = -1
        self._ends: list[tuple[Transition, Transition | None]] = []  # of each episode: how it fired, how it ended
        self._peaks: list[Fraction] = []
        self._spans: list[tuple[int, int]] = []  # where its long window began, where it ended
        self.transitions: list[Transition] = []

    def step(self, position: int, minute: int) -> None:
        """Decide after *minute* minutes of the history, on windows that end after *position* of them."""
        moved = position > self._position
        if moved:
            self._position, self._seen = position, self._verdict(position)
        now = self._history.start + minute * MINUTE + self._delay
        if next_step(self._last, self._seen, now, self._timing) is not None:
            self._decide(position, now)
            moved = True
        if moved and self._last is not None and self._last.state == "firing":
            self._peaks[-1] = max(self._peaks[-1], self._burn(position))

    def episodes(self) -> Iterator[Episode]:
        for (fired, resolved), peak, (first, last) in zip(self._ends, self._peaks, self._spans, strict=True):
            spent = self._spent(first, last if resolved else self._position)
            yield Episode(fired, resolved, float(peak), spent)

    def _verdict(self, position: int) -> Verdict:
        found = {check.verdict(self._history, position) for check in self._checks}
        if "met" in found:
            return "met"
        return "unknown" if "unknown" in found else "clear"

    def _decide(self, position: int, now: datetime) -> None:
        evaluation = self._evaluate(self._history.start + position * MINUTE)
        signal = next(item for item in signals_of(self._slo, evaluation) if item.severity == self._severity)
        change = decide(self._last, signal, now, self._timing)
        assert change is not None, "the checks in integers and the evaluation disagree"
        self._last = change
        self.transitions.append(change)
        if change.state == "firing" and change.changes_state:
            longest = max(result.condition.long for result in signal.conditions if result.met)
            self._ends.append((change, None))
            self._peaks.append(Fraction(0))
            self._spans.append((max(position - longest // MINUTE, 0), position))
        elif change.state == "resolved" and change.fired_at is not None:
            self._ends[-1] = self._ends[-1][0], change
            self._spans[-1] = self._spans[-1][0], position

    def _evaluate(self, end: datetime) -> Evaluation:
        history = self._history
        lengths = {window: max(window, history.length) for window in needed_windows(self._slo, end)}
        counts = {window: history.counts(end - length, end) for window, length in lengths.items()}
        observed = _observed(history, history.position(end)) * MINUTE
        return evaluate(self._slo, counts, end=end, coverage=1.0, observed=observed)

    def _burn(self, position: int) -> Fraction:
        """Return the highest burn rate of the long windows that end here."""
        allowed = 1 - Fraction(self._slo.target)
        windows = [_window(self._history, position, check.long) for check in self._checks]
        return max((Fraction(total - good, total) / allowed for good, total in windows if total), default=Fraction(0))

    def _spent(self, first: int, last: int) -> float | None:
        history, slo = self._history, self._slo
        end = history.start + last * MINUTE
        bad = history.counts(history.start + first * MINUTE, end).bad
        allowed = allowed_bad(history.counts(end - budget_window(slo, end), end), slo.target)
        return float(bad / allowed) if allowed else None


def _observed(history: MinuteHistory, position: int) -> int:
    """Return how many minutes before *position* the first event came, at least one; see `evaluate`."""
    return 1 if history.first is None else max(position + (history.start - history.first) // MINUTE, 1)


def _window(history: MinuteHistory, position: int, minutes: int) -> tuple[int, int]:
    """Return good and total of the *minutes* before *position*."""
    first = max(position - minutes, 0)
    good, total = history.good_sums, history.total_sums
    return good[position] - good[first], total[position] - total[first]
