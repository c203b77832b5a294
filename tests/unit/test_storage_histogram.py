"""Quantiles of exponential buckets."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.histogram import SCALE, quantile_ms

ERROR = 2 ** (1 / SCALE)  # a bucket is 2.2 % wide
LEVELS = (0.01, 0.5, 0.9, 0.95, 0.99, 1.0)


def buckets_of(durations_ns):
    """Bucket as the migration's SQL does: floor(log2(max(ns, 1)) * 32)."""
    return Counter(math.floor(math.log2(max(ns, 1)) * SCALE) for ns in durations_ns)


def exact(durations_ns, level):
    """Return the smallest value that at least *level* of all are not above."""
    ordered = sorted(durations_ns)
    return max(ordered[max(0, math.ceil(level * len(ordered)) - 1)], 1)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=200))
def test_a_quantile_is_within_the_width_of_a_bucket_of_the_exact_one(durations):
    for level in LEVELS:
        found = quantile_ms(buckets_of(durations), level) * 1e6
        assert 1 / ERROR - 1e-9 <= found / exact(durations, level) <= ERROR + 1e-9


@given(st.dictionaries(st.integers(0, 2048), st.integers(0, 1000)))
def test_quantiles_rise_with_their_level(buckets):
    found = [quantile_ms(buckets, level) for level in LEVELS]
    assert all(value is None for value in found) or found == sorted(found)


@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=50),
    st.lists(st.integers(1, 10**12), min_size=1, max_size=50),
)
def test_merging_histograms_is_the_histogram_of_all(left, right):
    merged = buckets_of(left) + buckets_of(right)
    assert quantile_ms(merged, 0.95) == quantile_ms(buckets_of(left + right), 0.95)


@pytest.mark.parametrize("buckets", [{}, {100: 0}])
def test_no_observations_have_no_quantile(buckets):
    assert quantile_ms(buckets, 0.95) is None


def test_empty_buckets_change_nothing():
    assert quantile_ms({10: 0, 500: 7, 900: 0}, 1.0) == quantile_ms({500: 7}, 1.0)
