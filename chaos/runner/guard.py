"""The safeguards of a run while the fault is there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from api.client import ApiError
from api.models import RunWindow
from chaos.experiments.experiment import Experiment
from chaos.experiments.hypotheses import Judged
from chaos.judge.decision import Arm
from chaos.judge.watch import LineCounts, Watch, start_watch
from chaos.runner.counting import Counting, Side
from slo.confidence import StatisticError

BLIND_AFTER = timedelta(seconds=30)
LOOK_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Trip:
    """What ends a fault early: certain harm, trouble that is not the fault's, or that nothing can be evaluated."""

    cause: Literal["harm", "incident", "blind"]
    reason: str


class Guard:
    """Counts both sides every other second and ends the fault as soon as harm is certain; see `chaos.judge.watch`.

    That something cannot be evaluated is a trip too: nobody breaks things with closed eyes.
    """

    def __init__(self, experiment: Experiment, counting: Counting, baseline: RunWindow, started_at: datetime) -> None:
        self._experiment = experiment
        self._counting = counting
        self._started_at = started_at
        self._looked_at = started_at
        self._comparison = counting.comparison
        self._baseline = Side.of(baseline)
        self._known: list[Arm] = []
        margins = [line.margin for line in experiment.judged]
        self._watch: Watch | None = start_watch(margins, comparison=self._comparison) if margins else None

    def look(self, now: datetime) -> Trip | None:
        """Return what trips the run as of *now*."""
        if self._watch is None or now - self._looked_at < LOOK_EVERY:
            return None
        self._looked_at = now
        try:
            stale = self._stale(now)
            if stale:
                return Trip("blind", f"{stale}: what the fault does cannot be evaluated")
            # as much of the window as the judge would look at if the fault ended now
            until = now - timedelta(seconds=self._experiment.settle_s)
            if until <= self._started_at:
                return None
            self._watch = self._watch.look([self._counts(line, until) for line in self._experiment.judged])
        except (ApiError, StatisticError) as error:
            return Trip("blind", f"what the fault does cannot be evaluated ({error})")
        return self._tripped(self._watch)

    def _tripped(self, watch: Watch) -> Trip | None:
        if watch.cause == "harm":
            return Trip("harm", "it is certain that a line of the hypothesis is broken: the fault is reverted early")
        if watch.cause == "incident":
            return Trip("incident", "the requests that no fault touched are worse than before: something else is wrong")
        return None

    def _stale(self, now: datetime) -> str:
        """Return which service has sent nothing lately, "" while all do."""
        for service in self._experiment.services:
            newest = self._counting.sli(service, Side(self._started_at, now)).newest_span_at
            if newest is None or now - max(newest, self._started_at) > BLIND_AFTER:
                since = "ever" if newest is None else f"for {(now - newest).total_seconds():.0f} s"
                return f"no span of {service} has come {since}"
        return ""

    def _counts(self, line: Judged, until: datetime) -> LineCounts:
        if len(self._known) < len(self._experiment.judged):
            self._known = [self._arm(each, self._baseline) for each in self._experiment.judged]
        baseline = self._known[self._experiment.judged.index(line)]
        if self._comparison == "before/after":
            return LineCounts(baseline, self._arm(line, Side(self._started_at, until)))
        control, treatment = (self._arm(line, Side(self._started_at, until, arm)) for arm in ("control", "treatment"))
        return LineCounts(baseline, treatment, control)

    def _arm(self, line: Judged, side: Side) -> Arm:
        return self._counting.arm(line, side)
