"""A run in plain words. Pure."""

from collections.abc import Sequence

from api.models import Comparison, Finding, Verdict
from chaos.judge.sighting import Sighting
from chaos.judge.wording import WORDINGS
from chaos.runner.measure import Recovery

_OPENINGS: dict[Verdict, str] = {
    "held": "Held: the hypothesis survived the fault.",
    "deviated": "Deviated: the fault hurt more than the hypothesis allows.",
    "inconclusive": "Inconclusive: the data do not decide.",
    "not_injected": "Not injected: the fault cannot be seen in the victim's own spans, so nothing was tested.",
    "aborted": "Aborted: the run ended before it could prove anything.",
}
_WEAKER = "Before/after comparison: weaker than a control at the same time, as drifting traffic would count as effect."


def summarise(
    verdict: Verdict,
    findings: Sequence[Finding],
    sighting: Sighting,
    recoveries: Sequence[Recovery],
    remarks: Sequence[str] = (),
    *,
    comparison: Comparison = "before/after",
) -> str:
    """Return the verdict, then its evidence: the findings in the order given, what was seen, how it recovered."""
    evidence = f"Fault {'seen' if sighting.seen else 'not seen'}: {sighting.evidence}."
    lines = [_OPENINGS[verdict], *(_line(finding, comparison) for finding in findings), evidence]
    if recoveries:
        lines.append(_recovery_line(recoveries))
    return " ".join([*lines, *remarks, *([_WEAKER] if comparison == "before/after" else [])])


def _line(finding: Finding, comparison: Comparison) -> str:
    words = WORDINGS[comparison]
    counts = (
        f"{finding.service} {finding.sli}: {finding.treatment_bad:,} of {finding.treatment_total:,} bad"
        f" {words.treatment}, {finding.control_bad:,} of {finding.control_total:,} {words.control}"
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
        f"{each.service} {each.sli} {each.bad:,} of {each.total:,} bad, {texts[each.recovered]}" for each in recoveries
    ]
    return f"Recovery: {'; '.join(parts)}."


def _points(ratio: float) -> str:
    return f"{ratio * 100:+.2f} points"
