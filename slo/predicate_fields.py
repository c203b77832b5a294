"""What the well-known fields hold, so that a comparison that could never be true is refused when it is read."""

from fractions import Fraction
from typing import Final

from slo.predicate import SPAN_KINDS, SPAN_STATUSES, Comparison, LiteralValue

_NS_PER_MS: Final = 1_000_000
_CHOICES: Final = {"kind": SPAN_KINDS, "status": SPAN_STATUSES}


def literals(comparison: Comparison) -> tuple[LiteralValue, ...]:
    """Return the literal, or the literals of the list, that *comparison* compares with."""
    return comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)


def exact_number(value: float | Fraction) -> Fraction:
    """Return *value* as it was written: 0.1 is one tenth, not the nearest binary number."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def milliseconds_to_ns(value: float) -> int | None:
    """Return *value* milliseconds in nanoseconds, or None if that is not a whole number.

    >>> milliseconds_to_ns(0.5), milliseconds_to_ns(0.0000001)
    (500000, None)
    """
    nanoseconds = exact_number(value) * _NS_PER_MS
    return nanoseconds.numerator if nanoseconds.denominator == 1 else None


def check_comparison(comparison: Comparison) -> str | None:
    """Return why *comparison* makes no sense and what to write instead, or None if it does."""
    for value in literals(comparison):
        problem = _field_problem(comparison, value) or _order_problem(comparison, value)
        if problem is not None:
            return problem
    return None


def _field_problem(comparison: Comparison, value: LiteralValue) -> str | None:
    field = comparison.field
    if field == "error" and not (isinstance(value, bool) and comparison.op in ("=", "!=")):
        return "error is true or false; write error or not error"
    if field == "duration_ms":
        return _duration_problem(value)
    if field == "name" and not isinstance(value, str):
        return f'name is text; write "{value}"'
    if field in _CHOICES and value not in _CHOICES[field]:
        return f"{field} is never {value!r}; it is one of {', '.join(_CHOICES[field])}"
    return None


def _duration_problem(value: LiteralValue) -> str | None:
    if isinstance(value, bool | str):
        return f"duration_ms is a number, not {value!r}; write the milliseconds, such as duration_ms <= 300"
    if milliseconds_to_ns(value) is None:
        return f"duration_ms {value} is finer than a nanosecond; write at most six decimals"
    return None


def _order_problem(comparison: Comparison, value: LiteralValue) -> str | None:
    if isinstance(value, bool) and comparison.op in ("<", "<=", ">", ">="):
        return f"true and false have no order; write {comparison.field} = true"
    return None
