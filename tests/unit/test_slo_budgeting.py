from datetime import timedelta
from decimal import Decimal

import pytest

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.errors import InvalidObjective

MINUTE = timedelta(minutes=1)
BAD_LENGTHS = (timedelta(0), -MINUTE, timedelta(seconds=30), timedelta(seconds=90), 7 * MINUTE, timedelta(days=2))


@pytest.mark.parametrize("length", [MINUTE, 5 * MINUTE, timedelta(hours=1), timedelta(days=1)])
def test_slices_divide_a_day(length):
    assert Timeslices(Decimal("0.95"), length).length == Throughput(1, length).length == length


@pytest.mark.parametrize("length", BAD_LENGTHS)
def test_slices_that_do_not_divide_a_day_are_refused(length):
    with pytest.raises(InvalidObjective, match="whole minutes that divide a day"):
        Timeslices(Decimal("0.95"), length)
    with pytest.raises(InvalidObjective, match="whole minutes that divide a day"):
        Throughput(1, length)


@pytest.mark.parametrize("target", ["0", "-0.1", "1.01", "NaN", "Infinity"])
def test_the_target_of_a_slice_lies_above_0_and_at_most_at_1(target):
    assert Timeslices(Decimal(1)).empty == "ignore"
    with pytest.raises(InvalidObjective, match=r"timeSliceTarget .* must lie above 0 and at most at 1"):
        Timeslices(Decimal(target))


@pytest.mark.parametrize("at_least", [0, -1])
def test_a_floor_that_is_always_met_is_refused(at_least):
    with pytest.raises(InvalidObjective, match="always met"):
        Throughput(at_least)


@pytest.mark.parametrize("within", [timedelta(0), timedelta(seconds=59), timedelta(seconds=90)])
def test_a_freshness_is_whole_minutes(within):
    assert Freshness(MINUTE).within == MINUTE
    with pytest.raises(InvalidObjective, match="longer than ten years"):
        Freshness(timedelta(days=3661))
    with pytest.raises(InvalidObjective, match="must be whole minutes, such as 10m"):
        Freshness(within)
