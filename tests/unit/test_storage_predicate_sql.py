"""Predicates into SQL text: nothing in it that a user wrote. What it means is tested on the engine."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.predicate import WELL_KNOWN_FIELDS, And, Comparison, Not, Or
from slo.predicate_parser import parse_predicate
from storage.predicate_sql import PredicateSql

LITERALS = st.one_of(
    st.text(max_size=12),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
COMPARISONS = st.one_of(
    st.builds(Comparison, st.text(min_size=1, max_size=12), OPERATORS, LITERALS),
    st.builds(Comparison, st.text(min_size=1), st.just("in"), st.lists(LITERALS, min_size=1, max_size=3).map(tuple)),
)  # fmt: skip
PREDICATES = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items))),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items))),
    ),
    max_leaves=5,
)
WORDS = {
    "AND", "OR", "NOT", "IN", "SELECT", "FROM", "WHERE", "false", "mapContains", "toString", "origin_id", "origins",
    "attributes",
    *(f"otlp_{infix}{kind}" for infix in ("", "is_") for kind in ("string", "int", "double", "bool")),
    "duration_ns", *WELL_KNOWN_FIELDS,
}  # fmt: skip


@given(PREDICATES)
def test_the_text_holds_only_our_own_words_and_names_of_parameters(predicate):
    sql = PredicateSql("p")
    text = sql.compile(predicate)
    bare = re.sub(r"\{p\d+:(String|Bool|Int64|Float64)\}", "", text)
    assert set(re.findall(r"\w+", bare)) <= WORDS
    assert re.fullmatch(r"[\w\s()\[\],=!<>]*", bare)
    assert set(re.findall(r"\{(p\d+):", text)) == set(sql.parameters)


@pytest.mark.parametrize("hostile", ["'; DROP TABLE spans --", "{p0:String}", "`x`", "\\", "/*filter*/", "\x00"])
def test_hostile_names_and_values_are_parameters(hostile):
    sql = PredicateSql()
    text = sql.compile(Comparison(hostile, "=", hostile))
    assert text == PredicateSql().compile(Comparison("plain", "=", "plain"))
    assert set(sql.parameters.values()) == {hostile}


def test_several_predicates_of_one_query_share_no_parameter():
    sql = PredicateSql("x")
    first, second = (sql.compile(parse_predicate(text)) for text in ('a = "1"', 'a = "2"'))
    assert not set(re.findall(r"x\d+", first)) & set(re.findall(r"x\d+", second))


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("duration_ms <= 300", 300_000_000),
        ("duration_ms < 0.1", 100_000),
        ("duration_ms > 0.000001", 1),
        ("duration_ms > 1.1", 1_100_000),
    ],
)
def test_milliseconds_become_whole_nanoseconds(text, nanoseconds):
    sql = PredicateSql()
    sql.compile(parse_predicate(text))
    assert sql.parameters == {"p0": nanoseconds}
    assert type(sql.parameters["p0"]) is int
