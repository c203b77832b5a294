"""What follows from a predicate by its shape alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.predicate import SPAN_KINDS, And, Comparison, Not, Or
from slo.predicate_evaluation import evaluate_predicate
from slo.predicate_parser import parse_predicate
from slo.tautology import excludes, implies


@pytest.mark.parametrize(
    ("given", "predicate"),
    [
        ("a = 1", "a = 1"),
        ("a = 1 and not error", "error = false"),
        ("a = 1 and not error", "error != true"),
        ("error", "error != false"),
        ("a = 1 and b = 2", "b = 2 and a = 1"),
        ("a = 1", "b = 2 or a = 1"),
        ("not not a = 1", "a = 1"),
        ("duration_ms <= 100", "duration_ms <= 300"),
        ("duration_ms < 300", "duration_ms <= 300"),
        ("duration_ms < 300", "duration_ms < 300.0"),
        ("duration_ms > 5", "duration_ms >= 5"),
        ("duration_ms >= 6", "duration_ms > 5"),
        ('kind = "server"', 'kind in ("server", "client")'),
        (None, "duration_ms >= 0"),
        (None, "duration_ms > -1"),
        (None, "error or not error"),
        (None, "error = false or error"),
    ],
)
def test_what_must_hold_is_known(given, predicate):
    assert implies(None if given is None else parse_predicate(given), parse_predicate(predicate))


@pytest.mark.parametrize(
    ("given", "predicate"),
    [
        (None, "a = 1"),
        (None, "duration_ms > 0"),
        (None, "duration_ms <= 5"),
        ("a = 1", "a = 2"),
        ("a = 1", "a = true"),
        ("a = 1", 'a in ("1", 2)'),
        ("a = 1 or b = 2", "a = 1"),
        ("duration_ms <= 300", "duration_ms < 300"),
        ("duration_ms >= 5", "duration_ms > 5"),
        ("duration_ms <= 301", "duration_ms <= 300"),
        ('a < "x"', 'a < "y"'),
        ("a < 1", "b < 2"),
        ("a > 1", "a < 2"),
        ("a = 1", "a = 1 and b = 2"),
    ],
)
def test_what_may_fail_is_not_taken_for_certain(given, predicate):
    assert not implies(None if given is None else parse_predicate(given), parse_predicate(predicate))


def test_what_can_never_hold_is_known():
    error, fine = parse_predicate("error"), parse_predicate("not error")
    assert excludes(error, fine)
    assert excludes(fine, error)
    assert not excludes(None, fine)
    assert excludes(None, parse_predicate("not duration_ms >= 0"))


comparisons = st.one_of(
    st.builds(Comparison, st.just("error"), st.sampled_from(["=", "!="]), st.booleans()),
    st.builds(Comparison, st.just("duration_ms"), st.sampled_from(["<", "<=", ">", ">="]), st.integers(-1, 3)),
    st.builds(Comparison, st.just("kind"), st.sampled_from(["=", "!="]), st.sampled_from(SPAN_KINDS[:2])),
    st.builds(Comparison, st.just("kind"), st.just("in"), st.just(SPAN_KINDS[:2])),
    st.builds(Comparison, st.just("a"), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 2)),
)
predicates = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.tuples(inner, inner)),
        st.builds(Or, st.tuples(inner, inner)),
    ),
    max_leaves=5,
)
spans = st.fixed_dictionaries(
    {"error": st.booleans(), "duration_ms": st.integers(0, 4), "kind": st.sampled_from(SPAN_KINDS[:3])},
    optional={"a": st.integers(0, 2)},
)


@given(st.none() | predicates, predicates, st.lists(spans, min_size=1, max_size=20))
def test_no_span_contradicts_what_is_said_to_follow(given_predicate, predicate, tried):
    counted = [s for s in tried if given_predicate is None or evaluate_predicate(given_predicate, s.get)]
    if implies(given_predicate, predicate):
        assert all(evaluate_predicate(predicate, span.get) for span in counted)
    if excludes(given_predicate, predicate):
        assert not any(evaluate_predicate(predicate, span.get) for span in counted)
