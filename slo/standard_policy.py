"""The Site Reliability Workbook's burn-rate alerts, fitted to an objective's own target and window."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import yaml

from slo.duration import format_duration, parse_duration
from slo.policy import SEVERITIES, AlertPolicy, BurnRatePair, Severity, burn_rate_factor

STANDARD_POLICY_NAME: Final = "burn-rate"

_MINUTE: Final = timedelta(minutes=1)
# Within this range of periods the workbook's windows serve as they are. In shorter ones fixed windows would alert
# below burn rate 1, in longer ones they would take a small slice of the budget for a large one; there they scale.
_FIXED_WINDOWS: Final = (timedelta(days=14), timedelta(days=45))


@dataclass(frozen=True, slots=True)
class StandardPair:
    """One line of the policy file: alert when *budget_share* of the period's budget is spent within `long`."""

    budget_share: Fraction
    long: timedelta
    short: timedelta
    severity: Severity


@dataclass(frozen=True, slots=True)
class FittedPolicy:
    """A policy for one objective, and what had to be left out of it, in words."""

    policy: AlertPolicy
    warnings: tuple[str, ...] = ()


@lru_cache(maxsize=4096)  # every evaluation of an objective without conditions of its own asks for it
def standard_policy(target: Decimal, window: timedelta) -> FittedPolicy:
    """Return the workbook's pairs for *target* over *window*.

    A pair that could never fire for this target, because everything failing burns no faster, is left out with a
    warning; so is one that is too short for whole minutes when scaled to a short window.
    """
    pairs: list[BurnRatePair] = []
    warnings: list[str] = []
    for standard in _standard().pairs:
        long, short = _scaled(standard.long, window), _scaled(standard.short, window)
        if not short < long <= window:
            warnings.append(f"the {_text(standard)} alert is left out: {format_duration(window)} is too short for it")
            continue
        factor = burn_rate_factor(standard.budget_share, window, long)
        if can_fire(factor, target):
            pairs.append(BurnRatePair(long, short, factor, standard.severity))
        else:
            warnings.append(f"the {_text(standard)} alert is left out: {unreachable(factor, target)}")
    return FittedPolicy(AlertPolicy(STANDARD_POLICY_NAME, tuple(pairs)), tuple(warnings))


def can_fire(factor: Fraction, target: Decimal) -> bool:
    """Whether total failure, which burns at 1 / (1 - target), exceeds *factor*."""
    return factor * (1 - Fraction(target)) < 1


def unreachable(factor: Fraction, target: Decimal) -> str:
    """Return why *factor* can never be exceeded with *target*."""
    highest = float(1 / (1 - Fraction(target)))
    return f"it needs a burn rate above {float(factor):g}, but at target {target} total failure burns at {highest:g}"


@dataclass(frozen=True, slots=True)
class _Standard:
    period: timedelta
    pairs: tuple[StandardPair, ...]


@cache
def _standard() -> _Standard:
    """Read the policy file that ships inside this package."""
    document = yaml.safe_load((files("slo") / "policies" / "google-30d.yaml").read_text(encoding="utf-8"))
    pairs = tuple(
        StandardPair(
            budget_share=Fraction(line["budget_share"]),
            long=parse_duration(line["long"]),
            short=parse_duration(line["short"]),
            severity=next(severity for severity in SEVERITIES if severity == line["severity"]),
        )
        for line in document["pairs"]
    )
    return _Standard(parse_duration(document["period"]), pairs)


def _scaled(alert_window: timedelta, window: timedelta) -> timedelta:
    shortest, longest = _FIXED_WINDOWS
    if shortest <= window <= longest:
        return alert_window
    minutes = Fraction(alert_window // _MINUTE) * (window // _MINUTE) / (_standard().period // _MINUTE)
    return max(round(minutes), 1) * _MINUTE


def _text(pair: StandardPair) -> str:
    return f"{format_duration(pair.long)}/{format_duration(pair.short)} {pair.severity}"
