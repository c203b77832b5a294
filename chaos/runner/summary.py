"""A run in plain words. Pure."""

from collections.abc import Sequence

from api.models import Finding, Verdict
from chaos.judge.sighting import Sighting
from chaos.runner.measure import Recovery

_OPENINGS: dict[Verdict, str] = {
    "held": "Held: the hypothesis survived the fault.",
    "deviated": "Deviated: the fault hurt more than the hypothesis allows.",
    "inconclusive": "Inconclusive: the data do not decide.",
    "not_injected": "Not injected: the fault cannot be seen in the victim's own spans, so nothing was tested.",
}
_WEAKER = "Before/after comparison: weaker than a control at the same time, as drifting traffic would count as effect."


def summarise(
    verdict: Verdict,
    findings: Sequence[Finding],
    sighting: Sighting,
    recoveries: Sequence[Recovery],
    remarks: Sequence[str] = (),
) -> str:
    """Return the verdict, then its evidence, worst finding first."""
    order = ("deviated", "inconclusive", "held")
    ranked = sorted(findings, key=lambda finding: order.index(finding.verdict))
    evidence = f"Fault {'seen' if sighting.seen else 'not seen'}: {sighting.evidence}."
    lines = [_OPENINGS[verdict], *(_line(finding) for finding in ranked), evidence, _recovery_line(recoveries)]
    return " ".join([*lines, *remarks, _WEAKER])


def _line(finding: Finding) -> str:
    counts = (
        f"{finding.service} {finding.sli}: {finding.treatment_bad} of {finding.treatment_total} bad under the fault, "
        f"{finding.control_bad} of {finding.control_total} before"
    )
    if finding.difference is None or finding.interval_low is None or finding.interval_high is None:
        return f"{counts}; {finding.reason}."
    return (
        f"{counts} (difference {_points(finding.difference)}, {finding.confidence:.0%} interval "
        f"{_points(finding.interval_low)} to {_points(finding.interval_high)}, margin {_points(finding.margin)}); "
        f"{finding.reason}."
    )


def _recovery_line(recoveries: Sequence[Recovery]) -> str:
    texts = {True: "back within the margin", False: "not back within the margin", None: "too few requests to be sure"}
    parts = [
        f"{each.service} {each.sli} {each.bad} of {each.total} bad, {texts[each.recovered]}" for each in recoveries
    ]
    return f"Recovery: {'; '.join(parts)}."


def _points(ratio: float) -> str:
    return f"{ratio * 100:+.2f} points"
