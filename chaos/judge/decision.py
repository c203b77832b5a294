"""One difference between two arms, and whether it is beyond a margin. Pure.

The unit is a service's entry request, one SERVER span: retries below it and the other spans of its trace are correlated
with it and are not counted again. A latency line is decided by the share of requests over its threshold, as a latency
SLI is; percentiles describe.
"""

from dataclasses import dataclass

from api.models import Verdict
from chaos.judge.luck import chance_of_luck
from chaos.judge.sample_size import samples_to_decide
from chaos.judge.wording import WORDINGS, Wording
from slo.confidence import Interval, difference_interval

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Arm:
    """Requests of one service in one window. `p95_ms` describes; it does not decide."""

    bad: int
    total: int
    p95_ms: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.bad / self.total if self.total else None


NO_REQUESTS = Arm(0, 0)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on one difference; the numbers are None where an arm had no requests.

    `samples_needed`: requests in each arm, those counted included, with which the same ratios would decide; None where
    it is decided, or where no number of requests would.
    """

    verdict: Verdict
    difference: float | None
    interval: Interval | None
    reason: str
    samples_needed: int | None = None


def decide(
    control: Arm,
    treatment: Arm,
    *,
    margin: float,
    min_samples: int,
    confidence: float = CONFIDENCE,
    wording: Wording = WORDINGS["before/after"],
) -> Decision:
    """Say whether *treatment* is worse than *control* by more than *margin*, with the two-sided *confidence* given.

    held: the whole interval of the difference is at or below the margin; deviated: the whole interval is above it;
    inconclusive: the margin lies inside, or luck in one arm alone could do it (`chaos.judge.luck`), or an arm has under
    *min_samples* requests (never fewer than one).

    >>> decide(Arm(1, 1000), Arm(2, 1000), margin=0.01, min_samples=100).verdict
    'held'
    >>> decide(Arm(1, 1000), Arm(200, 1000), margin=0.01, min_samples=100).verdict
    'deviated'
    >>> decide(Arm(1, 100), Arm(1, 100), margin=0.02, min_samples=100).samples_needed
    303
    >>> decide(Arm(0, 0), Arm(0, 0), margin=0.01, min_samples=0).reason
    'no requests before the fault; an empty window proves nothing'
    """
    if control.ratio is None or treatment.ratio is None:
        where = wording.control if control.ratio is None else wording.treatment
        reason = f"no requests {where}; an empty {wording.side} proves nothing"
        return Decision("inconclusive", None, None, reason, max(1, min_samples))
    difference = treatment.ratio - control.ratio
    interval = difference_interval(control.bad, control.total, treatment.bad, treatment.total, confidence=confidence)
    fewest = min(control.total, treatment.total)
    needed = samples_to_decide(control.ratio, treatment.ratio, margin, confidence=confidence)
    if fewest < min_samples:
        side, short = wording.side, min_samples - fewest
        reason = f"{fewest} requests in the smaller {side}, {min_samples} are asked for: {short} more"
        return Decision("inconclusive", difference, interval, reason, needed and max(needed, min_samples))
    if interval.low <= margin < interval.high:
        return Decision("inconclusive", difference, interval, _undecided(needed, fewest, wording), needed)
    held = interval.high <= margin
    where = f"the whole interval is {'within' if held else 'beyond'} the margin"
    if _luck(control, treatment, margin, held=held) > (1 - confidence) / 2:
        more = _without_luck(control, treatment, margin, held=held, doubt=(1 - confidence) / 2)
        reason = f"{where}, but so few requests that luck in one {wording.side} could do it"
        return Decision("inconclusive", difference, interval, reason, more)
    return Decision("held" if held else "deviated", difference, interval, where)


def _luck(control: Arm, treatment: Arm, margin: float, *, held: bool, times: int = 1) -> float:
    low, high, beyond = (treatment, control, -margin) if held else (control, treatment, margin)
    return chance_of_luck(low.bad * times, low.total * times, high.bad * times, high.total * times, margin=beyond)


def _without_luck(control: Arm, treatment: Arm, margin: float, *, held: bool, doubt: float) -> int | None:
    """Return how many requests in the smaller arm would rule luck out, the ratios staying the same."""
    times = (2**power for power in range(1, 12))
    enough = (each for each in times if _luck(control, treatment, margin, held=held, times=each) <= doubt)
    found = next(enough, None)
    return found and found * min(control.total, treatment.total)


def _undecided(needed: int | None, fewest: int, wording: Wording) -> str:
    if needed is None:
        return "the difference is at the margin itself; no number of requests would tell"
    more = max(1, needed - fewest)
    return f"the margin lies inside the interval; about {more} more requests {_an(wording.side)} would tell"


def _an(side: str) -> str:
    return f"{'an' if side[0] in 'aeiou' else 'a'} {side}"
