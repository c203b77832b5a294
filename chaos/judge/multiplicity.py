"""Several lines of one hypothesis, each with its own chance of a false alarm. Pure.

Held needs every line, so more lines only make it harder to get by chance. Deviated needs one line, so each adds a
chance of a false one; there the lines have to pass Holm's step-down procedure as well (Holm 1979, Scandinavian Journal
of Statistics 6). It holds whatever the lines have in common, and availability and latency of one service have the
requests in common. The level is what one line alone has: a two-sided 95 % interval leaves 2.5 % on its upper side.
"""

from collections.abc import Sequence
from statistics import NormalDist

from api.models import Finding
from chaos.judge.luck import chance_of_luck
from chaos.judge.sample_size import samples_to_decide
from slo.confidence import newcombe_interval

_ORDER = ("deviated", "inconclusive", "held")
_MOST_Z = 8.0  # beyond it a confidence cannot be told from 1


def chance_beyond(
    control_bad: int, control_total: int, treatment_bad: int, treatment_total: int, *, margin: float
) -> float:
    """Return the one-sided p-value of "treatment is worse by more than *margin*"; 1 where it does not look so.

    It belongs to what decides: the lower end of Newcombe's interval with confidence 1 - 2p is the margin, and p is no
    smaller than the chance of luck in one arm.

    >>> round(chance_beyond(1, 1000, 20, 1000, margin=0.01), 3)
    0.018
    """
    control, treatment = control_bad / control_total, treatment_bad / treatment_total
    if treatment - control <= margin:
        return 1.0
    low, high = 0.0, _MOST_Z
    for _ in range(60):
        z = (low + high) / 2
        confidence = 1 - 2 * NormalDist().cdf(-z)
        beyond = (
            confidence <= 0
            or newcombe_interval(control, control_total, treatment, treatment_total, confidence=confidence).low > margin
        )
        low, high = (z, high) if beyond else (low, z)
    luck = chance_of_luck(control_bad, control_total, treatment_bad, treatment_total, margin=margin)
    return max(luck, NormalDist().cdf(-low))


def holm(chances: Sequence[float], *, tests: int, level: float) -> list[bool]:
    """Return which of *chances*, the p-values of some of *tests* tests, are below what Holm's procedure asks for.

    >>> holm([0.04, 0.001], tests=3, level=0.05)
    [False, True]
    """
    ranked = sorted(range(len(chances)), key=chances.__getitem__)
    passed = [False] * len(chances)
    for rank, index in enumerate(ranked):
        if chances[index] > level / (tests - rank):
            break
        passed[index] = True
    return passed


def settle(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of one run, the decisive ones first; a deviation that chance explains is inconclusive.

    Doing it again changes nothing.
    """
    suspects = [index for index, finding in enumerate(findings) if finding.verdict == "deviated"]
    chances = [_chance(findings[index]) for index in suspects]
    level = min(((1 - finding.confidence) / 2 for finding in findings), default=0.0)
    passed = holm(chances, tests=len(findings), level=level * (1 + 1e-9))
    chance_alone = {index for index, real in zip(suspects, passed, strict=True) if not real}
    settled = [
        _doubted(finding, len(findings)) if index in chance_alone else finding for index, finding in enumerate(findings)
    ]
    return sorted(settled, key=lambda finding: (_ORDER.index(finding.verdict), -_beyond(finding)))


def _chance(finding: Finding) -> float:
    return chance_beyond(
        finding.control_bad,
        finding.control_total,
        finding.treatment_bad,
        finding.treatment_total,
        margin=finding.margin,
    )


def _doubted(finding: Finding, lines: int) -> Finding:
    control, treatment = finding.control_bad / finding.control_total, finding.treatment_bad / finding.treatment_total
    needed = samples_to_decide(control, treatment, finding.margin, confidence=1 - (1 - finding.confidence) / lines)
    reason = f"the interval is beyond the margin, but no more than chance makes one of {lines} lines look"
    return finding.model_copy(update={"verdict": "inconclusive", "reason": reason, "samples_needed": needed})


def _beyond(finding: Finding) -> float:
    """Return how far the interval reaches beyond the margin, to rank findings of one verdict."""
    if finding.interval_low is None or finding.interval_high is None:
        return -1.0
    return (finding.interval_low if finding.verdict == "deviated" else finding.interval_high) - finding.margin
