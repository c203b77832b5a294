"""Whether a predicate must hold, given that another one does: as far as the shape of both tells."""

from collections.abc import Iterator
from typing import Final

from slo.predicate import ERROR, And, Comparison, Not, Or, Predicate, canonical

_NO_ERROR: Final = canonical(Not(ERROR))
_SPELLINGS: Final = {  # a span always has an error flag, so these say the same
    canonical(Comparison("error", "=", False)): _NO_ERROR,
    canonical(Comparison("error", "!=", True)): _NO_ERROR,
    canonical(Comparison("error", "!=", False)): canonical(ERROR),
}


def implies(given: Predicate | None, predicate: Predicate) -> bool:
    """Return whether every span that *given* holds for (None: every span) is one that *predicate* holds for.

    False means that it is not known to be so.

    >>> fast = Comparison("duration_ms", "<=", 100)
    >>> implies(And((fast, Not(ERROR))), Comparison("duration_ms", "<=", 300))
    True
    """
    facts = list(_conjuncts(given))
    match predicate:
        case And(operands):
            return all(implies(given, operand) for operand in operands)
        case Or(operands):
            known = {_text(operand) for operand in operands}
            excluded_middle = any(_text(Not(operand)) in known for operand in operands)
            return excluded_middle or any(implies(given, operand) for operand in operands)
        case _:
            return _always(predicate) or any(_follows(fact, predicate) for fact in facts)


def excludes(given: Predicate | None, predicate: Predicate) -> bool:
    """Return whether *predicate* can hold for no span that *given* holds for; False means that it is not known."""
    return implies(given, predicate.operand if isinstance(predicate, Not) else Not(predicate))


def _conjuncts(predicate: Predicate | None) -> Iterator[Predicate]:
    """Yield what must all be true for *predicate* to be."""
    if isinstance(predicate, And):
        for operand in predicate.operands:
            yield from _conjuncts(operand)
    elif predicate is not None:
        yield predicate


def _always(predicate: Predicate) -> bool:
    match predicate:
        case Comparison("duration_ms", ">=" | ">", float() | int() as value):
            return value < 0 or (value == 0 and predicate.op == ">=")
        case _:
            return False


def _follows(fact: Predicate, predicate: Predicate) -> bool:
    if _text(fact) == _text(predicate):
        return True
    match fact, predicate:
        case Comparison(one, "<=" | "<", low), Comparison(other, "<=" | "<", high) if one == other:
            return _below(low, high, equal=predicate.op in {fact.op, "<="})
        case Comparison(one, ">=" | ">", high), Comparison(other, ">=" | ">", low) if one == other:
            return _below(low, high, equal=predicate.op in {fact.op, ">="})
        case Comparison(one, "="), Comparison(other, "in", tuple() as values) if one == other:
            return any(_text(fact) == _text(Comparison(other, "=", each)) for each in values)
        case _:
            return False


def _below(low: object, high: object, *, equal: bool) -> bool:
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return low < high or (equal and low == high)


def _text(predicate: Predicate) -> str:
    if isinstance(predicate, Not) and isinstance(predicate.operand, Not):
        return _text(predicate.operand.operand)
    text = canonical(predicate)
    return _SPELLINGS.get(text, text)
