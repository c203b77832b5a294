from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.blame import Charge
from slo.blame_share import apportion, describe, shares


def charges(*names):
    return [Charge(*name.split(" ", 1), "id", "") for name in names]


charged = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "GET", "PUT"]), st.integers(0, 10**6)), max_size=40
)


@given(charged, st.integers(0, 6))
def test_shares_sum_to_exactly_one_and_lose_no_weight(items, top):
    found = shares([Charge(a, b, "id", "") for a, b, _ in items], [weight for _, _, weight in items], top=top)
    total = sum(weight for _, _, weight in items)
    assert sum(each.weight for each in found) == total
    assert bool(found) == bool(total)
    if total:
        assert sum(each.share for each in found) == 1
        assert all(each.share == Fraction(each.weight, total) for each in found)
    named = [each for each in found if not each.others]
    assert len(named) <= top
    assert [each.weight for each in named] == sorted((each.weight for each in named), reverse=True)


def test_what_is_beyond_the_top_is_one_share_that_says_how_many_it_sums():
    found = shares(charges("a GET", "b GET", "c GET", "d GET", "b GET"), [1, 1, 1, 1, 1], top=2)
    assert [(each.label, each.weight, each.others) for each in found] == [
        ("b GET", 2, 0),
        ("a GET", 1, 0),
        ("other", 2, 2),
    ]


def test_equal_shares_stand_in_the_order_of_their_names():
    assert [each.label for each in shares(charges("b x", "a y", "a x"), [1, 1, 1])] == ["a x", "a y", "b x"]


def test_a_weight_below_zero_or_missing_is_refused():
    with pytest.raises(ValueError, match="weight -1 of span 'id' is below 0"):
        shares(charges("a x"), [-1])
    with pytest.raises(ValueError, match="shorter"):
        shares(charges("a x", "b x"), [1])


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.integers(0, 10**7))
def test_what_is_apportioned_sums_to_the_total_and_no_part_is_off_by_one_or_more(weights, total):
    parts = [Fraction(weight, sum(weights)) for weight in weights]
    found = apportion(parts, total)
    assert sum(found) == total
    assert all(abs(number - part * total) < 1 for number, part in zip(found, parts, strict=True))


def test_a_line_of_text_has_percent_that_sum_to_a_hundred():
    found = shares(charges("payments charge", "checkout POST /pay", "a x", "b x"), [81, 12, 4, 3], top=2)
    assert describe(found) == "81 % payments charge, 12 % checkout POST /pay, 7 % other"
    thirds = shares(charges("a x", "b x", "c x"), [1, 1, 1])
    assert describe(thirds) == "34 % a x, 33 % b x, 33 % c x"


def test_a_share_too_small_for_a_percent_is_not_called_nothing():
    assert describe(shares(charges("a x", "b "), [999, 1])) == "100 % a x, under 1 % b"


@pytest.mark.parametrize(("charged", "requests"), [(5, 5), (None, None)])
def test_shares_of_all_bad_requests_are_not_called_an_estimate(charged, requests):
    assert describe(shares(charges("a x"), [1]), charged=charged, requests=requests) == "100 % a x"


def test_shares_of_a_part_say_of_how_many():
    text = describe(shares(charges("a x"), [1]), charged=2_000, requests=100_000)
    assert text == "100 % a x (estimated from 2,000 of 100,000 bad requests)"
    assert describe([], charged=0, requests=5) == ""


def test_without_bad_requests_there_is_nothing_to_say():
    assert describe(shares([], [])) == ""
