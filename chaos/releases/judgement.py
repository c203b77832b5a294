"""What became of a release: counts of both versions in, verdict out. Pure; it is the judge of experiments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.models import BudgetCost, Comparison, Finding, RunCheck, RunWindow, Slo, SloSides, Verdict
from api.models.base import Model
from chaos.experiments.hypotheses import Judged
from chaos.judge.bootstrap import p95_difference
from chaos.judge.decision import CONFIDENCE, NO_REQUESTS, Arm, decide
from chaos.judge.multiplicity import settle
from chaos.judge.sighting import Sighting
from chaos.judge.validity import Validity
from chaos.judge.verdict import find, run_verdict
from chaos.judge.wording import Wording
from chaos.releases.lines import Line
from chaos.releases.serving import Sides, Stretch
from chaos.runner.cost import allowed_bad, spent

MIN_SAMPLES: Final = 100
_NO_FAULT: Final = Sighting(seen=True, evidence="")  # nothing is injected, so nothing needs to be seen


@dataclass(frozen=True, slots=True)
class Asked:
    """The question. `window` None is since the deploy; `margin` None is 1 - objective, line by line."""

    service: str
    from_version: str
    to_version: str
    environment: str | None = None
    window: timedelta | None = None
    min_samples: int = MIN_SAMPLES
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Both versions by one line. `before`: the old version before the deploy. `whole`: the new one since then."""

    line: Line
    control: Arm
    treatment: Arm
    before: Arm = NO_REQUESTS
    whole: Arm = NO_REQUESTS
    durations_ms: tuple[Sequence[float], Sequence[float]] = ((), ())


class ReleaseJudgement(Model):
    """The verdict on one release. `deployed_at`: the first request of the new version in the window.

    `budget`: what the new version cost beyond what the old one lets expect (`chaos_share`, of the whole budget).
    `windows`: what was counted, with the phases "from" and "to"; side by side they are the same. `exemplars`: the worst
    traces of the new version, where it deviated.
    """

    service: str
    from_version: str
    to_version: str
    environment: str
    verdict: Verdict
    comparison: Comparison
    why: str
    deployed_at: datetime
    judged_at: datetime
    windows: list[RunWindow]
    findings: list[Finding]
    checks: list[RunCheck]
    budget: list[BudgetCost]
    notes: list[str]
    exemplars: list[str]

    @property
    def exit_code(self) -> int:
        """0 held, 1 deviated, 3 inconclusive."""
        return {"held": 0, "deviated": 1}.get(self.verdict, 3)


def findings_of(
    asked: Asked,
    counted: Sequence[Counted],
    comparison: Comparison,
    *,
    confidence: float = CONFIDENCE,
    least: int | None = None,
) -> list[Finding]:
    """Return what each line came to, the decisive ones first.

    Args:
        asked: the question; it names the versions.
        counted: the lines.
        comparison: side by side or one after the other.
        confidence: of the intervals.
        least: requests of each version below which nothing is decided, where it is not what was asked for.
    """
    wording = Wording(f"of {asked.from_version}", f"of {asked.to_version}", "version")
    return settle(
        [
            find(
                each.line.hypothesis,
                each.control,
                each.treatment,
                min_samples=asked.min_samples if least is None else least,
                confidence=confidence,
                comparison=comparison,
                wording=wording,
                p95_difference=p95_difference(*each.durations_ms) if each.line.hypothesis.sli == "latency" else None,
            )
            for each in counted
        ]
    )


def conclude(
    asked: Asked,
    sides: Sides,
    counted: Sequence[Counted],
    *,
    findings: Sequence[Finding],
    judged_at: datetime,
    notes: Sequence[str] = (),
) -> ReleaseJudgement:
    """Return the judgement that *findings* of *counted* make.

    A check can only turn good news into none: whatever else is wrong, the new version did worse than the old one.
    """
    validity = validity_of(asked, sides, counted)
    verdict = run_verdict(findings, _NO_FAULT)
    if verdict != "deviated":
        verdict = run_verdict(findings, _NO_FAULT, validity=validity)
    return ReleaseJudgement(
        service=asked.service,
        from_version=asked.from_version,
        to_version=asked.to_version,
        environment=asked.environment or "",
        verdict=verdict,
        comparison=sides.comparison,
        why=sides.why,
        deployed_at=sides.deployed.start,
        judged_at=judged_at,
        windows=[*_windows("from", sides.control), *_windows("to", sides.treatment)],
        findings=list(findings),
        checks=[each.check for each in validity],
        budget=[cost_of(slo, each) for each in counted for slo in each.line.slos],
        notes=list(notes),
        exemplars=[],
    )


def validity_of(asked: Asked, sides: Sides, counted: Sequence[Counted]) -> list[Validity]:
    """Return what must be so for "held" to mean anything."""
    found = [_still_serving(asked, sides)]
    return [*found, _old_version_as_before(asked, counted)] if sides.comparison == "concurrent" else found


def cost_of(slo: Slo, counted: Counted) -> BudgetCost:
    """Return what all requests of the new version took from one budget, beyond what the old one lets expect."""
    return spent(
        SloSides(
            slo_id=slo.id,
            service=slo.service,
            environment=slo.environment,
            objective=slo.objective,
            total=counted.whole.total,
            bad=counted.whole.bad,
            control_total=counted.control.total,
            control_bad=counted.control.bad,
            treatment_total=counted.treatment.total,
            treatment_bad=counted.treatment.bad,
            window_total=slo.total,
            budget_events=_budget_events(slo),
            error_budget_remaining=slo.error_budget_remaining,
        ),
        predicted=None,
    )


def _budget_events(slo: Slo) -> float | None:
    """Return how many events may be bad; None where nothing was counted or slices of time are."""
    return allowed_bad(slo) if slo.total and slo.budgeting == "occurrences" else None


def _still_serving(asked: Asked, sides: Sides) -> Validity:
    name, version = "still serving", asked.to_version
    if sides.gone is None:
        return _checked(name, f"{version} answered to the end, or another version took its place", ok=True)
    detail = (
        f"{version} answered nothing since {sides.deployed.end:%H:%M:%S} UTC and no newer version did: "
        "it was taken back, or it died"
    )
    return _checked(name, detail, ok=False)


def _old_version_as_before(asked: Asked, counted: Sequence[Counted]) -> Validity:
    """Did the old version suffer as well? Then the new one may hurt what both share, and looks no worse beside it."""
    name, version = "old version as before", asked.from_version
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(counted))
    decided = [(each.line.hypothesis, _against_before(each, confidence)) for each in counted if each.before.total]
    worse = [line for line, verdict in decided if verdict == "deviated"]
    if worse:
        detail = (
            f"{version} got worse as well since {asked.to_version} came ({'; '.join(_short(line) for line in worse)}): "
            "something else is wrong, or the new version hurts what both share"
        )
        return _checked(name, detail, ok=False)
    if not decided:
        return Validity(
            RunCheck(name=name, ok=False, detail=f"no requests of {version} before to compare with", blocks=False), None
        )
    return _checked(name, f"{version} is no worse than before {asked.to_version} came", ok=True)


def _against_before(counted: Counted, confidence: float) -> Verdict:
    margin = counted.line.hypothesis.margin
    return decide(counted.before, counted.control, margin=margin, min_samples=1, confidence=confidence).verdict


def _checked(name: str, detail: str, *, ok: bool) -> Validity:
    return Validity(RunCheck(name=name, ok=ok, detail=detail), None if ok else "inconclusive")


def _short(line: Judged) -> str:
    return line.sli if line.threshold_ms is None else f"{line.sli} over {line.threshold_ms:g} ms"


def _windows(phase: str, stretches: Sequence[Stretch]) -> list[RunWindow]:
    return [RunWindow(phase=phase, started_at=each.start, ended_at=each.end) for each in stretches]
