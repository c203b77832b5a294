"""The condition of a threshold rule: an operator and a limit."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, get_args

Operator = Literal[">", ">=", "<", "<=", "==", "!="]
OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)
_COMPARE: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_WORDS: Final[dict[str, str]] = {
    ">": "above",
    ">=": "at or above",
    "<": "below",
    "<=": "at or below",
    "==": "equal to",
    "!=": "not equal to",
}
_FORM: Final = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\S+)\s*")
_HIGHEST_EXPONENT: Final = 300
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ThresholdCondition:
    """Met when a value compares with `limit` as `operator` says."""

    operator: Operator
    limit: Decimal

    def met(self, value: float) -> bool:
        """Return whether *value* meets it, read as the shortest decimal that means it: the number that was sent.

        The double 0.1 is a little more than a tenth, and yet not above a limit of 0.1.

        >>> parse_condition("> 0.1").met(0.1), parse_condition("== 0.1").met(0.1)
        (False, True)
        """
        return _COMPARE[self.operator](decimal_of(value), self.limit)

    @property
    def words(self) -> str:
        """How the value stands to the limit when the condition is met: "above"."""
        return _WORDS[self.operator]

    def __str__(self) -> str:
        return f"{self.operator} {self.limit}"


def decimal_of(value: float) -> Decimal:
    """Return the shortest decimal that *value* is the double of."""
    return Decimal(repr(value))


def parse_condition(text: object) -> ThresholdCondition:
    """Return the condition that *text* says.

    Raises:
        ValueError: not an operator and a decimal number.

    >>> parse_condition("> 1000")
    ThresholdCondition(operator='>', limit=Decimal('1000'))
    """
    remedy = f"write an operator ({' '.join(OPERATORS)}) and a number in quotes, such as '> 1000'"
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"condition {text!r} cannot be read; {remedy}")
    found = next(known for known in OPERATORS if known == match[1])
    if _NUMBER.fullmatch(match[2]) is None:
        raise ValueError(f"condition {text!r}: {match[2]!r} is no number; {remedy}")
    limit = Decimal(match[2])
    if limit.adjusted() > _HIGHEST_EXPONENT:
        raise ValueError(f"condition {text!r}: {match[2]!r} is no value that a metric can have; {remedy}")
    return ThresholdCondition(found, limit)
