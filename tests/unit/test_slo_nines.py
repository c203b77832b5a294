"""What a target allows, in time and in events."""

import itertools
import re
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budget import exceeds
from slo.errors import InvalidDuration, InvalidObjective
from slo.model import EventCounts
from slo.nines import (
    PERIODS,
    TARGETS,
    allowed_bad_events,
    allowed_downtime,
    downtime_text,
    error_budget,
    nines_table,
)

targets = st.decimals("0.000001", "0.999999", places=6)
durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000))
UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


@pytest.mark.parametrize(
    ("target", "days", "text"),
    [
        ("0.9", 1, "2 h 24 m"),
        ("0.9", 365, "36 d 12 h"),
        ("0.95", 7, "8 h 24 m"),
        ("0.99", 30, "7 h 12 m"),
        ("0.995", 30, "3 h 36 m"),
        ("0.999", 1, "1 m 26.4 s"),
        ("0.999", 30, "43 m 12 s"),
        ("0.999", 90, "2 h 9 m 36 s"),
        ("0.999", 365, "8 h 45 m 36 s"),
        ("0.9995", 30, "21 m 36 s"),
        ("0.9999", 365, "52 m 33.6 s"),
        ("0.99999", 1, "0.864 s"),
        ("0.99999", 365, "5 m 15.36 s"),
    ],
)
def test_the_well_known_downtimes(target, days, text):
    assert downtime_text(allowed_downtime(Decimal(target), timedelta(days=days))) == text


def test_the_table_holds_every_target_and_period_and_falls_from_row_to_row():
    table = nines_table()
    assert [row.target for row in table] == list(TARGETS)
    for row in table:
        assert row.downtimes == tuple(allowed_downtime(row.target, period) for period in PERIODS)
        assert list(row.downtimes) == sorted(row.downtimes)
    for looser, tighter in itertools.pairwise(table):
        assert all(more > less for more, less in zip(looser.downtimes, tighter.downtimes, strict=True))


def test_the_table_takes_other_targets_and_periods():
    (row,) = nines_table([Decimal("0.98")], [timedelta(hours=1)])
    assert row.downtimes == (timedelta(seconds=72),)


def test_a_part_of_a_microsecond_is_never_given_away():
    """One millionth of 2.5 s is 2.5 microseconds: the third is not allowed."""
    assert allowed_downtime(Decimal("0.999999"), timedelta(seconds=2.5)) == timedelta(microseconds=2)


@given(targets, durations.filter(bool))
def test_the_downtime_is_the_exact_share_to_the_microsecond(target, period):
    microseconds = period // timedelta(microseconds=1)
    downtime = allowed_downtime(target, period) // timedelta(microseconds=1)
    assert downtime <= error_budget(target) * microseconds < downtime + 1


@given(targets, st.integers(0, 10**12))
def test_one_event_more_than_allowed_misses_the_target_and_the_allowed_ones_do_not(target, total):
    allowed = allowed_bad_events(target, total)
    assert not exceeds(EventCounts(total - allowed, total), target, 1)
    if allowed < total:
        assert exceeds(EventCounts(total - allowed - 1, total), target, 1)


@given(durations)
def test_the_text_says_the_duration_exactly(duration):
    parts = re.findall(r"([\d.]+) ([dhms])", downtime_text(duration))
    seconds = sum(Fraction(number) * UNITS[unit] for number, unit in parts)
    assert seconds == Fraction(duration // timedelta(microseconds=1), 1_000_000)
    assert [unit for _, unit in parts] == sorted({unit for _, unit in parts}, key="dhms".index)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(days=2), "2 d"),
        (timedelta(hours=1, seconds=1), "1 h 1 s"),
        (timedelta(minutes=1, microseconds=1), "1 m 0.000001 s"),
        (timedelta(seconds=59, microseconds=999_999), "59.999999 s"),
    ],
)
def test_parts_of_zero_are_left_out_and_nothing_is_rounded_up(duration, text):
    assert downtime_text(duration) == text


@pytest.mark.parametrize("target", ["0", "1", "1.2", "-0.1", "99.9", "NaN", "Infinity"])
def test_a_target_that_is_no_share_is_refused_by_its_value(target):
    with pytest.raises(InvalidObjective, match=re.escape(f"target {target} must lie between 0 and 1")):
        error_budget(Decimal(target))


def test_a_period_without_length_a_negative_time_and_a_negative_total_are_refused():
    with pytest.raises(InvalidDuration, match="must be above zero"):
        allowed_downtime(Decimal("0.999"), timedelta(0))
    with pytest.raises(InvalidDuration, match="is negative"):
        downtime_text(timedelta(seconds=-1))
    with pytest.raises(InvalidObjective, match="-1 events cannot be"):
        allowed_bad_events(Decimal("0.999"), -1)
