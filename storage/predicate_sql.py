"""Predicates into SQL: the same meaning as `slo.predicate_evaluation`, over the columns of spans and resources.

Names and literals become server-side parameters; the SQL text itself holds nothing that a user wrote.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from slo.predicate import WELL_KNOWN_FIELDS, And, Comparison, LiteralValue, Not, Or, Predicate


@dataclass(slots=True)
class PredicateSql:
    """Compiles predicates of one query; `parameters` collects their values.

    Args:
        prefix: Begins the parameters' names, so that they do not clash with the query's own.
    """

    prefix: str = "p"
    parameters: dict[str, Any] = field(default_factory=dict)

    def compile(self, predicate: Predicate) -> str:
        """Return a Bool expression over a row of spans."""
        match predicate:
            case And(operands):
                return "(" + " AND ".join(self.compile(operand) for operand in operands) + ")"
            case Or(operands):
                return "(" + " OR ".join(self.compile(operand) for operand in operands) + ")"
            case Not(operand):
                return f"(NOT {self.compile(operand)})"
            case Comparison(name, "in", tuple() as values):
                return "(" + (" OR ".join(self._compare(name, "=", value) for value in values) or "false") + ")"
            case Comparison(name, op, value):
                assert not isinstance(value, tuple)
                return self._compare(name, op, value)

    def _compare(self, name: str, op: str, value: LiteralValue) -> str:
        if name in WELL_KNOWN_FIELDS:
            return self._well_known(name, op, value)
        key = self._parameter(name, "String")
        span = self._attribute(key, op, value)
        resource = f"origin_id IN (SELECT origin_id FROM origins WHERE {span})"  # noqa: S608 -- parameters only
        return f"({span} OR (NOT mapContains(attributes, {key}) AND {resource}))"

    def _attribute(self, key: str, op: str, value: LiteralValue) -> str:
        """Compare an attribute with a literal of its type; a missing one and another type compare false."""
        found, literal = f"attributes[{key}]", self._literal(value)
        if isinstance(value, bool):
            return f"(otlp_is_bool({found}) AND otlp_bool({found}) {op} {literal})"
        if isinstance(value, str):
            return f"(otlp_is_string({found}) AND otlp_string({found}) {op} {literal})"
        integer = f"(otlp_is_int({found}) AND otlp_int({found}) {op} {literal})"
        return f"({integer} OR (otlp_is_double({found}) AND otlp_double({found}) {op} {literal}))"

    def _well_known(self, name: str, op: str, value: LiteralValue) -> str:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name == "duration_ms":
            return f"(duration_ns {op} {self._nanoseconds(value)})" if number else "false"
        if name == "error":
            return f"(error {op} {self._literal(value)})" if isinstance(value, bool) else "false"
        return f"(toString({name}) {op} {self._literal(value)})" if isinstance(value, str) else "false"

    def _nanoseconds(self, value: LiteralValue) -> str:
        """Return milliseconds as nanoseconds: exact for every literal with at most six decimals."""
        exact = Decimal(str(value)) * 1_000_000
        return self._literal(int(exact) if exact == exact.to_integral_value() else float(exact))

    def _literal(self, value: LiteralValue) -> str:
        if isinstance(value, bool):
            return self._parameter(value, "Bool")
        if isinstance(value, int):
            return self._parameter(value, "Int64")
        return self._parameter(value, "Float64" if isinstance(value, float) else "String")

    def _parameter(self, value: LiteralValue, kind: str) -> str:
        name = f"{self.prefix}{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"
