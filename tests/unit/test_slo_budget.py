from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budget import budget_remaining, burn_rate, exceeds, sli
from slo.model import EventCounts

THREE_NINES = Decimal("0.999")
NOTHING = EventCounts(0, 0)

targets = st.decimals("0.0001", "0.999999", places=6)
counts = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)).map(lambda pair: EventCounts(pair[0], sum(pair)))
factors = st.fractions(min_value=Fraction(1, 100), max_value=100, max_denominator=1000)


def test_without_events_there_is_no_ratio_and_nothing_is_exceeded():
    assert sli(NOTHING) is None
    assert budget_remaining(NOTHING, THREE_NINES) is None
    assert burn_rate(NOTHING, THREE_NINES) is None
    assert not exceeds(NOTHING, THREE_NINES, 1)


def test_the_budget_left_is_signed_and_never_clamped():
    assert budget_remaining(EventCounts(1000, 1000), THREE_NINES) == 1.0
    assert budget_remaining(EventCounts(999, 1000), THREE_NINES) == 0.0
    assert budget_remaining(EventCounts(950, 1000), THREE_NINES) == -49.0


def test_exactly_at_the_factor_is_not_above_it():
    """In floats 1 - 0.999 is 0.0010000000000000009 and the answer would depend on rounding."""
    at_factor = EventCounts(good=100_000 - 1440, total=100_000)
    assert not exceeds(at_factor, THREE_NINES, Decimal("14.4"))
    assert exceeds(EventCounts(good=at_factor.good - 1, total=100_000), THREE_NINES, Decimal("14.4"))


def test_a_burn_rate_is_compared_before_it_is_rounded():
    """At 14.41 a comparison of rates rounded to one decimal would miss the alert."""
    assert exceeds(EventCounts(1_000_000 - 14_410, 1_000_000), THREE_NINES, Decimal("14.4"))


def test_one_event_in_a_billion_billion_still_decides():
    total = 10**18
    allowed = total // 1000
    assert not exceeds(EventCounts(total - allowed, total), THREE_NINES, 1)
    assert exceeds(EventCounts(total - allowed - 1, total), THREE_NINES, 1)


@given(counts, targets, factors)
def test_above_a_factor_means_the_same_as_the_ratio_in_fractions(events, target, factor):
    ratio = Fraction(events.bad, events.total) if events.total else Fraction(0)
    assert exceeds(events, target, factor) == (ratio > factor * (1 - Fraction(target)))


@given(counts, targets, factors, st.integers(1, 1000))
def test_traffic_times_k_changes_no_ratio_and_no_comparison(events, target, factor, k):
    scaled = EventCounts(events.good * k, events.total * k)
    assert exceeds(scaled, target, factor) == exceeds(events, target, factor)
    assert burn_rate(scaled, target) == burn_rate(events, target)


@given(counts.filter(lambda events: events.good > 0), targets, factors)
def test_one_more_bad_event_never_improves_anything(events, target, factor):
    worse = EventCounts(events.good - 1, events.total)
    assert burn_rate(worse, target) >= burn_rate(events, target)
    assert budget_remaining(worse, target) <= budget_remaining(events, target)
    assert exceeds(worse, target, factor) >= exceeds(events, target, factor)


@pytest.mark.parametrize(("rate", "bad"), [(1.0, 1), (15.0, 15), (1000.0, 1000)])
def test_the_burn_rate_is_the_error_ratio_over_the_allowed_one(rate, bad):
    assert burn_rate(EventCounts(1000 - bad, 1000), THREE_NINES) == rate
