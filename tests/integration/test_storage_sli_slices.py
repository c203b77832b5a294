"""Slices of time by the engine against their definition in `slo.slices`, over random minutes."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.model import EventCounts
from slo.slices import slice_counts
from storage.sli_minutes import SliMinute, write_minutes
from storage.sli_slices import SliceSums
from storage.sli_sums import OTHER, first_minutes
from tests.integration.sli_rows import with_wholes

pytestmark = pytest.mark.slow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
END = datetime(2026, 3, 2, 1, 22, tzinfo=UTC)
GROUPS = ('{"tenant":"ž"}', '{"tenant":"a"}', '{"tenant":"\'b\\\\"}')
BUDGETINGS = [
    *(Timeslices(Decimal("0.9"), MINUTE, empty) for empty in ("ignore", "good", "bad")),
    Timeslices(Decimal("0.95"), 5 * MINUTE, "ignore"),
    Timeslices(Decimal("0.95"), 30 * MINUTE, "bad"),
    Timeslices(Decimal("0.999"), HOUR, "good"),
    Timeslices(Decimal("0.8"), 12 * HOUR, "ignore"),
    Throughput(10),
    Throughput(40, 5 * MINUTE),
    Throughput(200, HOUR),
    Freshness(MINUTE),
    Freshness(7 * MINUTE),
    Freshness(90 * MINUTE),
]
MOMENTS = [
    END - 40 * HOUR,
    END - 30 * HOUR + 7 * MINUTE,
    END - 26 * HOUR,
    END - 7 * HOUR,
    END - 63 * MINUTE,
    END - 60 * MINUTE,
    END - 4 * MINUTE,
    END,
]


def history(rng, series, groups=("",)):
    """Return minutes with gaps, bad times and empty rows, from a day and a bit ago until after END."""
    found = {}
    for _ in range(rng.choice([5, 300, 1500])):
        minute = END + 10 * MINUTE - rng.randrange(rng.choice([90, 1700])) * MINUTE
        good, bad = rng.choice([(0, 0), (10, 0), (19, 1), (9, 1), (0, 3), (30, 2)])
        group = rng.choice(groups)
        found[group, minute] = SliMinute(series, minute, good, good + bad, seen=1, group=group)
    return with_wholes(found.values())


def events(minutes, groups=("",)):
    found = {}
    for m in minutes:
        if m.group in groups:
            found[m.minute] = found.get(m.minute, EventCounts(0, 0)) + EventCounts(m.good, m.total)
    return found


def slices(database, budgeting, moments=MOMENTS, series=range(9)):
    return SliceSums(database, budgeting, moments, first_minutes(database, series))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_engine_and_the_definition_agree_for_every_budgeting_and_every_window(database, seed):
    rng = random.Random(seed)
    minutes = {series: history(rng, series) for series in (1, 2, 3)}
    write_minutes(database, [minute for each in minutes.values() for minute in each], revision=1)
    compared = set()
    for budgeting in BUDGETINGS:
        found = slices(database, budgeting).of_series([1, 2, 3, 4])
        for series in (1, 2, 3):
            held = events(minutes[series])
            for place, start in enumerate(MOMENTS[:-1]):
                expected = slice_counts(held, budgeting, start, END)
                assert found[series].between(start, END) == expected, (budgeting, series, place)
                compared.add((expected.good, expected.total))
        assert found[4].between(MOMENTS[0], END) == EventCounts(0, 0), "a series that nobody counted has no slices"
    assert len(compared) > 60, "the counts differ from case to case, or nothing is proven"


def test_groups_are_judged_by_their_own_events_since_the_series_began(database):
    rng = random.Random(7)
    minutes = history(rng, 1, GROUPS)
    write_minutes(database, minutes, revision=1)
    first = min(minute.minute for minute in minutes if minute.total)
    for budgeting in BUDGETINGS:
        reader = slices(database, budgeting)
        whole = reader.of_series([1])[1]
        assert whole.between(MOMENTS[0], END) == slice_counts(events(minutes), budgeting, MOMENTS[0], END)
        found = reader.of_groups(1, GROUPS[:2])
        assert set(found) == {*GROUPS[:2], OTHER}
        for name in (*GROUPS[:2], OTHER):
            held = events(minutes, [GROUPS[2]] if name == OTHER else [name])
            expected = slice_counts(held, budgeting, MOMENTS[0], END, first=first)
            assert found[name].between(MOMENTS[0], END) == expected, (budgeting, name)


def test_moments_inside_one_slice_and_before_its_end_hold_no_slice(database):
    write_minutes(database, [SliMinute(1, END - n * MINUTE, 1, 1, 1) for n in range(300)], revision=1)
    moments = [END - 3 * HOUR, END - 20 * MINUTE, END - 10 * MINUTE, END]  # 00:22, 01:02, 01:12 and 01:22
    sums = slices(database, Throughput(1, HOUR), moments).of_series([1])[1]
    assert sums.between(moments[0], moments[1]).total == 2, "those of 23:00 and 00:00; the one of 22:00 began before"
    assert sums.between(moments[1], END).total == 0, "the hour still runs"


def test_an_earlier_first_minute_that_is_counted_meanwhile_breaks_nothing(database):
    """The first minutes are read before the slices are."""
    firsts = {1: END - 10 * MINUTE}
    write_minutes(database, [SliMinute(1, END - n * MINUTE, 5, 5, 5) for n in range(1, 30)], revision=1)
    for budgeting in (Timeslices(Decimal("0.9"), MINUTE, "bad"), Throughput(1), Freshness(2 * MINUTE)):
        sums = SliceSums(database, budgeting, [END - HOUR, END], firsts).of_series([1])[1]
        assert sums.between(END - HOUR, END).good == 29
