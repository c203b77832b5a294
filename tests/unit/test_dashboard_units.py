"""How numbers, durations and times read on the pages: each with its unit, the unknown as a dash."""

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.views import (
    units,
)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True), st.integers(1, 4))
def test_a_ratio_strictly_between_none_and_all_never_reads_as_either(ratio, decimals):
    shown = units.percent(ratio, decimals)
    assert float(shown.strip("<% ")) < 100
    assert float(shown.strip("<% ")) > 0


@given(st.floats(0.001, 1e10))
def test_every_duration_carries_a_unit(milliseconds):
    assert re.fullmatch(r"[\d.,]+ (µs|ms|s|min|h|d)( \d+ (min|h|s))?", units.duration(milliseconds))


@pytest.mark.parametrize("show", [units.percent, units.duration, units.rate, units.burn, units.count, units.instant])
def test_unknown_is_a_dash_never_zero(show):
    assert show(None) == units.MISSING


def test_times_are_shown_in_utc_whatever_their_zone():
    berlin = datetime.fromisoformat("2026-11-22T15:05:12+01:00")
    assert units.instant(berlin) == "2026-11-22 14:05:12 UTC"
    assert units.clock(berlin) == "14:05:12 UTC"
