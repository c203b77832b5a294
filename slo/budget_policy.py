"""What happens when little of the error budget is left: alerts, and the actions of an error-budget policy.

As an SLO file's annotations spell them: `25% ticket; 0% page`, `24h ticket`, `50% notify; 0% close-gate`.
Error-budget policies: Site Reliability Workbook, chapter 2 and appendix B.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal, TypeVar, get_args

from slo.duration import format_duration, parse_duration
from slo.errors import InvalidPolicy
from slo.policy import SEVERITIES, Severity

BudgetReaction = Literal["notify", "close-gate"]
_Entry = TypeVar("_Entry")

_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%", re.ASCII)


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """Met when at most *share* (0..1) of the error budget is left."""

    share: Decimal
    severity: Severity

    def __post_init__(self) -> None:
        _check_share(self.share)

    def __str__(self) -> str:
        return f"{percent_of(self.share)}% {self.severity}"


@dataclass(frozen=True, slots=True)
class BudgetAction:
    """What is done while at most *share* (0..1) of the error budget is left: a ticket, or no more deployments."""

    share: Decimal
    reaction: BudgetReaction

    def __post_init__(self) -> None:
        _check_share(self.share)

    def __str__(self) -> str:
        return f"{percent_of(self.share)}% {self.reaction}"


@dataclass(frozen=True, slots=True)
class ExhaustionAlert:
    """Met when the error budget is forecast to be gone *within* this time."""

    within: timedelta
    severity: Severity

    def __str__(self) -> str:
        return f"{format_duration(self.within)} {self.severity}"


def read_budget_alerts(text: str) -> tuple[BudgetAlert, ...]:
    """Return the alerts that *text* lists, as in `25% ticket; 0% page`.

    Raises:
        InvalidPolicy: names the value and what is allowed.

    >>> [str(alert) for alert in read_budget_alerts("25 % ticket; 0% page")]
    ['25% ticket', '0% page']
    """
    found = tuple(BudgetAlert(share, _severity(word)) for share, word in _entries(text, "25% ticket"))
    return _without_twins(found, text)


def read_budget_policy(text: str) -> tuple[BudgetAction, ...]:
    """Return the actions that *text* lists, as in `50% notify; 0% close-gate`.

    Raises:
        InvalidPolicy: names the value and what is allowed.
    """
    found = tuple(BudgetAction(share, _reaction(word)) for share, word in _entries(text, "0% close-gate"))
    return _without_twins(found, text)


def read_exhaustion_alert(text: str) -> ExhaustionAlert:
    """Return the alert that *text* names, as in `24h ticket`.

    Raises:
        InvalidPolicy: it is not a time and a severity.
        InvalidDuration: the time cannot be read.
    """
    within, _, severity = text.strip().partition(" ")
    if not severity:
        raise InvalidPolicy(f"{text!r} is not a time and a severity; write one such as 24h ticket")
    return ExhaustionAlert(parse_duration(within), _severity(severity.strip()))


def watched_budgets(alerts: Iterable[BudgetAlert], policy: Iterable[BudgetAction]) -> tuple[BudgetAlert, ...]:
    """Return every budget alert, each once: *alerts*, and a ticket for each "notify" of *policy*."""
    told = (BudgetAlert(action.share, "ticket") for action in policy if action.reaction == "notify")
    return tuple(dict.fromkeys((*alerts, *told)))


def gate_closes_at(policy: Iterable[BudgetAction]) -> Decimal | None:
    """Return the share of the budget at which *policy* closes the gate, None if it never does."""
    return max((action.share for action in policy if action.reaction == "close-gate"), default=None)


def percent_of(share: Decimal) -> str:
    """Return *share* in percent, exactly.

    >>> percent_of(Decimal("0.125"))
    '12.5'
    """
    return format((share * 100).normalize(), "f")


def _entries(text: str, example: str) -> Iterable[tuple[Decimal, str]]:
    """Yield the share of the budget and the word of each entry of a list."""
    for entry in text.split(";"):
        match = _SHARE.match(entry.strip())
        word = entry.strip()[match.end() :].strip() if match else ""
        if match is None or not word:
            raise InvalidPolicy(
                f"{entry.strip()!r} is not a share of the budget and a word; write one such as {example}"
            )
        yield Decimal(match[1]) / 100, word


def _severity(word: str) -> Severity:
    for severity in SEVERITIES:
        if severity == word:
            return severity
    raise InvalidPolicy(f"severity {word!r} is not known; write {' or '.join(SEVERITIES)}")


def _reaction(word: str) -> BudgetReaction:
    for reaction in get_args(BudgetReaction):
        if reaction == word:
            found: BudgetReaction = reaction
            return found
    raise InvalidPolicy(f"action {word!r} is not known; write {' or '.join(get_args(BudgetReaction))}")


def _check_share(share: Decimal) -> None:
    if not share.is_finite() or not 0 <= share < 1:
        raise InvalidPolicy(f"{share * 100:f} % of the budget must lie between 0 and below 100, such as 25%")


def _without_twins(found: tuple[_Entry, ...], text: str) -> tuple[_Entry, ...]:
    if len(set(found)) < len(found):
        raise InvalidPolicy(f"{text!r} says the same twice; keep one")
    return found
