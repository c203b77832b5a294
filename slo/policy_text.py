"""Alert policies as an SLO file's annotations spell them."""

import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from slo.duration import format_duration, parse_duration
from slo.errors import InvalidDuration, InvalidPolicy
from slo.policy import (
    NO_POLICY,
    SEVERITIES,
    AlertPolicy,
    BurnRatePair,
    Condition,
    ObjectiveBreach,
    Severity,
    burn_rate_factor,
)
from slo.standard_policy import STANDARD_POLICY_NAME, FittedPolicy, can_fire, standard_policy, unreachable

POLICY_ANNOTATION: Final = "ninelives/alert-policy"
WINDOWS_ANNOTATION: Final = "ninelives/alert-windows"
BREACH_POLICY_NAME: Final = "objective-breach"

_PAIR_FORM: Final = re.compile(r"(?P<share>[0-9.]+)\s*%\s*/\s*(?P<long>\w+)\s*/\s*(?P<short>\w+)\s+(?P<severity>\w+)")
_BREACH_FORM: Final = re.compile(r"(?P<long>\w+)\s*/\s*(?P<short>\w+)\s+(?P<severity>\w+)")


def read_policy(policy: str, windows: str | None, target: Decimal, window: timedelta) -> FittedPolicy:
    """Return the alert policy of an objective of *target* over *window*.

    Args:
        policy: value of `ninelives/alert-policy`: burn-rate, objective-breach or none.
        windows: value of `ninelives/alert-windows`, or None where it is not written: `2%/1h/5m page, 5%/6h/30m page`
            for burn-rate, `5m/1m page` for objective-breach.
        target: the objective's target, 0..1.
        window: the objective's window.

    Raises:
        InvalidPolicy: names the value and what is allowed; also for a condition that could never be met.
    """
    if policy == NO_POLICY.name:
        if windows is not None:
            raise InvalidPolicy(f"{WINDOWS_ANNOTATION} {windows!r} has no use with policy none; remove one of the two")
        return FittedPolicy(NO_POLICY)
    if policy == STANDARD_POLICY_NAME:
        if windows is None:
            return standard_policy(target, window)
        pairs = tuple(_pair(text, target, window) for text in windows.split(","))
        return FittedPolicy(AlertPolicy(STANDARD_POLICY_NAME, pairs))
    if policy == BREACH_POLICY_NAME:
        if windows is None:
            raise InvalidPolicy(f'{BREACH_POLICY_NAME} needs windows; write {WINDOWS_ANNOTATION}: "5m/1m page"')
        breaches = tuple(_breach(text, window) for text in windows.split(","))
        return FittedPolicy(AlertPolicy(BREACH_POLICY_NAME, breaches))
    raise InvalidPolicy(f"{POLICY_ANNOTATION} {policy!r} is not known; write burn-rate, objective-breach or none")


def _pair(text: str, target: Decimal, window: timedelta) -> Condition:
    match = _PAIR_FORM.fullmatch(text.strip())
    if match is None:
        raise InvalidPolicy(f"{text.strip()!r} is not a burn-rate pair; write share/long/short severity: 2%/1h/5m page")
    share = _share(match["share"])
    long, short = _windows(match, window)
    factor = burn_rate_factor(share, window, long)
    if not can_fire(factor, target):
        raise InvalidPolicy(f"{text.strip()!r} can never fire: {unreachable(factor, target)}")
    return BurnRatePair(long, short, factor, _severity(match["severity"]))


def _breach(text: str, window: timedelta) -> Condition:
    match = _BREACH_FORM.fullmatch(text.strip())
    if match is None:
        raise InvalidPolicy(f"{text.strip()!r} is not an objective breach; write long/short severity: 5m/1m page")
    long, short = _windows(match, window)
    return ObjectiveBreach(long, short, _severity(match["severity"]))


def _share(text: str) -> Fraction:
    try:
        share = Fraction(text) / 100
    except ValueError as error:
        raise InvalidPolicy(f"{text!r} % is not a share of the error budget; write a number such as 2%") from error
    if not 0 < share <= 1:
        raise InvalidPolicy(f"{text} % is not a share of the error budget; write above 0 % and up to 100 %")
    return share


def _windows(match: re.Match[str], window: timedelta) -> tuple[timedelta, timedelta]:
    try:
        long, short = parse_duration(match["long"]), parse_duration(match["short"])
    except InvalidDuration as error:
        raise InvalidPolicy(f"alert windows {match.group()!r}: {error}") from error
    if long > window:
        raise InvalidPolicy(
            f"alert window {format_duration(long)} is longer than the objective's own {format_duration(window)}; "
            "write a shorter one"
        )
    return long, short


def _severity(text: str) -> Severity:
    for severity in SEVERITIES:
        if severity == text:
            return severity
    raise InvalidPolicy(f"severity {text!r} is not known; write {' or '.join(SEVERITIES)}")
