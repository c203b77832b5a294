"""The judge: counts in, verdict out. Pure; it decides chaos experiments and anything else that compares two arms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.models import Comparison, Finding, Verdict
from chaos.experiments.hypotheses import AvailabilityHypothesis, LatencyHypothesis
from chaos.judge.decision import CONFIDENCE, Arm, decide
from chaos.judge.multiplicity import settle
from chaos.judge.sighting import Sighting
from chaos.judge.validity import Validity
from chaos.judge.watch import AbortCause
from chaos.judge.wording import WORDINGS, Wording
from slo.confidence import Interval

__all__ = ["Arm", "decide", "find", "run_verdict"]


def find(
    hypothesis: AvailabilityHypothesis | LatencyHypothesis,
    control: Arm,
    treatment: Arm,
    *,
    min_samples: int,
    confidence: float = CONFIDENCE,
    comparison: Comparison = "before/after",
    p95_difference: Interval | None = None,
    wording: Wording | None = None,
) -> Finding:
    """Return what one line of the hypothesis came to; `chaos.judge.multiplicity.settle` then looks at all lines.

    Args:
        hypothesis: the line.
        control: its counts without the fault.
        treatment: its counts with the fault.
        min_samples: fewer requests in an arm decide nothing. After an abort by `chaos.judge.watch` that is the watch's
            own least number, as its test is exact for any.
        confidence: of the two-sided interval.
        comparison: whether the arms ran at the same time; it chooses the words, unless there is a *wording*.
        p95_difference: in ms, from `chaos.judge.bootstrap`; it describes.
        wording: what the sides are called, where it is not a fault that sets them apart.
    """
    decision = decide(
        control,
        treatment,
        margin=hypothesis.margin,
        min_samples=min_samples,
        confidence=confidence,
        wording=wording or WORDINGS[comparison],
    )
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
        threshold_ms=hypothesis.threshold_ms,
        p95_difference_low_ms=p95_difference.low if p95_difference else None,
        p95_difference_high_ms=p95_difference.high if p95_difference else None,
        samples_needed=decision.samples_needed,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the verdict of a run depends on."""

    verdicts: set[Verdict]
    seen: bool
    void: bool
    aborted: AbortCause | None


_RULES: tuple[tuple[Callable[[_Case], bool], Verdict], ...] = (
    (lambda case: case.aborted == "stopped", "aborted"),  # who stops a run may do so because of what it shows
    (lambda case: case.aborted == "incident", "inconclusive"),  # both arms suffer: the fault is not to blame
    (lambda case: case.aborted == "harm" and (case.void or not case.seen), "aborted"),
    (lambda case: not case.seen, "not_injected"),
    (lambda case: case.void, "inconclusive"),
    (lambda case: "deviated" in case.verdicts, "deviated"),
    (lambda case: case.aborted == "harm", "aborted"),  # too early for a line's own interval
    (lambda case: case.verdicts == {"held"}, "held"),
)


def run_verdict(
    findings: Sequence[Finding],
    sighting: Sighting,
    *,
    validity: Sequence[Validity] = (),
    aborted: AbortCause | None = None,
) -> Verdict:
    """Return the verdict of a run: the first rule of the table that applies, and inconclusive where none does.

    What makes a run void comes before what it found: a fault that nobody could see proves nothing. Then one line that
    deviated is enough, and held needs all of them. A run that was aborted because harm was certain deviated, if its
    lines say so too; else it is aborted.

    >>> run_verdict([], Sighting(seen=True, evidence=""), aborted="stopped")
    'aborted'
    """
    makes = {each.makes for each in validity}
    case = _Case(
        verdicts={finding.verdict for finding in settle(findings)},
        seen=sighting.seen and "not_injected" not in makes,
        void="inconclusive" in makes,
        aborted=aborted,
    )
    return next((verdict for applies, verdict in _RULES if applies(case)), "inconclusive")
