"""One difference between two arms, and whether it is beyond a margin. Pure.

The unit is a service's entry request, one SERVER span: retries below it and the other spans of its trace are correlated
with it and are not counted again. A latency line is decided by the share of requests over its threshold, as a latency
SLI is; percentiles describe.
"""

from dataclasses import dataclass

from api.models import Verdict
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
    inconclusive: the margin lies inside, or an arm has under *min_samples* requests (never fewer than one).

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
    if interval.high <= margin:
        return Decision("held", difference, interval, "the whole interval is within the margin")
    if interval.low > margin:
        return Decision("deviated", difference, interval, "the whole interval is beyond the margin")
    return Decision("inconclusive", difference, interval, _undecided(needed, fewest, wording), needed)


def _undecided(needed: int | None, fewest: int, wording: Wording) -> str:
    if needed is None:
        return "the difference is at the margin itself; no number of requests would tell"
    more = max(1, needed - fewest)
    return f"the margin lies inside the interval; about {more} more requests {_an(wording.side)} would tell"


def _an(side: str) -> str:
    return f"{'an' if side[0] in 'aeiou' else 'a'} {side}"
