"""Quantiles of exponential buckets."""

import math
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.histogram import SCALE, quantile_ms

ERROR = 2 ** (1 / SCALE) - 1  # a bucket is 2.2 % wide
LEVELS = (0.01, 0.5, 0.9, 0.95, 0.99, 1.0)


def buckets_of(durations_ns):
    """Bucket as the migration's SQL does: floor(log2(max(ns, 1)) * 32)."""
    return Counter(math.floor(math.log2(max(ns, 1)) * SCALE) for ns in durations_ns)


def exact(durations_ns, level):
    """Return the smallest value that at least *level* of all are not above."""
    ordered = sorted(durations_ns)
    return max(ordered[max(0, math.ceil(Fraction(str(level)) * len(ordered)) - 1)], 1)


def error(durations_ns, level=0.95):
    return abs(quantile_ms(buckets_of(durations_ns), level) * 1e6 / exact(durations_ns, level) - 1)


# from single values to floods of equal ones, over ten powers of ten, with clusters at the edges of buckets
durations = st.one_of(
    st.lists(st.integers(0, 10**13), min_size=1, max_size=200),
    st.lists(st.integers(2**24, 2**24 + 400_000), min_size=1, max_size=200),
    st.lists(st.sampled_from([1, 2, 2**24 - 1, 2**24, 2**30]), min_size=1, max_size=200),
    st.tuples(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(1, 99)).map(
        lambda drawn: [drawn[0]] * drawn[2] + [drawn[1]] * (100 - drawn[2])
    ),
)


@given(durations)
def test_a_quantile_is_within_the_width_of_a_bucket_of_the_exact_one(durations_ns):
    for level in LEVELS:
        assert error(durations_ns, level) < ERROR < 0.022


@given(st.integers(1, 10**12), st.sampled_from(LEVELS))
def test_a_single_value_is_every_quantile_and_shown_in_the_middle_of_its_bucket(duration_ns, level):
    assert quantile_ms(buckets_of([duration_ns]), level) == quantile_ms(buckets_of([duration_ns]), 0.5)
    assert error([duration_ns], level) < 2 ** (0.5 / SCALE) - 1 + 1e-9


@pytest.mark.parametrize("count", [20, 100, 1000])
def test_the_rank_of_a_quantile_is_exact(count):
    """One in twenty is slow: the p95 is the slowest of the others, and one slow one more makes it slow."""
    fast, slow = 10**6, 10**9
    some = count // 20
    assert quantile_ms(buckets_of([fast] * (count - some) + [slow] * some), 0.95) == pytest.approx(1, rel=0.022)
    assert quantile_ms(buckets_of([fast] * (count - some - 1) + [slow] * (some + 1)), 0.95) > 900


@pytest.mark.parametrize("seed", range(5))
def test_many_values_of_an_even_mix_are_within_half_a_percent(seed):
    """As the latencies of the benchmark: anything from 0 to 200 ms."""
    dice = random.Random(seed)
    assert error([dice.randrange(200_000_000) for _ in range(5000)]) < 0.005


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
