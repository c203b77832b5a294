"""Slices of time against a definition that walks over every minute, and what windows, silence and beginnings mean."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.exclusion import excluded_time, within
from slo.model import EventCounts, Exclusion
from slo.slices import last_end, next_slice, slice_counts, slice_length, slice_start

MINUTE = timedelta(minutes=1)
DAY = datetime(2026, 3, 1, tzinfo=UTC)

lengths = st.sampled_from([1, 2, 5, 15, 60]).map(lambda number: number * MINUTE)
targets = st.sampled_from([Decimal("0.5"), Decimal("0.95"), Decimal("0.999"), Decimal(1)])
timeslices = st.builds(Timeslices, targets, lengths, st.sampled_from(["ignore", "good", "bad"]))
throughputs = st.builds(Throughput, st.integers(1, 30), lengths)
freshnesses = st.builds(Freshness, st.integers(1, 20).map(lambda number: number * MINUTE))
budgetings = st.one_of(timeslices, throughputs, freshnesses)
events = st.tuples(st.integers(0, 20), st.integers(0, 2)).map(lambda pair: EventCounts(pair[0], sum(pair)))
numbers = st.integers(0, 240)


@st.composite
def histories(draw):
    counted = draw(st.dictionaries(numbers, events, max_size=80))
    return {DAY + number * MINUTE: each for number, each in counted.items()}


def definition(minutes, budgeting, start, end):
    """Walk over all slices from the day's start: slow, and plain to read."""
    held = [minute for minute, each in minutes.items() if each.total and minute < end]
    good = total = 0
    at, length = DAY, slice_length(budgeting)
    while held and at + length <= end:
        inside = [minutes[at + n * MINUTE] for n in range(length // MINUTE) if at + n * MINUTE in minutes]
        seen = sum(each.total for each in inside)
        if at >= start and at + length > min(held):
            match budgeting:
                case Freshness(within):
                    before = [at - n * MINUTE for n in range(within // MINUTE)]
                    verdict = any(minutes[minute].good for minute in before if minute in minutes)
                case Throughput(at_least):
                    verdict = seen >= at_least
                case Timeslices(target, _, empty) if seen:
                    verdict = Fraction(sum(each.good for each in inside), seen) >= Fraction(target)
                case Timeslices(_, _, empty):
                    verdict = {"ignore": None, "good": True, "bad": False}[empty]
            good, total = good + bool(verdict), total + (verdict is not None)
        at += length
    return EventCounts(good, total)


@given(histories(), budgetings, numbers, numbers)
def test_slices_are_those_of_a_walk_over_every_minute(minutes, budgeting, one, other):
    start, end = DAY + min(one, other) * MINUTE, DAY + max(one, other) * MINUTE
    assert slice_counts(minutes, budgeting, start, end) == definition(minutes, budgeting, start, end)


@given(histories(), budgetings, st.integers(0, 4), st.integers(0, 4))
def test_windows_that_meet_between_slices_add_up(minutes, budgeting, one, other):
    """Every slice is in exactly one of them, whole."""
    start, middle = DAY, DAY + one * timedelta(hours=1)
    end = middle + other * timedelta(hours=1)
    first = slice_counts(minutes, budgeting, middle, end) if min_minute(minutes) < middle else None
    whole = slice_counts(minutes, budgeting, start, end)
    before = slice_counts(minutes, budgeting, start, middle)
    if first is not None:
        assert whole == before + first


def min_minute(minutes):
    return min((minute for minute, each in minutes.items() if each.total), default=DAY + timedelta(days=9))


QUIET = {DAY: EventCounts(20, 20), DAY + 20 * MINUTE: EventCounts(10, 20), DAY + 29 * MINUTE: EventCounts(5, 5)}


@pytest.mark.parametrize(
    ("empty", "expected"),
    [("ignore", EventCounts(2, 3)), ("good", EventCounts(29, 30)), ("bad", EventCounts(2, 30))],
)
def test_empty_slices_count_as_the_objective_says(empty, expected):
    budgeting = Timeslices(Decimal("0.9"), MINUTE, empty)
    assert slice_counts(QUIET, budgeting, DAY, DAY + 30 * MINUTE) == expected


@pytest.mark.parametrize("empty", ["ignore", "good", "bad"])
def test_what_was_before_the_first_event_is_neither_good_nor_bad(empty):
    budgeting = Timeslices(Decimal("0.9"), MINUTE, empty)
    counted = slice_counts(QUIET, budgeting, DAY - timedelta(days=30), DAY + 30 * MINUTE)
    assert counted == slice_counts(QUIET, budgeting, DAY, DAY + 30 * MINUTE)
    assert slice_counts({}, budgeting, DAY, DAY + 30 * MINUTE) == EventCounts(0, 0)
    assert slice_counts({DAY: EventCounts(0, 0)}, budgeting, DAY, DAY + 30 * MINUTE) == EventCounts(0, 0)


def test_a_window_that_begins_inside_a_slice_begins_with_the_next_one():
    minutes = {DAY + number * MINUTE: EventCounts(1, 1) for number in range(60)}
    budgeting = Throughput(1, length=15 * MINUTE)
    assert slice_counts(minutes, budgeting, DAY, DAY + 60 * MINUTE).total == 4
    assert slice_counts(minutes, budgeting, DAY + MINUTE, DAY + 60 * MINUTE).total == 3
    assert slice_counts(minutes, budgeting, DAY + 15 * MINUTE, DAY + 60 * MINUTE).total == 3


def test_a_slice_that_still_runs_has_no_verdict():
    """It may yet become good, and a page because it is young would be a false one."""
    minutes = {DAY + number * MINUTE: EventCounts(1, 1) for number in range(60)}
    budgeting = Throughput(15, length=15 * MINUTE)
    for minute in range(15, 60):
        counted = slice_counts(minutes, budgeting, DAY, DAY + minute * MINUTE)
        assert counted == EventCounts(minute // 15, minute // 15)


def test_a_slice_meets_its_target_exactly_and_not_by_rounding():
    budgeting = Timeslices(Decimal("0.9"), MINUTE)
    assert slice_counts({DAY: EventCounts(9, 10)}, budgeting, DAY, DAY + MINUTE).good == 1
    short = {DAY: EventCounts(9 * 10**17 - 1, 10**18)}
    assert slice_counts(short, budgeting, DAY, DAY + MINUTE).good == 0


def test_freshness_lasts_for_its_minutes_and_begins_again_with_the_next_good_event():
    minutes = {DAY: EventCounts(1, 1), DAY + 3 * MINUTE: EventCounts(0, 5), DAY + 6 * MINUTE: EventCounts(2, 5)}
    fresh = [
        slice_counts(minutes, Freshness(3 * MINUTE), DAY + number * MINUTE, DAY + (number + 1) * MINUTE).good
        for number in range(10)
    ]
    assert fresh == [1, 1, 1, 0, 0, 0, 1, 1, 1, 0]


@given(st.integers(-(10**6), 10**6), lengths)
def test_slices_lie_on_the_grid_of_the_day_in_utc(number, length):
    moment = DAY + number * MINUTE
    start, following = slice_start(moment, length), next_slice(moment, length)
    midnight = moment.replace(hour=0, minute=0)
    assert (start - midnight) % length == timedelta(0)
    assert start <= moment < start + length
    assert following == (start if start == moment else start + length)
    assert last_end(moment, length) == start


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 2000)), max_size=6), lengths)
def test_excluded_time_is_the_union_of_the_slices_that_exclusions_touch(pairs, length):
    second = timedelta(seconds=1)
    exclusions = [Exclusion(DAY + a * second, DAY + (a + b) * second, "work") for a, b in pairs]
    found = excluded_time(exclusions, length)
    assert all(one[1] < two[0] for one, two in pairwise(found)), "in order, apart"
    excluded = {
        slice_start(DAY + number * MINUTE, length)
        for each in exclusions
        for number in range(200)
        if each.start.replace(second=0) <= DAY + number * MINUTE < each.end
    }
    slots = [DAY + number * length for number in range(200)]
    assert {slot for slot in slots if any(start <= slot < end for start, end in found)} == excluded


def test_parts_of_excluded_time_are_cut_to_a_window():
    found = ((DAY, DAY + 5 * MINUTE), (DAY + 10 * MINUTE, DAY + 20 * MINUTE))
    assert within(found, DAY + 2 * MINUTE, DAY + 12 * MINUTE) == (
        (DAY + 2 * MINUTE, DAY + 5 * MINUTE),
        (DAY + 10 * MINUTE, DAY + 12 * MINUTE),
    )
    assert within(found, DAY + 5 * MINUTE, DAY + 10 * MINUTE) == ()
