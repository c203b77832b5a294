"""The judge: counts in, verdict out. Pure; it decides chaos experiments and anything else that compares two arms."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.models import Finding, Verdict
from chaos.experiments.hypotheses import AvailabilityHypothesis, LatencyHypothesis
from chaos.judge.sample_size import samples_to_decide
from chaos.judge.sighting import Sighting
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


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict on one difference; the numbers are None where an arm had no requests."""

    verdict: Verdict
    difference: float | None
    interval: Interval | None
    reason: str


def decide(
    control: Arm, treatment: Arm, *, margin: float, min_samples: int, confidence: float = CONFIDENCE
) -> Decision:
    """Say whether *treatment* is worse than *control* by more than *margin*, with the two-sided *confidence* given.

    held: the whole interval of the difference is at or below the margin; deviated: the whole interval is above it;
    inconclusive: the margin lies inside, or an arm has under *min_samples* requests (never fewer than one).

    >>> decide(Arm(1, 1000), Arm(2, 1000), margin=0.01, min_samples=100).verdict
    'held'
    >>> decide(Arm(1, 1000), Arm(200, 1000), margin=0.01, min_samples=100).verdict
    'deviated'
    >>> decide(Arm(0, 0), Arm(0, 0), margin=0.01, min_samples=0).reason
    'no requests before the fault; an empty window proves nothing'
    """
    if control.ratio is None or treatment.ratio is None:
        when = "before" if control.ratio is None else "under"
        return Decision("inconclusive", None, None, f"no requests {when} the fault; an empty window proves nothing")
    difference = treatment.ratio - control.ratio
    interval = difference_interval(control.bad, control.total, treatment.bad, treatment.total, confidence=confidence)
    fewest = min(control.total, treatment.total)
    if fewest < min_samples:
        reason = f"{fewest} requests in the smaller window, {min_samples} are asked for: {min_samples - fewest} more"
        return Decision("inconclusive", difference, interval, reason)
    if interval.high <= margin:
        return Decision("held", difference, interval, "the whole interval is within the margin")
    if interval.low > margin:
        return Decision("deviated", difference, interval, "the whole interval is beyond the margin")
    needed = samples_to_decide(control.ratio, treatment.ratio, margin, confidence=confidence)
    return Decision("inconclusive", difference, interval, _undecided(needed, fewest))


def find(
    hypothesis: AvailabilityHypothesis | LatencyHypothesis,
    control: Arm,
    treatment: Arm,
    *,
    min_samples: int,
    confidence: float = CONFIDENCE,
) -> Finding:
    """Return what one line of the hypothesis came to."""
    decision = decide(control, treatment, margin=hypothesis.margin, min_samples=min_samples, confidence=confidence)
    return Finding(
        hypothesis=str(hypothesis),
        service=hypothesis.service,
        sli=hypothesis.sli,
        verdict=decision.verdict,
        control_bad=control.bad,
        control_total=control.total,
        treatment_bad=treatment.bad,
        treatment_total=treatment.total,
        difference=decision.difference,
        interval_low=decision.interval.low if decision.interval else None,
        interval_high=decision.interval.high if decision.interval else None,
        margin=hypothesis.margin,
        confidence=confidence,
        control_p95_ms=control.p95_ms,
        treatment_p95_ms=treatment.p95_ms,
        reason=decision.reason,
    )


def run_verdict(findings: Sequence[Finding], sighting: Sighting) -> Verdict:
    """Return the verdict of a run: a fault that nobody could see proves nothing; then the worst finding decides."""
    if not sighting.seen:
        return "not_injected"
    verdicts = {finding.verdict for finding in findings}
    if "deviated" in verdicts:
        return "deviated"
    return "held" if verdicts == {"held"} else "inconclusive"


def _undecided(needed: int | None, fewest: int) -> str:
    if needed is None:
        return "the difference is at the margin itself; no number of requests would tell"
    return f"the margin lies inside the interval; about {max(1, needed - fewest)} more requests a window would tell"
