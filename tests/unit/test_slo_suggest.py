"""Objectives suggested from history, and the cases in which none is."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.confidence import StatisticError
from slo.errors import InvalidObjective
from slo.latency_buckets import last_bucket_within
from slo.model import EventCounts
from slo.suggest import COARSE_STEPS, USUAL_TARGETS, suggest_target, suggest_threshold

FIRST = datetime(2026, 2, 1, tzinfo=UTC)
P95 = Decimal("0.95")
MS = 1_000_000

days = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 10**6)).map(lambda pair: EventCounts(pair[1], sum(pair))), max_size=40
)
histograms = st.dictionaries(st.integers(0, 1400), st.integers(0, 1000), max_size=20)


def daily(counts):
    return {FIRST + timedelta(days=day): events for day, events in enumerate(counts)}


def bad(number, total=1_000_000):
    return EventCounts(total - number, total)


def test_the_tightest_target_that_nine_of_ten_days_met():
    counts = [bad(400)] * 27 + [bad(4000), bad(30_000), bad(1500)]
    found = suggest_target(daily(counts))
    assert (found.target, found.windows, found.met) == (Decimal("0.9995"), 30, 27)
    assert (found.worst_start, found.worst) == (FIRST + timedelta(days=28), bad(30_000))


def test_one_day_more_that_missed_it_gives_the_next_looser_target():
    counts = [bad(400)] * 26 + [bad(4000), bad(30_000), bad(1500), bad(501)]
    assert suggest_target(daily(counts)).target == Decimal("0.999")


def test_a_day_exactly_at_the_target_met_it():
    assert suggest_target(daily([bad(1000)] * 10)).target == Decimal("0.999")
    assert suggest_target(daily([bad(1001)] * 10)).target == Decimal("0.998")


def test_the_first_of_two_equally_bad_days_is_named_and_shares_not_numbers_are_compared():
    counts = [bad(9)] * 30 + [bad(50, total=100), bad(500, total=1000), bad(900, 2_000_000)]
    assert suggest_target(daily(counts)).worst_start == FIRST + timedelta(days=30)
    assert suggest_target(dict(reversed(daily(counts).items()))).worst_start == FIRST + timedelta(days=30)


def test_idle_days_say_nothing():
    idle = EventCounts(0, 0)
    assert suggest_target(daily([bad(10)] * 6 + [idle] * 20)) is None, "six days are too few"
    assert suggest_target(daily([bad(10)] * 7 + [idle] * 20)).windows == 7


def test_a_quiet_service_is_not_promised_nines_that_it_met_by_luck():
    """A hundred requests a day without an error: 0.99 allows one of them to fail, anything tighter none."""
    assert suggest_target(daily([EventCounts(100, 100)] * 30)).target == Decimal("0.99")
    assert suggest_target(daily([EventCounts(5, 5)] * 30)) is None


def test_a_service_that_fails_all_the_time_gets_no_target():
    assert suggest_target(daily([EventCounts(50, 100)] * 30)) is None


@given(days, st.decimals("0.05", "1", places=2))
def test_what_is_suggested_was_met_and_what_is_tighter_was_not(counts, share):
    found = suggest_target(daily(counts), share=share, min_windows=1)
    seen = [events for events in counts if events.total]
    enough = {
        target: sum(Fraction(events.good, events.total) >= target for events in seen) >= share * len(seen)
        for target in USUAL_TARGETS
    }
    if found is None:
        assert (
            not seen or not enough[Decimal("0.9")] or sorted(events.total for events in seen)[(len(seen) - 1) // 2] < 10
        )
        return
    assert enough[found.target]
    typical = sorted(events.total for events in seen)[(len(seen) - 1) // 2]
    assert not any(enough[t] and (1 - t) * typical >= 1 for t in USUAL_TARGETS if t > found.target)
    assert all(found.worst.good * events.total <= events.good * found.worst.total for events in seen)


@given(days, st.integers(0, 39))
def test_one_more_error_never_tightens_the_suggestion(counts, at):
    if at >= len(counts) or not counts[at].good:
        return
    worse = [*counts]
    worse[at] = EventCounts(counts[at].good - 1, counts[at].total)
    before, after = (suggest_target(daily(each), min_windows=1) for each in (counts, worse))
    assert (after.target if after else 0) <= (before.target if before else 0)


@pytest.mark.parametrize(("share", "windows"), [("0", 7), ("1.1", 7), ("90", 7), ("0.9", 0)])
def test_a_share_that_is_none_and_no_windows_at_all_are_refused(share, windows):
    with pytest.raises(StatisticError, match=f"a share of {re.escape(share)} of at least {windows} windows"):
        suggest_target({}, share=Decimal(share), min_windows=windows)


FINER = tuple(Decimal(step) for step in ("1", "1.5", "2", "3", "5", "7"))


def bucket(ms):
    """Return the bucket whose upper end is *ms* or just above."""
    return last_bucket_within(int(ms * MS)) + 1


def test_the_threshold_is_the_next_usual_number_above_the_percentile():
    buckets = {bucket(40): 900, bucket(130): 60, bucket(700): 40}
    found = suggest_threshold(buckets, P95)
    assert (found.threshold_ns, found.events) == (200 * MS, EventCounts(960, 1000))
    assert suggest_threshold(buckets, P95, steps=FINER).threshold_ns == 150 * MS
    assert suggest_threshold(buckets, Decimal("0.99")).threshold_ns == 1000 * MS
    assert suggest_threshold(buckets, Decimal("0.9")).threshold_ns == 50 * MS


def test_a_bucket_that_the_threshold_cuts_counts_as_beyond():
    """100 ms cuts bucket 850, so what lies there may be slower than 100 ms."""
    cut = last_bucket_within(100 * MS) + 1
    assert suggest_threshold({cut: 1000}, P95).threshold_ns == 200 * MS
    assert suggest_threshold({cut - 1: 1000}, P95).threshold_ns == 100 * MS


def test_no_threshold_is_below_a_microsecond():
    assert suggest_threshold({0: 1000}, P95).threshold_ns == 1000


@given(histograms, st.sampled_from([P95, Decimal("0.5"), Decimal("0.99")]), st.sampled_from([COARSE_STEPS, FINER]))
def test_enough_events_are_within_the_threshold_and_not_within_the_next_smaller_one(buckets, target, steps):
    found = suggest_threshold(buckets, target, steps=steps, min_total=1)
    total = sum(buckets.values())
    if found is None:
        assert (1 - target) * total < 1
        return
    assert found.events.total == total
    assert found.events.good >= target * total
    usual = [int(step * 10**exponent) for exponent in range(3, 15) for step in steps]
    below = [threshold for threshold in usual if threshold < found.threshold_ns]
    assert found.threshold_ns in usual
    assert not any(
        sum(count for index, count in buckets.items() if index <= last_bucket_within(threshold)) >= target * total
        for threshold in below
    )


def test_too_few_durations_give_no_threshold():
    assert suggest_threshold({}, P95) is None
    assert suggest_threshold({700: 99}, P95) is None
    assert suggest_threshold({700: 100}, P95) is not None
    assert suggest_threshold({700: 100}, Decimal("0.999")) is None, "0.1 of an event cannot be beyond it"


@pytest.mark.parametrize("steps", [[], [Decimal(10)], [Decimal(1), Decimal("0.5")]])
def test_steps_outside_1_to_10_are_refused(steps):
    with pytest.raises(StatisticError, match="must be from 1 to below 10"):
        suggest_threshold({700: 1000}, P95, steps=steps)


def test_a_target_in_percent_is_refused():
    with pytest.raises(InvalidObjective, match=r"target 99\.9 must lie between 0 and 1"):
        suggest_target({}, targets=[Decimal("99.9")])
    with pytest.raises(InvalidObjective, match="target 95 must lie between 0 and 1"):
        suggest_threshold({}, Decimal(95))
