"""What must be so for a verdict to mean anything. Pure: every check is given what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.models import Comparison, RunCheck, Verdict
from chaos.judge.decision import CONFIDENCE, Arm, decide
from chaos.judge.sample_ratio import MISMATCH, sample_ratio_chance
from chaos.judge.sighting import Sighting


@dataclass(frozen=True, slots=True)
class Validity:
    """A check of a run, and what it makes of the verdict; None where it leaves the verdict alone."""

    check: RunCheck
    makes: Verdict | None


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One line of the hypothesis in the requests that no fault touched: before the run, and in the control arm."""

    name: str
    margin: float
    baseline: Arm
    control: Arm


def validate(
    sighting: Sighting,
    newest_span_at: Mapping[str, datetime | None],
    *,
    until: datetime,
    comparison: Comparison,
    arm_sizes: tuple[int, int] = (0, 0),
    control_lines: Sequence[ControlLine] = (),
) -> list[Validity]:
    """Return all checks that apply to a run.

    Args:
        sighting: of the fault in the victim's own spans.
        newest_span_at: each judged service's newest stored span.
        until: the end of the last window that was counted.
        comparison: windows one after the other have no arms to check.
        arm_sizes: entry requests of the control and of the treatment arm, for a concurrent comparison.
        control_lines: the lines of the hypothesis, for a concurrent comparison.
    """
    checks = [fault_seen(sighting), fresh_data(newest_span_at, until=until)]
    if comparison == "concurrent":
        checks += [sample_ratio(*arm_sizes), untouched_control(control_lines)]
    return checks


def fault_seen(sighting: Sighting) -> Validity:
    """Was the fault there at all? Without it nothing was tested."""
    name = "fault seen in spans"
    return _passed(name, sighting.evidence) if sighting.seen else _failed(name, sighting.evidence, "not_injected")


def fresh_data(newest_span_at: Mapping[str, datetime | None], *, until: datetime) -> Validity:
    """Do all services have spans as new as the windows? What is not stored yet may be the bad part.

    >>> fresh_data({"gateway": None}, until=datetime(2026, 3, 4)).check.detail
    'gateway has no spans; the end of the last window is not covered'
    """
    stale = [
        f"{service} has no spans"
        if newest is None
        else f"{service} ends {(until - newest).total_seconds():.1f} s early"
        for service, newest in newest_span_at.items()
        if newest is None or newest < until
    ]
    if stale:
        detail = f"{', '.join(stale)}; the end of the last window is not covered"
        return _failed("fresh data", detail, "inconclusive")
    return _passed("fresh data", "every service has spans from after the last window")


def sample_ratio(control_total: int, treatment_total: int, *, treatment_share: float = 0.5) -> Validity:
    """Were the arms as large as they were drawn? Else requests are missing from one, and not by chance.

    >>> sample_ratio(1000, 850).makes
    'inconclusive'
    >>> sample_ratio(1000, 940).makes is None
    True
    """
    chance = sample_ratio_chance(control_total, treatment_total, treatment_share=treatment_share)
    detail = (
        f"{control_total} requests in control, {treatment_total} in treatment: chance does so in {chance:.2g} of runs"
    )
    name = "sample ratio"
    return _failed(name, detail, "inconclusive") if chance < MISMATCH else _passed(name, detail)


def untouched_control(lines: Sequence[ControlLine]) -> Validity:
    """Is the control arm still what it was before the run? If it got worse too, the fault leaked or is not to blame.

    With several lines each is asked for more certainty, so that chance makes at most one run in 40 void.
    """
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(lines))
    decisions = [
        (line, decide(line.baseline, line.control, margin=line.margin, min_samples=1, confidence=confidence))
        for line in lines
    ]
    worse = [line for line, decision in decisions if decision.verdict == "deviated"]
    unknown = [line for line, decision in decisions if decision.difference is None]
    if worse:
        detail = f"the control arm got worse as well: {_counts(worse)}; the difference is not the fault's alone"
        return _failed("control untouched", detail, "inconclusive")
    if unknown or not lines:
        detail = "there is no baseline or no control arm to compare" + f": {_counts(unknown)}" * bool(unknown)
        return _failed("control untouched", detail, None)
    return _passed("control untouched", f"no worse than before: {_counts(lines)}")


def _counts(lines: Sequence[ControlLine]) -> str:
    return ", ".join(f"{line.name} {_ratio(line.control)} bad, before {_ratio(line.baseline)}" for line in lines)


def _ratio(arm: Arm) -> str:
    return f"{arm.bad} of {arm.total}"


def _passed(name: str, detail: str) -> Validity:
    return Validity(RunCheck(name=name, ok=True, detail=detail), None)


def _failed(name: str, detail: str, makes: Verdict | None) -> Validity:
    return Validity(RunCheck(name=name, ok=False, detail=detail, blocks=makes is not None), makes)
