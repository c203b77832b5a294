import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from chaos.statistics import _newcombe, difference_interval, samples_to_decide, wilson_interval

CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.98])


@st.composite
def arms(draw):
    total = draw(st.integers(1, 20_000))
    return draw(st.integers(0, total)), total


@given(arms(), arms(), CONFIDENCES)
def test_difference_interval_equals_statsmodels(control, treatment, confidence):
    """Newcombe's interval agrees with an independent implementation to 1e-9."""
    ours = difference_interval(*control, *treatment, confidence=confidence)
    low, high = confint_proportions_2indep(*treatment, *control, method="newcomb", compare="diff", alpha=1 - confidence)
    assert math.isclose(ours.low, low, abs_tol=1e-9)
    assert math.isclose(ours.high, high, abs_tol=1e-9)


@given(arms(), CONFIDENCES)
def test_wilson_interval_equals_statsmodels(arm, confidence):
    """Wilson's interval agrees with an independent implementation to 1e-9."""
    ours = wilson_interval(arm[0] / arm[1], arm[1], confidence=confidence)
    low, high = proportion_confint(*arm, alpha=1 - confidence, method="wilson")
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


@pytest.mark.parametrize(
    ("control", "treatment"), [((0, 0), (1, 5)), ((1, 5), (0, 0)), ((6, 5), (1, 5)), ((-1, 5), (1, 5))]
)
def test_an_arm_that_is_no_proportion_is_refused(control, treatment):
    """Empty arms and impossible counts raise instead of giving NaN."""
    with pytest.raises(ValueError, match="is no proportion"):
        difference_interval(*control, *treatment)


def test_a_confidence_outside_0_to_1_is_refused():
    """95 instead of 0.95 is a mistake, not an interval."""
    with pytest.raises(ValueError, match="confidence is 95"):
        difference_interval(1, 10, 2, 10, confidence=95)


def test_all_bad_in_both_arms_is_no_difference():
    """1 against 1 is as undamaged as 0 against 0."""
    interval = difference_interval(50, 50, 50, 50)
    assert math.isclose(interval.low, -interval.high)
    assert 0.07 < interval.high < 0.072


@given(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.2))
def test_samples_to_decide_is_the_smallest_number_that_decides(control, treatment, margin):
    """With the returned number the margin lies outside the interval, with one fewer it lies inside."""
    needed = samples_to_decide(control, treatment, margin)

    def decides(total):
        interval = _newcombe(control, total, treatment, total, 0.95)
        return interval.high <= margin or interval.low > margin

    if needed is None:
        assert abs(treatment - control - margin) < 0.001
    else:
        assert decides(needed)
        assert needed == 1 or not decides(needed - 1)


def test_a_difference_at_the_margin_is_never_decided():
    """No number of samples separates a difference from a margin that equals it."""
    assert samples_to_decide(0.1, 0.2, 0.1) is None
