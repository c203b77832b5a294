"""Before against after: what counts as worse, better, the same, and too little to tell."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from slo.confidence import StatisticError
from slo.model import EventCounts
from slo.regression import error_change, latency_change

NOTHING = EventCounts(0, 0)
SWAPPED = {"worse": "better", "better": "worse", "same": "same", "too few": "too few"}
MS = 1_000_000

sides = st.tuples(st.integers(0, 2000), st.integers(0, 20_000)).map(lambda pair: EventCounts(pair[1], sum(pair)))
histograms = st.dictionaries(st.integers(600, 720), st.integers(0, 500), max_size=8)


def bad(number, total=10_000):
    return EventCounts(total - number, total)


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (bad(10), bad(500), "worse"),
        (bad(500), bad(10), "better"),
        (bad(10), bad(12), "same"),
        (bad(10, 1000), bad(20, 1000), "too few"),  # the interval holds the margin
        (bad(0, 99), bad(90, 99), "too few"),  # a clear difference of too few events
        (NOTHING, bad(10), "too few"),
        (bad(10), NOTHING, "too few"),
    ],
)
def test_the_verdict_on_errors(before, after, verdict):
    assert error_change(before, after).verdict == verdict


def test_a_side_without_events_has_no_difference_and_is_named():
    change = error_change(bad(10), NOTHING)
    assert (change.difference, change.interval) == (None, None)
    assert "no events after" in change.reason
    assert "no events before" in error_change(NOTHING, NOTHING).reason


def test_too_few_events_say_how_many_there_are_and_how_many_it_takes():
    assert error_change(bad(0, 40), bad(5)).reason == "40 events on the smaller side, and at least 100 are asked for"
    assert error_change(bad(0, 40), bad(9_999), min_total=40).verdict == "worse"


def test_no_proof_of_a_difference_is_not_proof_of_none():
    """Both sides fail once in 150 requests: nothing points to a change, and nothing excludes one of two percent."""
    change = error_change(bad(1, 150), bad(1, 150))
    assert change.difference == 0
    assert change.verdict == "too few"
    assert "more events would tell" in change.reason


@given(sides.filter(lambda side: side.total), sides.filter(lambda side: side.total))
def test_the_interval_equals_statsmodels(before, after):
    found = error_change(before, after).interval
    low, high = confint_proportions_2indep(
        after.bad, after.total, before.bad, before.total, method="newcomb", compare="diff"
    )
    assert math.isclose(found.low, low, abs_tol=1e-9)
    assert math.isclose(found.high, high, abs_tol=1e-9)


@given(sides, sides)
def test_swapping_the_sides_swaps_the_verdict_on_errors(before, after):
    assert error_change(after, before).verdict == SWAPPED[error_change(before, after).verdict]


@given(sides, st.integers(2, 50))
def test_what_did_not_change_is_never_called_a_change(side, k):
    other = EventCounts(side.good * k, side.total * k)
    assert error_change(side, other).verdict in ("same", "too few")


def test_the_margin_decides_what_matters():
    before, after = bad(100, 100_000), bad(600, 100_000)  # half a percent more
    assert error_change(before, after).verdict == "same"
    assert error_change(before, after, margin=Decimal("0.003")).verdict == "worse"
    assert error_change(before, after, margin=Decimal("0.003"), confidence=1 - 1e-15).verdict == "too few"


def test_a_negative_margin_is_refused():
    with pytest.raises(StatisticError, match=r"margin -0\.01 is negative"):
        error_change(bad(1), bad(1), margin=Decimal("-0.01"))


def test_a_doubled_latency_is_worse_and_says_from_where_to_where():
    change = latency_change({700: 950, 750: 50}, {732: 950, 782: 50})
    assert change.slow.verdict == "worse"
    assert (change.slow.before.bad, change.slow.after.bad) == (50, 1000)
    assert 2 ** (700 / 32) < change.before_ms * 1e6 < 2 ** (701 / 32)
    assert change.after_ms == pytest.approx(2 * change.before_ms)
    assert change.ratio == 2.0


def test_a_halved_latency_is_better_though_nothing_was_above_the_old_quantile():
    assert latency_change({732: 1000}, {700: 1000}).slow.verdict == "better"


def test_a_slow_tail_that_grows_is_worse_though_the_median_stays():
    change = latency_change({700: 970, 900: 30}, {700: 800, 900: 200})
    assert (change.slow.verdict, change.slow.difference) == ("worse", pytest.approx(0.17))
    median = latency_change({700: 970, 900: 30}, {700: 800, 900: 200}, level=Decimal("0.5"))
    assert median.ratio == 1.0
    assert median.slow.verdict == "same", "the share changed, but not the quantile that was asked about"


def test_a_sure_shift_that_is_too_small_to_matter_is_the_same():
    """Two buckets are 4.4 %, three are 6.7 %; all of the requests moved."""
    small = latency_change({700: 1000}, {702: 1000}).slow
    assert small.verdict == "same"
    assert small.reason == "the quantile is 1.04 times what it was, within the factor 1.05 that matters"
    assert latency_change({702: 1000}, {700: 1000}).slow.verdict == "same"
    assert latency_change({700: 1000}, {703: 1000}).slow.verdict == "worse"
    assert latency_change({700: 1000}, {702: 1000}, least_shift=Decimal(1)).slow.verdict == "worse"


def test_a_threshold_of_an_objective_is_judged_as_it_stands():
    """Bucket 850 ends just above 100 ms; beyond the threshold a shift of one bucket is a broken promise."""
    change = latency_change({849: 1000}, {850: 1000}, threshold_ns=100 * MS)
    assert (change.slow.before.bad, change.slow.after.bad, change.slow.verdict) == (0, 1000, "worse")
    assert latency_change({700: 1000}, {800: 1000}, threshold_ns=100 * MS).slow.verdict == "same"


def test_latency_without_events_on_a_side_has_no_quantiles():
    for before, after in (({}, {700: 1000}), ({700: 1000}, {700: 0}), ({}, {})):
        change = latency_change(before, after)
        assert (change.before_ms, change.after_ms, change.ratio) == (None, None, None)
        assert change.slow.verdict == "too few"


@given(histograms, histograms)
def test_swapping_the_sides_swaps_the_verdict_on_latency(before, after):
    one, other = latency_change(before, after), latency_change(after, before)
    assert other.slow.verdict == SWAPPED[one.slow.verdict]
    assert one.ratio is None or math.isclose(one.ratio * other.ratio, 1)


@given(histograms, histograms, st.integers(-500, 500))
def test_the_unit_of_time_changes_no_verdict(before, after, shift):
    moved = [{bucket + shift: count for bucket, count in each.items()} for each in (before, after)]
    one, other = latency_change(before, after), latency_change(*moved)
    assert (one.slow, one.ratio) == (other.slow, other.ratio)


@pytest.mark.parametrize("options", [{"level": Decimal(95)}, {"level": Decimal(0)}, {"least_shift": Decimal("0.9")}])
def test_a_level_or_shift_that_makes_no_sense_is_refused(options):
    with pytest.raises(StatisticError, match="must lie between 0 and 1, and least shift"):
        latency_change({700: 1000}, {700: 1000}, **options)
