"""Watching a run while the fault is there: has it done certain harm, or does everything suffer? Pure.

Each line of the hypothesis is watched by `chaos.judge.sequential`. Their e-values are averaged: an average of bets is a
bet, whatever the lines have in common, and one line that is certain enough carries it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal

from api.models import Comparison
from chaos.judge.decision import NO_REQUESTS, Arm
from chaos.judge.sequential import ALPHA, LEAST_WATCHED, SequentialTest

AbortCause = Literal["stopped", "harm", "incident"]
"""Why a run ended early: stopped by a person or a lost part; harm that is certain; trouble in both arms."""


@dataclass(frozen=True, slots=True)
class LineCounts:
    """One line of the hypothesis: before the run, and since the fault began. Before/after has no control arm."""

    baseline: Arm
    treatment: Arm
    control: Arm = NO_REQUESTS


@dataclass(frozen=True, slots=True)
class Watch:
    """The state between two looks. Both alarms together are false in at most `alpha` of the runs."""

    harm: tuple[SequentialTest, ...]
    incident: tuple[SequentialTest, ...]
    cause: AbortCause | None = None

    def look(self, lines: Sequence[LineCounts]) -> "Watch":
        """Return the state after a look; *lines* are in the same order each time, with cumulative counts.

        An incident that shows in the same look as harm is the incident's: the fault is not blamed.

        Raises:
            StatisticError: counts went back, or more requests are bad than there are.
            ValueError: another number of lines than is watched.
        """
        concurrent = bool(self.incident)
        harm = tuple(
            test.look(line.control if concurrent else line.baseline, line.treatment)
            for test, line in zip(self.harm, lines, strict=True)
        )
        incident = tuple(
            test.look(line.baseline, line.control) for test, line in zip(self.incident, lines, strict=concurrent)
        )
        return Watch(harm, incident, self.cause or _cause(harm, incident))

    @property
    def harm_e_value(self) -> float:
        """The e-value for harm, for showing: 1 says nothing, at `certain_e_value` the run ends."""
        return exp(min(_log_mean(self.harm), 700.0))

    @property
    def certain_e_value(self) -> float:
        return exp(_log_threshold(self.harm))


def start_watch(
    margins: Sequence[float], *, comparison: Comparison, alpha: float = ALPHA, least: int = LEAST_WATCHED
) -> Watch:
    """Return a watch over lines with these *margins*, before the first look.

    Args:
        margins: of the lines, in their order.
        comparison: only with arms at the same time can an incident be told from the fault.
        alpha: the chance of a false alarm in a whole run.
        least: requests in each arm before anything is aborted.

    >>> watch = start_watch([0.01], comparison="before/after")
    >>> for second in range(1, 9):
    ...     watch = watch.look([LineCounts(baseline=Arm(2, 900), treatment=Arm(9 * second, 30 * second))])
    >>> watch.cause
    'harm'
    """
    concurrent = comparison == "concurrent"
    each = alpha / len(margins) / (2 if concurrent else 1)
    harm = tuple(SequentialTest(margin, comparison, each, least) for margin in margins)
    before_after: Comparison = "before/after"
    incident = tuple(SequentialTest(margin, before_after, each, least) for margin in margins) if concurrent else ()
    return Watch(harm, incident)


def _cause(harm: tuple[SequentialTest, ...], incident: tuple[SequentialTest, ...]) -> AbortCause | None:
    if _certain(incident):
        return "incident"
    return "harm" if _certain(harm) else None


def _certain(tests: tuple[SequentialTest, ...]) -> bool:
    """Whether the average is beyond the threshold, and the line that carries it has enough requests."""
    if not tests:
        return False
    loudest = max(tests, key=lambda test: test.log_e)
    if min(loudest.control.total, loudest.treatment.total) < loudest.least:
        return False
    return _log_mean(tests) >= _log_threshold(tests)


def _log_threshold(tests: tuple[SequentialTest, ...]) -> float:
    """Return the threshold of all lines together, which is one line's over their number."""
    return tests[0].log_threshold - log(len(tests))


def _log_mean(tests: tuple[SequentialTest, ...]) -> float:
    most = max(test.log_e for test in tests)
    return most + log(sum(exp(test.log_e - most) for test in tests) / len(tests))
