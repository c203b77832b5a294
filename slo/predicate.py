"""Predicates over one span: an immutable tree and its text.

`slo.predicate_parser` reads the text, `slo.predicate_evaluation` applies a tree in memory, storage turns it into SQL.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

LiteralValue: TypeAlias = str | bool | int | float
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in"]

OPERATORS: Final[tuple[Operator, ...]] = ("=", "!=", "<", "<=", ">", ">=", "in")
WELL_KNOWN_FIELDS: Final = frozenset({"error", "duration_ms", "status", "kind", "name"})
SPAN_KINDS: Final = ("server", "client", "consumer", "producer", "internal")
SPAN_STATUSES: Final = ("unset", "ok", "error")
KEYWORDS: Final = frozenset({"and", "or", "not", "in", "true", "false"})
LARGEST_INT: Final = 2**63 - 1  # an OTLP integer attribute has 64 bits
PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """*field* compared with a literal; `value` is a tuple of literals when `op` is "in".

    Python holds True and 1 to be equal, the predicate language does not: two comparisons are equal when their texts
    are.
    """

    field: str
    op: Operator
    value: LiteralValue | tuple[LiteralValue, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Comparison):
            return NotImplemented
        return canonical(self) == canonical(other)

    def __hash__(self) -> int:
        return hash(canonical(self))


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Predicate"


@dataclass(frozen=True, slots=True)
class And:
    """Two or more operands, in the order in which they were written."""

    operands: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more operands, in the order in which they were written."""

    operands: tuple["Predicate", ...]


Predicate: TypeAlias = Comparison | Not | And | Or

ERROR: Final = Comparison("error", "=", True)  # what a bare `error` means


def canonical(predicate: Predicate) -> str:
    """Return the one text of *predicate*: stable across versions, and read back as an equal tree.

    >>> canonical(And((Comparison("http.route", "in", ("/pay", "/cart")), Not(ERROR))))
    'http.route in ("/pay", "/cart") and not error = true'
    """
    match predicate:
        case Comparison(field, op, value):
            return f"{_name_text(field)} {op} {_value_text(value)}"
        case Not(operand):
            return f"not {_operand_text(operand)}"
        case And(operands):
            return " and ".join(_operand_text(operand) for operand in operands)
        case Or(operands):  # pragma: no branch -- every kind of predicate is above
            return " or ".join(_operand_text(operand) for operand in operands)


def _operand_text(predicate: Predicate) -> str:
    text = canonical(predicate)
    return f"({text})" if isinstance(predicate, And | Or) else text


def _name_text(name: str) -> str:
    plain = PLAIN_NAME.fullmatch(name) is not None and name.lower() not in KEYWORDS
    return name if plain else "`" + json.dumps(name, ensure_ascii=False)[1:-1].replace("`", "\\u0060") + "`"


def _value_text(value: LiteralValue | tuple[LiteralValue, ...]) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(_value_text(item) for item in value) + ")"
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_INT:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
