"""Buckets against the formula that the database uses, and thresholds against every duration in a bucket."""

import math
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slo.latency_buckets import bucket_ms, last_bucket_within, quantile_bucket, split
from slo.model import EventCounts
from storage.histogram import SCALE, quantile_ms

histograms = st.dictionaries(st.integers(0, 1400), st.integers(0, 1000), max_size=20)
levels = st.decimals("0.01", "0.99", places=2)


def bucket_of(nanoseconds):
    """Bucket as the migration's SQL does: floor(log2(max(ns, 1)) * 32)."""
    return math.floor(math.log2(max(nanoseconds, 1)) * SCALE)


@given(st.integers(1, 10**13))
@example(1)
@example(2**20)
@example(2**20 - 1)
def test_the_first_duration_beyond_a_threshold_opens_the_next_bucket(threshold):
    """So every duration of the buckets up to the last one is within it, and the next bucket has one that is not."""
    assert bucket_of(threshold + 1) == last_bucket_within(threshold) + 1


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_higher_threshold_holds_no_fewer_buckets(one, other):
    low, high = sorted((one, other))
    assert last_bucket_within(low) <= last_bucket_within(high)


def test_a_threshold_of_nothing_holds_no_bucket():
    assert last_bucket_within(0) == -1


@given(histograms, st.integers(-1, 1400))
def test_splitting_loses_no_event(buckets, last_good):
    events = split(buckets, last_good)
    assert events.total == sum(buckets.values())
    assert events.bad == sum(count for bucket, count in buckets.items() if bucket > last_good)


@given(histograms, levels)
def test_the_quantile_bucket_is_the_first_with_enough_events_up_to_it(buckets, level):
    found = quantile_bucket(buckets, level)
    total = sum(buckets.values())
    if found is None:
        assert total == 0
        return
    assert split(buckets, found).good >= level * total > split(buckets, found - 1).good
    assert math.floor(math.log2(quantile_ms(buckets, float(level)) * 1e6) * SCALE + 1e-6) - found in (0, 1)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=100), levels)
def test_the_middle_of_the_quantile_bucket_is_within_1_1_percent_of_the_exact_quantile(durations, level):
    exact = sorted(durations)[math.ceil(level * len(durations)) - 1]
    found = bucket_ms(quantile_bucket(Counter(map(bucket_of, durations)), level)) * 1e6
    assert found / exact == pytest.approx(1, rel=0.0111)


def test_events_up_to_a_bucket_are_good():
    assert split({}, 5) == EventCounts(0, 0)
    assert quantile_bucket({7: 0}, Decimal("0.5")) is None
