"""Reading a predicate's text: `or` of `and` of `not` of comparisons and parentheses."""

from collections.abc import Callable
from typing import Final

from slo.errors import PredicateError
from slo.predicate import ERROR, And, Comparison, LiteralValue, Not, Operator, Or, Predicate
from slo.predicate_fields import check_comparison
from slo.predicate_lexer import Token, tokens

MAX_LENGTH: Final = 10_000
MAX_DEPTH: Final = 50

_CLOSING: Final = {"(": ")", "[": "]"}


def parse_predicate(text: str) -> Predicate:
    """Return the tree of *text*, for example `http.route = "/pay" and not error`.

    Raises:
        PredicateError: with the column and what to write instead.

    >>> parse_predicate("duration_ms <= 300")
    Comparison(field='duration_ms', op='<=', value=300)
    """
    if len(text) > MAX_LENGTH:
        raise PredicateError(f"the predicate has {len(text)} characters; {MAX_LENGTH} are allowed", MAX_LENGTH + 1)
    parser = _Parser(tokens(text))
    predicate = parser.disjunction()
    parser.expect_end()
    return predicate


class _Parser:
    """Recursive descent over the words of one predicate."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0

    def disjunction(self) -> Predicate:
        operands = self._chain("or", self._conjunction)
        return operands[0] if len(operands) == 1 else Or(operands)

    def expect_end(self) -> None:
        word = self._peek()
        if word.kind != "end":
            raise PredicateError(f"did not expect {word.text}; join comparisons with and / or", word.column)

    def _conjunction(self) -> Predicate:
        operands = self._chain("and", self._negation)
        return operands[0] if len(operands) == 1 else And(operands)

    def _chain(self, keyword: str, operand: Callable[[], Predicate]) -> tuple[Predicate, ...]:
        operands = [operand()]
        while self._accept("keyword", keyword):
            operands.append(operand())
        return tuple(operands)

    def _negation(self) -> Predicate:
        word = self._peek()
        if word.kind == "keyword" and word.value == "not":
            return self._nested(lambda: Not(self._negation()))
        if word.kind == "bracket" and word.value == "(":
            return self._nested(self._parenthesis)
        return self._comparison()

    def _nested(self, inner: Callable[[], Predicate]) -> Predicate:
        word = self._next()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PredicateError(f"more than {MAX_DEPTH} levels deep; write it flatter", word.column)
        predicate = inner()
        self._depth -= 1
        return predicate

    def _parenthesis(self) -> Predicate:
        predicate = self.disjunction()
        word = self._next()
        if word.value != ")" or word.kind != "bracket":
            raise PredicateError(f"expected ) before {word.text}", word.column)
        return predicate

    def _comparison(self) -> Predicate:
        name = self._next()
        if name.kind != "name":
            raise PredicateError(f"expected an attribute name, not {name.text}", name.column)
        field = str(name.value)
        word = self._peek()
        if word.kind == "operator":
            return self._checked(name, Comparison(field, _operator(self._next()), self._literal()))
        if self._accept("keyword", "in"):
            return self._checked(name, Comparison(field, "in", self._list()))
        if field == ERROR.field:
            return ERROR
        remedy = f"{field} = true" if word.kind in ("end", "keyword", "bracket") else f'{field} = "..."'
        raise PredicateError(f"expected = != < <= > >= or in after {field}; write {remedy}", word.column)

    def _checked(self, name: Token, comparison: Comparison) -> Comparison:
        problem = check_comparison(comparison)
        if problem is not None:
            raise PredicateError(problem, name.column)
        return comparison

    def _literal(self) -> LiteralValue:
        word = self._next()
        if word.kind == "literal":
            return word.value
        if word.kind == "name":
            raise PredicateError(f'expected a literal, not the name {word.text}; write "{word.value}"', word.column)
        raise PredicateError(f'expected a literal such as "text", 5 or true, not {word.text}', word.column)

    def _list(self) -> tuple[LiteralValue, ...]:
        opening = self._next()
        if opening.kind != "bracket" or opening.value not in _CLOSING:
            raise PredicateError(f'expected a list after in, such as ("a", "b"), not {opening.text}', opening.column)
        values = [self._literal()]
        while self._accept("comma", ","):
            values.append(self._literal())
        closing = self._next()
        if closing.kind != "bracket" or closing.value != _CLOSING[str(opening.value)]:
            raise PredicateError(f"expected , or {_CLOSING[str(opening.value)]}, not {closing.text}", closing.column)
        return tuple(values)

    def _accept(self, kind: str, value: str) -> bool:
        word = self._peek()
        found = word.kind == kind and word.value == value
        self._at += found
        return found

    def _peek(self) -> Token:
        return self._words[self._at]

    def _next(self) -> Token:
        word = self._words[self._at]
        self._at += word.kind != "end"
        return word


def _operator(word: Token) -> Operator:
    operators: dict[object, Operator] = {"=": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
    return operators[word.value]
