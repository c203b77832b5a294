from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.promql import Aggregation, Binary, Call, Matcher, Number, Selector, parse_promql, selectors
from slo.promql_lexer import WINDOW, PromqlError

A, B = Selector("a"), Selector("b")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("up", Selector("up")),
        ("1.5e3", Number("1.5e3")),
        ("job:errors:sum", Selector("job:errors:sum")),
        ('{__name__="up"}', Selector("", (Matcher("__name__", "=", "up"),))),
        ('{"a.b", x="1"}', Selector("a.b", (Matcher("x", "=", "1"),))),
        ('a{"x.y"!~"1",}', Selector("a", (Matcher("x.y", "!~", "1"),))),
        ("a{}", A),
        ("a[5m]", Selector("a", (), "5m")),
        ("a[{{ .window }}]", Selector("a", (), WINDOW)),
        ("rate(a[{{.window}}])", Call("rate", (Selector("a", (), WINDOW),))),
        ("time()", Call("time", ())),
        ("clamp(a, 0, 1)", Call("clamp", (A, Number("0"), Number("1")))),
        ("sum(a)", Aggregation("sum", (A,))),
        ("sum by (x, y) (a)", Aggregation("sum", (A,), "by", ("x", "y"))),
        ("sum(a) without (x,)", Aggregation("sum", (A,), "without", ("x",))),
        ("sum by () (a)", Aggregation("sum", (A,), "by", ())),
        ("((a))", A),
        ("a - b * a", Binary("-", A, Binary("*", B, A))),
        ("a - b - a", Binary("-", Binary("-", A, B), A)),
        ("(a - b) / a", Binary("/", Binary("-", A, B), A)),
        ("a OR on() b", Binary("or", A, B, matching=True)),
        ("a > bool b and a", Binary("and", Binary(">", A, B, matching=True), A)),
        ("a / ignoring(x) group_left b", Binary("/", A, B, matching=True)),
        ("a # what fails\n  + b", Binary("+", A, B)),
    ],
)
def test_an_expression_becomes_its_tree(text, tree):
    assert parse_promql(text) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [(r'"a\\.b"', r"a\.b"), ("'it\"s'", 'it"s'), (r'"say \"no\"\n"', 'say "no"\n'), (r"`a\d`", r"a\d"), ('""', "")],
)
def test_texts_are_unquoted(text, value):
    assert parse_promql(f"a{{x={text}}}") == Selector("a", (Matcher("x", "=", value),))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "column 1: the end is not the start"),
        ("sum(a", "column 6: .* was expected, not the end"),
        ("a b", "column 3: end was expected, not b"),
        ("a{x~1}", "'~' is not read here"),
        ("a{x=1}", "text was expected, not 1"),
        ('a{x="1" y="2"}', "} was expected, not y"),
        ("a[5m:1m]", "subqueries"),
        ("(a)[5m]", "column 4: subqueries"),
        ("max(a)[5m]", "subqueries"),
        ("a offset 5m", "column 3: offset is not read"),
        ("a @ 5", "@ is not read"),
        ("-a", "- is not the start"),
        ("a ^ 2", r"\^"),
        (r'a{x="\q"}', r"the escape \\q is not read here"),
        ("sum by (x y) (a)", "was expected, not y"),
        ("(" * 60 + "a" + ")" * 60, "nested more than 50"),
        ("abs(" * 60 + "a" + ")" * 60, "nested more than 50"),
    ],
)
def test_what_is_not_read_is_refused_with_its_column(text, reason):
    with pytest.raises(PromqlError, match=reason):
        parse_promql(text)


@given(st.text(alphabet="ab{}()[]=\"'`,+-*/ 5mor", max_size=30))
def test_any_text_is_read_or_refused(text):
    with suppress(PromqlError):
        parse_promql(text)


def test_selectors_are_found_from_left_to_right():
    tree = parse_promql("sum(rate(a[5m])) / clamp_min(sum(b), 1)")
    assert selectors(tree) == [Selector("a", (), "5m"), B]
