"""Regular expressions of matchers: what matches as in `re`, and nothing takes long."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.errors import InvalidMatcher
from alerts.pattern import LONGEST_TEXT, Pattern

ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "[b-d]", r"\.", r"\w", r"\D", r"\s", "-", "é", "^", "$"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{2,}", "*?"])).map(
            lambda parts: f"(?:{parts[0]}){parts[1]}"
        ),
        inner.map("({})".format),
    ),
    max_leaves=8,
)
TEXTS = st.text("abcd.- é\n1", max_size=8)


def by_re(pattern, text):
    """Match as `re` does, with RE2's meaning of $ (the very end) and ASCII classes."""
    return re.fullmatch(pattern.replace("$", r"\Z"), text, re.ASCII) is not None


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS, TEXTS)
def test_an_expression_matches_whole_texts_as_in_python(pattern, text):
    assert Pattern(pattern).matches(text) == by_re(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("", [""], ["a"]),
        ("prod|stag.*", ["prod", "staging"], ["production", "xprod", ""]),
        ("(?i)check.OUT", ["CHECKxout", "check-out"], ["checkout"]),
        ("(?i)[a-c]+", ["AbC"], ["d"]),
        ("[]a]+", ["]a"], ["b"]),
        ("[^]a]", ["b"], ["]"]),
        ("[a-]+", ["-a"], ["b"]),
        (r"[\d\-x]+", ["1-x"], ["y"]),
        (r"[\D]", ["x"], ["1"]),
        ("[[:alpha:]_]+", ["a_Z"], ["1"]),
        ("[[:^digit:]]", ["x"], ["1"]),
        (r"\x41\x{20ac}\t", ["A€\t"], ["A"]),
        ("a{,2}", ["a{,2}"], ["a", "aa"]),
        ("a{2", ["a{2"], ["aa"]),
        ("a{0}b", ["b"], ["ab"]),
        ("(?P<name>a)(b)", ["ab"], ["a"]),
        (r"^a$|\Ab\z", ["a", "b"], ["ab"]),
        ("a.b", ["a-b"], ["a\nb"]),
        ("a||b", ["a", "", "b"], ["ab"]),
    ],
)  # fmt: skip
def test_it_reads_what_re2_reads(pattern, matching, others):
    compiled = Pattern(pattern)
    assert [compiled.matches(text) for text in matching + others] == [True] * len(matching) + [False] * len(others)


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("*a", r"at character 0: \* repeats nothing; write \\\*"),
        ("a**", r"one repetition follows another; group the first as in \(\?:a\*\)\*"),
        ("(a", "a group is not closed"),
        ("a)", r"a \) closes nothing"),
        ("[a", "a class is not closed"),
        ("[b-a]", "the range b-a runs backwards; write a-b"),
        ("[[:nope:]]", r"unknown class \[:nope:\]; known: alpha"),
        (r"a\b", r"\\b is not read here"),
        (r"(a)\1", r"\\1 is not read here"),
        ("(?=a)", r"only \(\?:…\)"),
        ("(?<1>a)", r"only \(\?:…\)"),
        ("a\\", "ends with a backslash"),
        ("[\\", "ends with a backslash"),
        (r"\xzz", r"\\xzz is no character"),
        (r"\x{110000}", r"no character"),
        ("a{2,1}", r"the repetition \{2,1\} must go from 0 up to 1000"),
        ("a{1001}", r"must go from 0 up to 1000"),
        ("(?:a{500}){500}", "repeats so much that it has 250000 steps, more than 1000"),
        ("(" * 31 + ")" * 31, "more than 30 deep"),
        ("a" * 1001, "has 1001 characters, more than 1000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place_and_a_remedy(pattern, told):
    with pytest.raises(InvalidMatcher, match=told):
        Pattern(pattern)


HOSTILE = [
    ("(a+)+b", "a" * 5000),
    ("(a|a)*b", "a" * 5000),
    ("(a|b)*a(a|b){90}", "abbaabab" * 700),
    ("(?:.*)*" * 100 + "x", "a" * 5000),
    ("(a?){160}a{160}", "a" * 5000),
    (".*a" * 240, "ab" * 5000),
    ("(.{0,100}){4}x", "abcdefgh" * 700),
]


@pytest.mark.parametrize(("pattern", "text"), HOSTILE)
def test_no_expression_takes_long_on_any_text(pattern, text):
    started = time.process_time()
    Pattern(pattern).matches(text)
    assert time.process_time() - started < 2  # `re` would need longer than the universe for the first of them


@settings(max_examples=300, deadline=None)
@given(st.text(r"ab.*+?{}[]()|^$\-:,19i<>PxdD", max_size=40), st.text("ab1", max_size=20))
def test_any_text_is_an_expression_or_a_clear_error(pattern, text):
    told = repr(pattern)
    try:
        Pattern(pattern).matches(text)
    except InvalidMatcher as error:
        told = str(error)
    assert repr(pattern) in told


def test_of_a_long_text_the_beginning_is_matched():
    assert Pattern("a*").matches("a" * LONGEST_TEXT + "b")
    assert not Pattern("a*").matches("a" * (LONGEST_TEXT - 1) + "b")


def test_what_is_remembered_of_earlier_texts_stays_small_and_changes_no_answer():
    compiled = Pattern("(?:a|b)*a(?:a|b){12}")
    for number in range(2000):
        text = f"{number * 7919 % 2**20:020b}".replace("0", "a").replace("1", "b")
        assert compiled.matches(text) == (text[-13] == "a")
    assert len(compiled._moves) <= 4096
