"""Intervals against statsmodels, and what they let us say about a burn rate."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import hypergeom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from slo.confidence import (
    StatisticError,
    burn_rate_bound,
    chance_of_excess,
    difference_interval,
    surely_exceeds,
    wilson_interval,
)
from slo.errors import SloError
from slo.model import EventCounts

THREE_NINES = Decimal("0.999")
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.98, 0.9999])
targets = st.decimals("0.5", "0.9999", places=4)
factors = st.fractions(min_value=Fraction(1, 10), max_value=20, max_denominator=100)


@st.composite
def arms(draw, most=20_000):
    total = draw(st.integers(1, most))
    return draw(st.integers(0, total)), total


counts = arms(10**7).map(lambda arm: EventCounts(arm[1] - arm[0], arm[1]))


@given(arms(10**9), CONFIDENCES)
@example((0, 6), 0.95)  # rounding would put the ends a hair outside 0..1
@example((9, 9), 0.95)
def test_wilson_interval_equals_statsmodels(arm, confidence):
    """Wilson's interval agrees with an independent implementation to 1e-12."""
    ours = wilson_interval(arm[0] / arm[1], arm[1], confidence=confidence)
    low, high = proportion_confint(*arm, alpha=1 - confidence, method="wilson")
    assert math.isclose(ours.low, low, abs_tol=1e-12)
    assert math.isclose(ours.high, high, abs_tol=1e-12)
    assert 0 <= ours.low <= ours.high <= 1


@given(arms(), arms(), CONFIDENCES)
def test_difference_interval_equals_statsmodels(control, treatment, confidence):
    """Newcombe's interval agrees with an independent implementation to 1e-9."""
    ours = difference_interval(*control, *treatment, confidence=confidence)
    low, high = confint_proportions_2indep(*treatment, *control, method="newcomb", compare="diff", alpha=1 - confidence)
    assert math.isclose(ours.low, low, abs_tol=1e-9)
    assert math.isclose(ours.high, high, abs_tol=1e-9)


@given(arms(), arms())
def test_interval_holds_the_difference_and_mirrors_when_arms_swap(control, treatment):
    """The point estimate lies inside, within -1..1, and swapping the arms flips the signs."""
    interval = difference_interval(*control, *treatment)
    swapped = difference_interval(*treatment, *control)
    difference = treatment[0] / treatment[1] - control[0] / control[1]
    assert -1 <= interval.low <= difference + 1e-12
    assert difference - 1e-12 <= interval.high <= 1
    assert math.isclose(interval.low, -swapped.high, abs_tol=1e-12)


@given(arms(), arms())
def test_more_confidence_never_narrows_the_interval(control, treatment):
    """A 99 % interval contains the 90 % one."""
    narrow = difference_interval(*control, *treatment, confidence=0.90)
    wide = difference_interval(*control, *treatment, confidence=0.99)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


def test_all_bad_in_both_arms_is_no_difference():
    """1 against 1 is as undamaged as 0 against 0."""
    interval = difference_interval(50, 50, 50, 50)
    assert math.isclose(interval.low, -interval.high)
    assert 0.07 < interval.high < 0.072


@pytest.mark.parametrize(
    ("control", "treatment"), [((0, 0), (1, 5)), ((1, 5), (0, 0)), ((6, 5), (1, 5)), ((-1, 5), (1, 5))]
)
def test_an_arm_that_is_no_proportion_is_refused(control, treatment):
    """Empty arms and impossible counts raise instead of giving NaN."""
    with pytest.raises(StatisticError, match="is no proportion"):
        difference_interval(*control, *treatment)


@pytest.mark.parametrize("confidence", [95, 1, 0, -0.5])
def test_a_confidence_outside_0_to_1_is_refused(confidence):
    """95 instead of 0.95 is a mistake, not an interval."""
    with pytest.raises(StatisticError, match=f"confidence is {confidence}; it must lie between 0 and 1"):
        difference_interval(1, 10, 2, 10, confidence=confidence)


@pytest.mark.parametrize("confidence", [95, 1, 0.5, 0.05])
def test_half_sure_is_no_statement_about_a_bound(confidence):
    with pytest.raises(StatisticError, match=r"between 0\.5 and 1"):
        burn_rate_bound(EventCounts(1, 2), THREE_NINES, confidence=confidence)
    with pytest.raises(SloError, match=r"between 0\.5 and 1"):
        surely_exceeds(EventCounts(1, 2), THREE_NINES, 1, confidence=confidence)


@given(counts, targets)
def test_the_bound_is_the_lower_end_of_a_two_sided_interval_of_twice_the_doubt(events, target):
    """95 % sure on one side leaves 5 % there, as a 90 % interval does on each of its two."""
    low, _ = proportion_confint(events.bad, events.total, alpha=0.10, method="wilson")
    assert math.isclose(burn_rate_bound(events, target), low / (1 - float(target)), rel_tol=1e-9, abs_tol=1e-9)


@given(counts, targets, factors, st.sampled_from([0.8, 0.95, 0.999]))
@example(EventCounts(0, 10), Decimal("0.5"), Fraction(20), 0.95)
def test_to_exceed_surely_means_that_the_bound_is_above_the_factor(events, target, factor, confidence):
    bound = burn_rate_bound(events, target, confidence=confidence)
    if not math.isclose(bound, factor, rel_tol=1e-9):
        assert surely_exceeds(events, target, factor, confidence=confidence) == (bound > factor)


@given(counts.filter(lambda events: events.good), targets, factors)
def test_one_more_bad_event_never_makes_us_less_sure(events, target, factor):
    worse = EventCounts(events.good - 1, events.total)
    assert burn_rate_bound(worse, target) >= burn_rate_bound(events, target) - 1e-9
    assert surely_exceeds(worse, target, factor) >= surely_exceeds(events, target, factor)


@given(counts, targets, factors, st.integers(2, 1000))
def test_more_traffic_with_the_same_ratio_makes_us_surer(events, target, factor, k):
    more = EventCounts(events.good * k, events.total * k)
    assert surely_exceeds(more, target, factor) >= surely_exceeds(events, target, factor)


def test_without_events_there_is_no_bound_and_nothing_is_sure():
    assert burn_rate_bound(EventCounts(0, 0), THREE_NINES) is None
    assert not surely_exceeds(EventCounts(0, 0), THREE_NINES, 1)


def test_one_failure_in_ten_requests_is_no_proof_of_a_page():
    """The workbook's low-traffic service: the burn rate reads 100, and 99 % sure is only that it exceeds 13.9."""
    events = EventCounts(good=9, total=10)
    assert surely_exceeds(events, THREE_NINES, 1, confidence=0.99)
    assert not surely_exceeds(events, THREE_NINES, Decimal("14.4"), confidence=0.99)
    assert surely_exceeds(EventCounts(good=900, total=1000), THREE_NINES, Decimal("14.4"), confidence=0.99)


@st.composite
def parts(draw):
    good, bad = draw(st.tuples(st.integers(0, 10**6), st.integers(0, 3000)))
    part_good, part_bad = draw(st.integers(0, good)), draw(st.integers(0, bad))
    return EventCounts(part_good, part_good + part_bad), EventCounts(good, good + bad)


@given(parts())
@example((EventCounts(0, 3), EventCounts(0, 3)))
@example((EventCounts(10**6, 10**6 + 2000), EventCounts(10**9, 10**9 + 10**6)))
def test_the_chance_of_an_excess_equals_scipy_where_there_is_one(pair):
    part, whole = pair
    chance = chance_of_excess(part, whole)
    if part.bad * whole.total > whole.bad * part.total:
        tail = hypergeom.sf(part.bad - 1, whole.total, whole.bad, part.total)
        assert chance == pytest.approx(tail, rel=1e-4, abs=1e-300)
    else:
        assert chance == 1


def test_every_draw_of_four_from_ten_is_counted():
    """Three of ten are bad; of the 210 draws of four, all bad ones are in 7 of 210, two or more in 70."""
    whole = EventCounts(7, 10)
    assert chance_of_excess(EventCounts(1, 4), whole) == pytest.approx(7 / 210)
    assert chance_of_excess(EventCounts(2, 4), whole) == pytest.approx(70 / 210)


def test_more_than_the_whole_is_no_part_of_it():
    for part in (EventCounts(8, 8), EventCounts(0, 4)):
        with pytest.raises(StatisticError, match="cannot be a part of"):
            chance_of_excess(part, EventCounts(7, 10))
