"""Judging a release once, or again and again until it is decided.

Who looks at an interval every few seconds and stops when it looks good, or bad, stops by luck. So a wait ends early in
two ways only. Harm: the bet of `chaos.judge.watch` is won, which chance does in at most ALPHA of all waits, however
often one looks, and the lines say so too. Held: the intervals are looked at only when the smaller version has twice the
requests of the look before, each time with less doubt, of which all looks together have no more than one has
(Bonferroni over 1, 1/4, 1/9 ..., whose sum is pi^2 / 6). When the time is over, the ordinary intervals decide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import pi
from typing import Final

from api.client import ApiClient, ApiError
from api.models import Comparison, Finding
from chaos.judge.decision import CONFIDENCE, Arm
from chaos.judge.sequential import ALPHA, LEAST_WATCHED
from chaos.judge.sighting import Sighting
from chaos.judge.verdict import run_verdict
from chaos.judge.watch import LineCounts, Watch, start_watch
from chaos.releases.asking import Asking, NotJudgedError
from chaos.releases.judgement import Asked, Counted, ReleaseJudgement, conclude, findings_of
from chaos.releases.lines import Lines
from chaos.releases.serving import Sides, Stretch
from slo.confidence import StatisticError

LOOK_EVERY_S: Final = 5.0
_SERVER_ERROR: Final = 500


def look_confidence(number: int) -> float:
    """Return the confidence of the early look *number*, from 1; the doubts of all looks add up to that of one interval.

    >>> round(look_confidence(1), 4), round(look_confidence(4), 4)
    (0.9696, 0.9981)
    """
    return 1 - (1 - CONFIDENCE) * 6 / (pi * number) ** 2


def judge_release(
    api: ApiClient,
    asked: Asked,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], object],
    wait_s: float = 0.0,
    on_look: Callable[[str], object] = lambda _: None,
) -> ReleaseJudgement:
    """Return the judgement of the release that was asked for.

    Args:
        api: where requests are counted.
        asked: the question.
        clock: wall clock, in UTC.
        sleep: waits that many seconds.
        wait_s: for how long to look again while it is undecided; 0 looks once.
        on_look: told what each look that does not decide has seen.

    Raises:
        NotJudgedError: a version or the service is not known, or the new version answered nothing.
        ApiError: the API refused, or did not answer at the first or at the last look.
    """
    asking = Asking(api, asked).settled()
    until = clock() + timedelta(seconds=wait_s)
    vigil = Vigil(asking, wait_s)
    while True:
        now = clock()
        over = now >= until
        try:
            found = vigil.last(now) if over else vigil.look(now)
        except NotJudgedError as error:
            if over or not error.to_come:
                raise
            found, vigil.seen = None, str(error)
        except ApiError as error:
            if over or 0 < error.status < _SERVER_ERROR:
                raise
            found, vigil.seen = None, str(error)  # it may be back at the next look
        if found is not None:
            return found
        on_look(vigil.seen)
        sleep(min(LOOK_EVERY_S, max(0.0, (until - clock()).total_seconds())))


@dataclass(slots=True)
class Vigil:
    """What is remembered from look to look. `seen`: what the last look saw, in words."""

    asking: Asking
    wait_s: float
    seen: str = ""
    _lines: Lines | None = None
    _watches: dict[Comparison, Watch] = field(default_factory=dict)
    _before: list[Arm] = field(default_factory=list)
    _early_looks: int = 0
    _next_size: int = 0

    def look(self, now: datetime) -> ReleaseJudgement | None:
        """Return the judgement if it is certain enough to end the wait, else None."""
        sides, counted = self._counted(now)
        findings = self._harm(sides, counted) or self._held(sides, counted)
        if findings is None:
            return None
        found = self._concluded(sides, counted, findings, now)
        return found if found.verdict in {"held", "deviated"} else None

    def last(self, now: datetime) -> ReleaseJudgement:
        """Return the judgement by what there is."""
        sides, counted = self._counted(now, durations=True)
        return self._concluded(sides, counted, findings_of(self.asking.asked, counted, sides.comparison), now)

    def _counted(self, now: datetime, *, durations: bool = False) -> tuple[Sides, list[Counted]]:
        sides = self.asking.sides(now)
        if self._lines is None:
            self._lines = self.asking.lines(sides)  # margins and thresholds stay what they were at the first look
        counted = self.asking.count(self._lines.lines, sides, durations=durations)
        arms = counted[0]
        self.seen = (
            f"{sides.comparison}: {arms.treatment.total} requests of {self.asking.asked.to_version}, "
            f"{arms.control.total} of {self.asking.asked.from_version}"
        )
        return sides, counted

    def _concluded(
        self, sides: Sides, counted: Sequence[Counted], findings: Sequence[Finding], now: datetime
    ) -> ReleaseJudgement:
        notes = () if self._lines is None else self._lines.notes
        found = conclude(self.asking.asked, sides, counted, findings=findings, judged_at=now, notes=notes)
        if found.verdict != "deviated":
            return found
        return found.model_copy(update={"exemplars": self.asking.worst(sides)})

    def _harm(self, sides: Sides, counted: Sequence[Counted]) -> list[Finding] | None:
        """Return findings that deviate, if the watch is certain too."""
        comparison = sides.comparison
        if comparison not in self._watches:  # roll-outs that turn side by side have a watch of each kind
            margins = [each.line.hypothesis.margin for each in counted]
            self._watches[comparison] = start_watch(margins, comparison=comparison, alpha=ALPHA / 2)
        try:
            self._watches[comparison] = self._watches[comparison].look(self._line_counts(sides, counted))
        except StatisticError:
            return None  # the new version was deployed anew: what was counted before is no part of it
        if self._watches[comparison].cause != "harm":
            return None
        findings = findings_of(self.asking.asked, counted, comparison, least=LEAST_WATCHED)
        return findings if _verdict(findings) == "deviated" else None

    def _held(self, sides: Sides, counted: Sequence[Counted]) -> list[Finding] | None:
        """Return findings that hold, if it is time to look at them."""
        size = min(min(each.control.total, each.treatment.total) for each in counted)
        if size < max(self._next_size, self.asking.asked.min_samples, 1):
            return None
        self._early_looks += 1
        self._next_size = 2 * size
        confidence = look_confidence(self._early_looks)
        findings = findings_of(self.asking.asked, counted, sides.comparison, confidence=confidence)
        return findings if _verdict(findings) == "held" else None

    def _line_counts(self, sides: Sides, counted: Sequence[Counted]) -> list[LineCounts]:
        if not self._before:
            length = max(sides.before.length, timedelta(seconds=self.wait_s))
            time = Stretch(sides.before.end - length, sides.before.end)
            self._before = [self.asking.old(each.line.hypothesis, time) for each in counted]
        if sides.comparison == "before/after":
            return [LineCounts(before, each.treatment) for before, each in zip(self._before, counted, strict=True)]
        return [
            LineCounts(before, each.treatment, each.control) for before, each in zip(self._before, counted, strict=True)
        ]


def _verdict(findings: Sequence[Finding]) -> str:
    return run_verdict(findings, Sighting(seen=True, evidence=""))
