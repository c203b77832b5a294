"""Exact numbers as decimals."""

from fractions import Fraction
from typing import Final

_MOST_DIGITS: Final = 40


def decimal_text(number: Fraction) -> str | None:
    """Return *number*, 0 or above, in decimals, None where they do not end within 40 digits.

    >>> decimal_text(Fraction(9, 625)), decimal_text(Fraction(30)), decimal_text(Fraction(1, 3))
    ('0.0144', '30', None)
    """
    digits = next((count for count in range(_MOST_DIGITS) if 10**count % number.denominator == 0), None)
    if digits is None:
        return None
    text = f"{number.numerator * 10**digits // number.denominator:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text
