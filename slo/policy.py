"""Alert policies: which windows are compared with which burn rate, and how loud the alert is."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from slo.duration import format_duration
from slo.errors import InvalidPolicy

Severity = Literal["page", "ticket"]
_LONGEST: Final = timedelta(days=3660)
SEVERITIES: Final[tuple[Severity, ...]] = ("page", "ticket")


@dataclass(frozen=True, slots=True)
class BurnRatePair:
    """Met when the burn rate exceeds *factor* in the long and in the short window.

    The factor is a Fraction because a share of the budget times period over window need not end in decimals.
    """

    long: timedelta
    short: timedelta
    factor: Fraction
    severity: Severity

    def __post_init__(self) -> None:
        _check_windows(self.long, self.short)
        if self.factor <= 0:
            raise InvalidPolicy(f"burn rate factor {self.factor} must be above 0")


@dataclass(frozen=True, slots=True)
class ObjectiveBreach:
    """Met when the SLI is below the target in the long and in the short window, which is burn rate 1 in both."""

    long: timedelta
    short: timedelta
    severity: Severity

    def __post_init__(self) -> None:
        _check_windows(self.long, self.short)

    @property
    def factor(self) -> Fraction:
        return Fraction(1)


Condition: TypeAlias = BurnRatePair | ObjectiveBreach


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Any met condition of a severity raises the alert of that severity; no conditions means never."""

    name: str
    conditions: tuple[Condition, ...] = ()

    @property
    def windows(self) -> frozenset[timedelta]:
        return frozenset(window for condition in self.conditions for window in (condition.long, condition.short))


NO_POLICY: Final = AlertPolicy("none")


def burn_rate_factor(budget_share: Fraction, period: timedelta, long: timedelta) -> Fraction:
    """Return the burn rate that spends *budget_share* of *period*'s error budget within *long*.

    Source: Site Reliability Workbook, chapter 5 "Alerting on SLOs".

    >>> burn_rate_factor(Fraction(2, 100), timedelta(days=30), timedelta(hours=1))
    Fraction(72, 5)
    """
    second = timedelta(seconds=1)
    return budget_share * (period // second) / (long // second)


def _check_windows(long: timedelta, short: timedelta) -> None:
    minute = timedelta(minutes=1)
    if short < minute or long % minute or short % minute:
        raise InvalidPolicy(f"alert windows {long} and {short} must be whole minutes, at least 1m")
    if long > _LONGEST:
        raise InvalidPolicy(f"alert window {format_duration(long)} is longer than ten years; write a shorter one")
    if short >= long:
        raise InvalidPolicy(
            f"alert window {format_duration(short)} must be shorter than {format_duration(long)}; "
            "write long/short, such as 1h/5m"
        )
