"""Applying a predicate in memory: the meaning that storage's SQL must have."""

from collections.abc import Callable
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, TypeAlias

from slo.predicate import And, Comparison, LiteralValue, Not, Or, Predicate
from slo.predicate_fields import exact_number, literals

AttributeValue: TypeAlias = str | bool | int | float | Fraction
Lookup: TypeAlias = Callable[[str], AttributeValue | None]

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "in": eq,
}


def evaluate_predicate(predicate: Predicate, lookup: Lookup) -> bool:
    """Whether *predicate* holds for the span whose fields and attributes *lookup* returns (None: not there).

    Every comparison with a missing attribute is false, != too, and `not` inverts that. A number compares with integer
    and double attributes exactly, text with text, true and false with booleans; any other mixture is false.

    >>> evaluate_predicate(Comparison("http.status", ">=", 500), {"http.status": 503}.get)
    True
    """
    match predicate:
        case Comparison(field, op, _):
            actual = lookup(field)
            if actual is None:
                return False
            return any(_holds(op, field, actual, literal) for literal in literals(predicate))
        case Not(operand):
            return not evaluate_predicate(operand, lookup)
        case And(operands):
            return all(evaluate_predicate(operand, lookup) for operand in operands)
        case Or(operands):  # pragma: no branch -- every kind of predicate is above
            return any(evaluate_predicate(operand, lookup) for operand in operands)


def _holds(op: str, field: str, actual: AttributeValue, literal: LiteralValue) -> bool:
    if _type(actual) != _type(literal):
        return False
    if field == "duration_ms" and not isinstance(actual, str) and not isinstance(literal, str):
        # a duration is a whole number of nanoseconds written in milliseconds, not a binary fraction
        return _COMPARE[op](exact_number(actual), exact_number(literal))
    return _COMPARE[op](actual, literal)


def _type(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"
