"""Alert policies as the annotations of an SLO file."""

from datetime import timedelta
from fractions import Fraction
from typing import Final

from slo.duration import format_duration
from slo.errors import InvalidObjective
from slo.model import Slo
from slo.policy import NO_POLICY, BurnRatePair, Condition
from slo.policy_text import BREACH_POLICY_NAME, POLICY_ANNOTATION, WINDOWS_ANNOTATION
from slo.standard_policy import STANDARD_POLICY_NAME, standard_policy

_MOST_DECIMALS: Final = 30
_SECOND: Final = timedelta(seconds=1)


def write_policy(slo: Slo) -> dict[str, str]:
    """Return the annotations that spell the policy of *slo*; a draft asks for the standard one.

    A policy that came from an AlertPolicy document is written as burn-rate: its name is lost, its conditions are not.

    Raises:
        InvalidObjective: a condition cannot be spelt exactly.
    """
    policy = slo.policy
    if slo.draft or policy == standard_policy(slo.target, slo.period).policy:
        return {POLICY_ANNOTATION: STANDARD_POLICY_NAME}
    if not policy.conditions:
        return {POLICY_ANNOTATION: NO_POLICY.name}
    burning = [isinstance(condition, BurnRatePair) for condition in policy.conditions]
    if any(burning) != all(burning):
        raise InvalidObjective(f"{slo.id!r} alerts on burn rates and on a breach; a file can say one of the two")
    name = STANDARD_POLICY_NAME if all(burning) else BREACH_POLICY_NAME
    windows = ", ".join(_condition(slo, condition) for condition in policy.conditions)
    return {POLICY_ANNOTATION: name, WINDOWS_ANNOTATION: windows}


def _condition(slo: Slo, condition: Condition) -> str:
    windows = f"{format_duration(condition.long)}/{format_duration(condition.short)} {condition.severity}"
    return f"{_share(slo, condition)}%/{windows}" if isinstance(condition, BurnRatePair) else windows


def _share(slo: Slo, pair: BurnRatePair) -> str:
    """Return the share of the budget, in percent, that the factor of *pair* spends within its long window."""
    share = 100 * pair.factor * Fraction(pair.long // _SECOND, slo.period // _SECOND)
    digits = next((n for n in range(_MOST_DECIMALS) if 10**n % share.denominator == 0), None)
    if digits is None or share > 100:
        raise InvalidObjective(
            f"burn rate {pair.factor} of {slo.id!r} is {float(share):g} % of the budget in "
            f"{format_duration(pair.long)}, which {WINDOWS_ANNOTATION} cannot spell exactly"
        )
    text = f"{share.numerator * 10**digits // share.denominator:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text
