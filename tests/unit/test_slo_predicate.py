import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.errors import PredicateError
from slo.predicate import ERROR, And, Comparison, Not, Or, canonical
from slo.predicate_evaluation import evaluate_predicate
from slo.predicate_fields import check_comparison
from slo.predicate_parser import parse_predicate

PAY = Comparison("http.route", "=", "/pay")

int64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
literal = st.text(max_size=8) | st.booleans() | int64 | finite
name = st.from_regex(r"[a-z][a-z0-9_.]{0,8}", fullmatch=True) | st.text(min_size=1, max_size=8)


def _comparison(field, op, value):
    return Comparison(field, op, value)


comparison = st.builds(_comparison, name, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), literal) | st.builds(
    _comparison, name, st.just("in"), st.lists(literal, min_size=1, max_size=3).map(tuple)
)
tree = st.recursive(
    comparison.filter(lambda c: check_comparison(c) is None),
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items)))
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("error", ERROR),
        ("not error", Not(ERROR)),
        ("duration_ms <= 300", Comparison("duration_ms", "<=", 300)),
        ("duration_ms <= 0.5", Comparison("duration_ms", "<=", 0.5)),
        ("http.route = '/pay'", PAY),
        ('http.route in ("/pay", "/cart")', Comparison("http.route", "in", ("/pay", "/cart"))),
        ("code in [500, 503]", Comparison("code", "in", (500, 503))),
        ("cache.hit = TRUE", Comparison("cache.hit", "=", True)),
        ("temperature > -1.5e1", Comparison("temperature", ">", -15)),
        ("`odd name` != 1", Comparison("odd name", "!=", 1)),
        (r'a = "tab\t quote\" back\\ \u00e9 \ud83d\ude00"', Comparison("a", "=", 'tab\t quote" back\\ é 😀')),
    ],
)
def test_a_text_is_read_as_a_tree(text, expected):
    assert parse_predicate(text) == expected


def test_and_binds_tighter_than_or_and_not_tighter_than_both():
    a, b, c = (Comparison(field, "=", 1) for field in "abc")
    assert parse_predicate("not a = 1 and b = 1 or c = 1") == Or((And((Not(a), b)), c))
    assert parse_predicate("not (a = 1 and (b = 1 or c = 1))") == Not(And((a, Or((b, c)))))


@given(tree)
def test_the_canonical_text_is_read_back_as_an_equal_tree(predicate):
    text = canonical(predicate)
    assert parse_predicate(text) == predicate
    assert canonical(parse_predicate(text)) == text


def test_true_and_one_are_different_literals_although_python_holds_them_equal():
    assert Comparison("a", "=", True) != Comparison("a", "=", 1)
    assert len({Comparison("a", "=", True), Comparison("a", "=", 1), Comparison("a", "=", 1.0)}) == 2


@pytest.mark.parametrize(
    ("text", "column", "remedy"),
    [
        ("", 1, "expected an attribute name"),
        ('a == "x"', 3, "write = for equality"),
        ("a <> 1", 3, "write != for inequality"),
        ("a = 1 && b = 2", 7, "write and"),
        ("!error", 1, "write not"),
        ("a = checkout", 5, 'write "checkout"'),
        ("cache.hit", 10, "write cache.hit = true"),
        ('a = "open', 5, "the string is not closed"),
        ("(a = 1", 7, r"expected \) before the end"),
        ("a = 1)", 6, r"did not expect \)"),
        ("a = 1 b = 2", 7, "join comparisons with and / or"),
        ("a in 5", 6, r'expected a list after in, such as \("a", "b"\)'),
        ("a in (1, 2]", 11, r"expected , or \)"),
        ("a in ()", 7, "expected a literal"),
        ("a = 9223372036854775808", 5, "write 9223372036854775808.0"),
        ("a = 1e999", 5, "too large"),
        (r'a = "\q"', 5, "unknown escape"),
        (r'a = "\ud800"', 5, "half a surrogate pair"),
        ("a < true", 1, "write a = true"),
        ("error = 1", 1, "write error or not error"),
        ('duration_ms < "300"', 1, "write the milliseconds"),
        ("duration_ms < 0.0000001", 1, "at most six decimals"),
        ('kind = "sever"', 1, "one of server, client"),
        ('status in ("ok", "bad")', 1, "one of unset, ok, error"),
        ("name = 5", 1, 'write "5"'),
        ("a ~ 5", 3, "no pattern matching"),
        ("a = 1 é", 7, "cannot read"),
        ("`` = 1", 1, "write an attribute name between the backticks"),
    ],
)
def test_an_error_names_the_column_and_the_remedy(text, column, remedy):
    with pytest.raises(PredicateError, match=remedy) as caught:
        parse_predicate(text)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")


@given(st.text(alphabet="ab=!<>()[]'\"` \\,.0123456789-+eu\n", max_size=30))
def test_any_text_is_either_read_or_refused_as_a_predicate(text):
    try:
        predicate = parse_predicate(text)
    except PredicateError as error:
        column = error.column
    else:
        assert parse_predicate(canonical(predicate)) == predicate
        return
    assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 2400, "a = 1 and " * 2000])
def test_a_hostile_text_is_refused_instead_of_exhausting_the_stack(text):
    with pytest.raises(PredicateError):
        parse_predicate(text)


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("a = 5", {"a": 5}, True),
        ("a = 5", {"a": 5.0}, True),
        ("a = 5", {"a": "5"}, False),
        ("a != 5", {"a": "5"}, False),
        ('a != "x"', {"a": "y"}, True),
        ("a = 1", {"a": True}, False),
        ("a = true", {"a": True}, True),
        ("a = true", {"a": 1}, False),
        ("a = 9007199254740993", {"a": 9007199254740993}, True),
        ("a = 9007199254740993", {"a": 9007199254740992}, False),
        ("a = 9007199254740993", {"a": 9007199254740992.0}, False),
        ("a > 1", {"a": math.nan}, False),
        ("a in (1, 'x', true)", {"a": "x"}, True),
        ("a in (1, 'x')", {"a": 2}, False),
        ("a >= 'b'", {"a": "c"}, True),
        ("a = 0.1", {"a": 0.1}, True),
        ("duration_ms <= 0.3", {"duration_ms": Fraction(3, 10)}, True),
        ("duration_ms <= 300", {"duration_ms": 300.000001}, False),
        ("error and not a = 1", {"error": True, "a": 2}, True),
        ("a = 1 or b = 1", {"b": 1}, True),
    ],
)
def test_a_comparison_holds_only_between_values_of_one_type(text, span, expected):
    assert evaluate_predicate(parse_predicate(text), span.get) is expected


@given(comparison)
def test_every_comparison_with_a_missing_attribute_is_false_and_not_inverts_it(predicate):
    assert evaluate_predicate(predicate, {}.get) is False
    assert evaluate_predicate(Not(predicate), {}.get) is True


@given(tree, tree, st.dictionaries(name, literal, max_size=4))
def test_de_morgan_holds_for_every_span(a, b, span):
    left = evaluate_predicate(Not(And((a, b))), span.get)
    assert left == evaluate_predicate(Or((Not(a), Not(b))), span.get)
