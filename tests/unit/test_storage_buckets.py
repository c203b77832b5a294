"""Laws of quantiles over buckets, whatever was counted."""

import math
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.buckets import ExplicitBuckets, ExponentialBuckets, merge

LEVELS = (0.0, 0.01, 0.5, 0.95, 1.0)
counts = st.integers(0, 2**53)
bounds = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=8, unique=True).map(sorted)
indexes = st.dictionaries(st.integers(-(2**31), 2**31), counts, max_size=8)


@st.composite
def explicit(draw):
    edges = tuple(draw(bounds))
    return ExplicitBuckets(edges, tuple(draw(st.lists(counts, min_size=len(edges) + 1, max_size=len(edges) + 1))))


@given(explicit())
def test_a_higher_quantile_is_never_lower_and_none_lies_beyond_the_bounds(histogram):
    found = [histogram.quantile(level) for level in LEVELS]
    if not sum(histogram.counts):
        assert found == [None] * len(LEVELS)
        return
    # interpolation rounds: a step back of the last digits is none
    assert all(low <= high or low == pytest.approx(high) for low, high in pairwise(found))
    assert found[-1] <= histogram.bounds[-1] or found[-1] == pytest.approx(histogram.bounds[-1])


@given(st.lists(explicit(), min_size=1, max_size=4))
def test_merging_loses_no_count_and_keeps_what_lies_below_each_common_bound(histograms):
    merged = merge(histograms)
    assert sum(merged.counts) == pytest.approx(sum(sum(item.counts) for item in histograms))
    for bound, below in zip(merged.bounds, accumulate(merged.counts), strict=False):
        expected = sum(dict(zip(item.bounds, accumulate(item.counts), strict=False))[bound] for item in histograms)
        assert below == pytest.approx(expected)


@given(st.integers(-10, 20), indexes, indexes, counts, st.floats(0, 1e300))
def test_exponential_quantiles_never_fall_and_never_raise(scale, positive, negative, zero, threshold):
    histogram = ExponentialBuckets(scale, positive, negative, zero, threshold if zero else 0.0)
    found = [histogram.quantile(level) for level in LEVELS]
    total = zero + sum(positive.values()) + sum(negative.values())
    assert all(value is not None for value in found) == (total > 0)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50), st.sampled_from(LEVELS[1:]))
def test_an_exponential_quantile_is_within_a_bucket_of_the_true_one(values, level):
    scale = 5
    buckets: dict[int, int] = {}
    for value in values:
        index = math.ceil(math.log2(value) * 2**scale) - 1
        buckets[index] = buckets.get(index, 0) + 1
    exact = sorted(values)[max(0, math.ceil(level * len(values)) - 1)]
    assert ExponentialBuckets(scale, buckets).quantile(level) == pytest.approx(
        exact, rel=2 ** (1 / 2**scale) - 1 + 1e-9
    )
