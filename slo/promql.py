"""The part of PromQL that people write service level indicators in, read into a tree.

Grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/. Subqueries, `offset` and `@` are refused.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from slo.promql_lexer import PromqlError, Token, tokens

_PRECEDENCE: Final = (
    ("or",),
    ("and", "unless"),
    ("==", "!=", "<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_AGGREGATIONS: Final = frozenset(
    ("sum", "min", "max", "avg", "group", "count", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values")
)
_MATCHER_OPERATORS: Final = ("=", "!=", "=~", "!~")
_MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class Matcher:
    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of *metric* ("" where only matchers tell it), over *range* ("" for an instant)."""

    metric: str
    matchers: tuple[Matcher, ...] = ()
    range: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """*grouping* is "by", "without" or "" for everything in one."""

    operator: str
    arguments: tuple["Expression", ...]
    grouping: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary:
    """*matching* tells whether `on`, `ignoring` or `bool` stood behind the operator."""

    operator: str
    left: "Expression"
    right: "Expression"
    matching: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    text: str


Expression: TypeAlias = Selector | Call | Aggregation | Binary | Number


def parse_promql(text: str) -> Expression:
    """Return the tree of *text*; parentheses leave no trace.

    Raises:
        PromqlError: not PromQL, or beyond the part that is read here; says what and where.

    >>> parse_promql('sum(rate(requests_total{code="500"}[5m]))').arguments[0].function
    'rate'
    """
    parser = _Parser(tokens(text))
    tree = parser.expression(0)
    parser.expect("end")
    return tree


def selectors(expression: Expression) -> list[Selector]:
    """Return all selectors in *expression*, from left to right."""
    match expression:
        case Selector():
            return [expression]
        case Binary(_, left, right):
            return selectors(left) + selectors(right)
        case Call(_, arguments) | Aggregation(_, arguments):
            return [found for argument in arguments for found in selectors(argument)]
        case _:
            return []


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    def expression(self, level: int) -> Expression:
        if level == len(_PRECEDENCE):
            return self._operand()
        left = self.expression(level + 1)
        while self._next.kind in ("op", "name") and self._next.text.lower() in _PRECEDENCE[level]:
            operator = self._take().text.lower()
            matching = self._vector_matching()
            left = Binary(operator, left, self.expression(level + 1), matching)
        return left

    def expect(self, kind: str, text: str = "") -> Token:
        token = self._take()
        if token.kind != kind or (text and token.text != text):
            raise PromqlError(f"{text or kind} was expected, not {token.text or 'the end'}", token.column)
        return token

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _takes(self, kind: str, text: str) -> bool:
        if (self._next.kind, self._next.text) != (kind, text):
            return False
        self._take()
        return True

    def _vector_matching(self) -> bool:
        found = False
        while self._next.kind == "name" and self._next.text in ("on", "ignoring", "group_left", "group_right", "bool"):
            found = True
            self._take()
            if (self._next.kind, self._next.text) == ("op", "("):
                self._label_names()
        return found

    def _label_names(self) -> tuple[str, ...]:
        self.expect("op", "(")
        names: list[str] = []
        while not self._takes("op", ")"):
            names.append(self.expect("name").text)
            if not self._takes("op", ","):
                self.expect("op", ")")
                break
        return tuple(names)

    def _operand(self) -> Expression:
        token = self._next
        if token.kind == "number":
            return Number(self._take().text)
        if self._takes("op", "("):
            return self._nested()
        if token.kind == "name" or token.text == "{":
            return self._named()
        raise PromqlError(f"{token.text or 'the end'} is not the start of an expression", token.column)

    def _nested(self) -> Expression:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PromqlError(f"nested more than {_MAX_DEPTH} levels deep", self._next.column)
        inner = self.expression(0)
        self.expect("op", ")")
        self._depth -= 1
        if self._next.kind == "range":
            raise PromqlError("subqueries are not read", self._next.column)
        return inner

    def _named(self) -> Expression:
        name = self._take().text if self._next.kind == "name" else ""
        if name in _AGGREGATIONS and (self._next.text == "(" or self._next.text in ("by", "without")):
            return self._aggregation(name)
        if name and self._takes("op", "("):
            return self._without_range(Call(name, self._arguments()))
        return self._selector(name)

    def _aggregation(self, operator: str) -> Expression:
        grouping, labels = self._grouping()
        self.expect("op", "(")
        arguments = self._arguments()
        if not grouping:
            grouping, labels = self._grouping()
        return self._without_range(Aggregation(operator, arguments, grouping, labels))

    def _grouping(self) -> tuple[str, tuple[str, ...]]:
        if self._next.kind == "name" and self._next.text in ("by", "without"):
            return self._take().text, self._label_names()
        return "", ()

    def _arguments(self) -> tuple[Expression, ...]:
        """Return what stands between parentheses, of which the first is taken already."""
        if self._takes("op", ")"):
            return ()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise PromqlError(f"nested more than {_MAX_DEPTH} levels deep", self._next.column)
        found = [self.expression(0)]
        while self._takes("op", ","):
            found.append(self.expression(0))
        self.expect("op", ")")
        self._depth -= 1
        return tuple(found)

    def _without_range(self, expression: Expression) -> Expression:
        if self._next.kind == "range":
            raise PromqlError("subqueries are not read", self._next.column)
        return expression

    def _selector(self, metric: str) -> Expression:
        matchers: list[Matcher] = []
        if self._takes("op", "{"):
            while not self._takes("op", "}"):
                label = self._label()
                if self._next.text in _MATCHER_OPERATORS and self._next.kind == "op":
                    matchers.append(Matcher(label, self._take().text, self.expect("text").text))
                else:
                    metric = label  # {"a.name"} names a metric that has no plain name
                if not self._takes("op", ","):
                    self.expect("op", "}")
                    break
        length = self._take() if self._next.kind == "range" else None
        if length is not None and ":" in length.text:
            raise PromqlError("subqueries are not read", length.column)
        if self._next.text in ("offset", "@"):
            raise PromqlError(f"{self._next.text} is not read", self._next.column)
        return Selector(metric, tuple(matchers), "" if length is None else length.text)

    def _label(self) -> str:
        return self._take().text if self._next.kind == "text" else self.expect("name").text
