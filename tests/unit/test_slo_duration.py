from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.duration import format_duration, parse_duration
from slo.errors import InvalidDuration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30d", timedelta(days=30)),
        ("1h", timedelta(hours=1)),
        ("1m", timedelta(minutes=1)),
        ("90s", timedelta(seconds=90)),
        ("2w", timedelta(days=14)),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text, duration):
    assert parse_duration(text) == duration


@given(st.integers(min_value=1, max_value=10**11))
def test_what_is_written_is_read_back(seconds):
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(("text", "remedy"), [("1M", "30d"), ("1Q", "90d"), ("1Y", "365d")])
def test_calendar_units_are_refused_because_they_have_no_length(text, remedy):
    with pytest.raises(InvalidDuration, match=f"no defined length; write {remedy}"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "30", "d", "1.5h", "-1h", "1h30m", " 1h", "0d", "5x", "٣d", "999999999999w"])
def test_anything_else_is_refused_by_name(text):
    with pytest.raises(InvalidDuration, match=r"write|units"):
        parse_duration(text)


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-5), timedelta(milliseconds=1500)])
def test_only_whole_seconds_above_zero_can_be_written(duration):
    with pytest.raises(InvalidDuration, match="whole seconds"):
        format_duration(duration)
