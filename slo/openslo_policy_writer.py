"""Alert policies as an SLO document spells them: our annotations, or alertPolicies."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from slo.decimal_text import decimal_text
from slo.duration import format_duration
from slo.errors import InvalidObjective
from slo.model import Slo
from slo.openslo_yaml import Fields
from slo.policy import NO_POLICY, BurnRatePair, Condition
from slo.policy_text import BREACH_POLICY_NAME, POLICY_ANNOTATION, WINDOWS_ANNOTATION
from slo.standard_policy import STANDARD_POLICY_NAME, standard_policy
from slo.window import MINUTE

_SECOND: Final = timedelta(seconds=1)
_LONG_OVER_SHORT: Final = 12  # Site Reliability Workbook, chapter 5


@dataclass(frozen=True, slots=True)
class WrittenPolicy:
    """The annotations of an SLO document that say when it alerts, and the `alertPolicies` of its spec."""

    annotations: dict[str, str] = field(default_factory=dict)
    policies: list[Fields] = field(default_factory=list)


def write_policy(slo: Slo) -> WrittenPolicy:
    """Return the policy of *slo* as a document spells it; a draft asks for the standard one.

    Ours are annotations; one that came from AlertPolicy documents is such a document again, under its own name, and an
    annotation only where OpenSLO's one window cannot tell the short one.

    Raises:
        InvalidObjective: a condition cannot be spelt exactly.
    """
    policy = slo.policy
    if slo.draft or policy == standard_policy(slo.target, slo.period).policy:
        return WrittenPolicy({POLICY_ANNOTATION: STANDARD_POLICY_NAME})
    if not policy.conditions:
        return WrittenPolicy({POLICY_ANNOTATION: NO_POLICY.name})
    pairs = [condition for condition in policy.conditions if isinstance(condition, BurnRatePair)]
    if not pairs:
        return _annotated(BREACH_POLICY_NAME, [_windows(condition) for condition in policy.conditions])
    if len(pairs) < len(policy.conditions):
        raise InvalidObjective(f"{slo.id!r} alerts on burn rates and on a breach; a file can say one of the two")
    shares = [_share_text(slo, pair) for pair in pairs]
    spelt = [f"{share}%/{_windows(pair)}" for share, pair in zip(shares, pairs, strict=True) if share is not None]
    if len(spelt) == len(pairs) and (policy.name == STANDARD_POLICY_NAME or not all(map(_has_one_window, pairs))):
        return _annotated(STANDARD_POLICY_NAME, spelt)
    for pair in pairs:
        if not _has_one_window(pair) or decimal_text(pair.factor) is None:
            raise InvalidObjective(
                f"the burn rate {pair.factor} of {slo.id!r} over {_windows(pair)} is neither an exact share of the "
                f"budget, as {WINDOWS_ANNOTATION} has it, nor a decimal number over 12 times the short window"
            )
    return WrittenPolicy(policies=_policies(policy.name, pairs))


def _annotated(name: str, windows: list[str]) -> WrittenPolicy:
    return WrittenPolicy({POLICY_ANNOTATION: name, WINDOWS_ANNOTATION: ", ".join(windows)})


def _share_text(slo: Slo, pair: BurnRatePair) -> str | None:
    """Return what share of the budget *pair* is, in percent, None if decimals do not end or it is more than all."""
    share = pair.factor * Fraction(pair.long // _SECOND, slo.period // _SECOND)
    return None if share > 1 else decimal_text(100 * share)


def _windows(condition: Condition) -> str:
    return f"{format_duration(condition.long)}/{format_duration(condition.short)} {condition.severity}"


def _has_one_window(pair: BurnRatePair) -> bool:
    """Whether the short window is the one that a reader of OpenSLO's one window puts beside it."""
    return pair.short == max(pair.long // _LONG_OVER_SHORT // MINUTE * MINUTE, MINUTE)


def _policies(name: str, pairs: list[BurnRatePair]) -> list[Fields]:
    """Return one policy for each of *pairs* where *name* lists as many, else one for all."""
    names = name.split(", ")
    if len(names) != len(pairs):
        return [_policy(name, pairs)]
    return [_policy(own, [pair]) for own, pair in zip(names, pairs, strict=True)]


def _policy(name: str, pairs: list[BurnRatePair]) -> Fields:
    target = _object("AlertNotificationTarget", "ninelives", {"target": "ninelives"})
    spec: Fields = {
        "alertWhenBreaching": True,
        "alertWhenResolved": True,
        "alertWhenNoData": False,
        "conditions": [_condition(pair) for pair in pairs],
        "notificationTargets": [target],
    }
    return _object("AlertPolicy", name, spec)


def _condition(pair: BurnRatePair) -> Fields:
    condition = {
        "kind": "burnrate",
        "op": "gt",
        "threshold": Decimal(decimal_text(pair.factor) or ""),
        "lookbackWindow": format_duration(pair.long),
        "alertAfter": "0m",
    }
    name = f"{pair.severity}-{format_duration(pair.long)}"
    return _object("AlertCondition", name, {"severity": pair.severity, "condition": condition})


def _object(kind: str, name: str, spec: Fields) -> Fields:
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}
