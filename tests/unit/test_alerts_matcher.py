"""Matchers as Alertmanager writes them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.errors import InvalidMatcher
from alerts.matcher import Matcher, match_all, parse_matcher, parse_matchers

OPERATORS = st.sampled_from(["=", "!="])


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ('severity="page"', "severity", "=", "page"),
        ("severity=page", "severity", "=", "page"),
        ("  severity  !=  page  ", "severity", "!=", "page"),
        ('_a1=~"x|y"', "_a1", "=~", "x|y"),
        ("a!~b.*", "a", "!~", "b.*"),
        ("a=", "a", "=", ""),
        ('a=""', "a", "=", ""),
        (r'a="b\"c\\d\ne"', "a", "=", 'b"c\\d\ne'),
        (r'a=~"x\.y\d"', "a", "=~", r"x\.y\d"),
        ("a=b c", "a", "=", "b c"),
        ("a==b", "a", "=", "=b"),
        ("a=é", "a", "=", "é"),
        ('a="x, y"', "a", "=", "x, y"),
    ],
)
def test_a_matcher_is_read(text, name, operator, value):
    assert parse_matcher(text) == Matcher(name, operator, value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is no matcher; write name=\"value\", or with != , =~ , !~"),
        ("page", "'page' is no matcher; write"),
        ("a-b=c", "'a-b=c' is no matcher; write"),
        ("1a=c", "'1a=c' is no matcher"),
        ("=c", "'=c' is no matcher"),
        ("é=c", "is no matcher"),
        ('a="b', 'a quote is not closed; end the value with "'),
        ('a="', "a quote is not closed"),
        ('a=b"c', 'a quote stands inside of the value; write \\\\"'),
        ("a=b\\", "ends with a backslash; write \\\\\\\\"),
        ('a=~"("', "'a=~\"\\(\"': the regular expression '\\(' cannot be read at character 1: a group is not closed"),
        (f"a={'x' * 1025}", "the value of a has 1025 characters, more than 1024"),
        (f"a{'x' * 10_000}", "xxx…' is no matcher"),
    ],
)  # fmt: skip
def test_what_is_no_matcher_is_told_with_its_text_and_a_remedy(text, told):
    with pytest.raises(InvalidMatcher, match=told):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("a=b", 1), ("{a=b}", 1), ("a=b,c=d", 2), ('{a="b,c", d="e"}', 2), (r'a="b\",c",d=e', 2), (" {a=b, } ", 1)],
)
def test_several_matchers_stand_between_commas(text, count):
    assert len(parse_matchers(text)) == count


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no matcher"),
        ("{}", "holds no matcher"),
        ("{a=b", "has a brace without the other"),
        ("a=b}", "has a brace without the other"),
        ("a=b,,c=d", "'' is no matcher"),
    ],
)
def test_what_holds_no_matchers_is_refused(text, told):
    with pytest.raises(InvalidMatcher, match=told):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("a=b", [{"a": "b"}], [{"a": "c"}, {}, {"a": "bb"}]),
        ("a!=b", [{"a": "c"}, {}], [{"a": "b"}]),
        ("a=~b.*", [{"a": "b"}, {"a": "bc"}], [{"a": "ab"}, {}]),
        ("a!~b.*", [{"a": "ab"}, {}], [{"a": "bc"}]),
        ("a=", [{}, {"a": ""}], [{"a": "b"}]),
        ("a!=", [{"a": "b"}], [{}]),
        ("a=~.*", [{}, {"a": "b"}], []),
        ("a=~.+", [{"a": "b"}], [{}]),
    ],
)
def test_a_label_that_is_not_there_is_an_empty_one_and_expressions_match_whole_values(text, matching, others):
    matcher = parse_matcher(text)
    assert all(matcher.matches(labels) for labels in matching)
    assert not any(matcher.matches(labels) for labels in others)


def test_all_of_several_matchers_must_match():
    matchers = parse_matchers("a=b, c=d")
    assert match_all(matchers, {"a": "b", "c": "d"})
    assert not match_all(matchers, {"a": "b"})
    assert match_all((), {})


@given(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True), OPERATORS, st.text(max_size=20))
@example("a", "=", 'n\\n"\n\\')
@example("a", "=", " ~ ")
def test_what_is_written_is_read_back(name, operator, value):
    matcher = Matcher(name, operator, value)
    assert parse_matcher(matcher.text()) == matcher
    assert parse_matchers(f"{{{matcher.text()}, b=c}}") == (matcher, Matcher("b", "=", "c"))


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_equal_value_matches_and_an_unequal_one_does_not(value, other):
    assert Matcher("a", "=", value).matches({"a": other}) == (value == other)
    assert Matcher("a", "!=", value).matches({"a": other}) == (value != other)


@given(st.text(max_size=60))
def test_any_text_is_a_matcher_or_a_clear_error(text):
    try:
        assert parse_matchers(text)
    except InvalidMatcher as error:
        told = str(error)
        assert told


@pytest.mark.parametrize(("name", "operator"), [("a b", "="), ("", "="), ("a", "~"), ("a", "==")])
def test_a_matcher_that_is_made_wrongly_is_refused(name, operator):
    with pytest.raises(InvalidMatcher, match=r"write it with _|use =, !="):
        Matcher(name, operator, "x")
