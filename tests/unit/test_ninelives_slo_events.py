"""Counters of events over a store of minutes in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ninelives.slo_events import EventTotal, EventTotals
from slo.draft import drafts
from slo.indicator import SpanIndicator
from slo.model import EventCounts
from storage.sli_minutes import SeriesWindows

START = datetime(2026, 3, 1, 11, 58, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SLO, OTHER = drafts("shop", "prod")


class Minutes:
    """Good and bad events by series and minute."""

    def __init__(self):
        self.stored = {}
        self.asked = []

    def add(self, slo, minute, good=0, bad=0):
        key = slo.indicator.series_id, minute
        old = self.stored.get(key, EventCounts(0, 0))
        self.stored[key] = EventCounts(old.good + good, old.total + good + bad)

    def put(self, slo, minute, good=0, bad=0):
        self.stored[slo.indicator.series_id, minute] = EventCounts(good, good + bad)

    def windows(self, series, lengths, end):
        self.asked.append(lengths)
        return {
            key: SeriesWindows({length: self._sum(key, end - length, end) for length in lengths}, None)
            for key in series
        }

    def _sum(self, key, start, end):
        found = [counts for (of, minute), counts in self.stored.items() if of == key and start <= minute < end]
        return sum(found, EventCounts(0, 0))


def shown(totals, slos, end):
    return {slo_id: (total.good, total.bad) for slo_id, total in totals.update(slos, end).items()}


def test_counters_start_at_zero_and_add_every_minute_once():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    minutes.add(SLO, START - MINUTE, 7, 1)
    assert shown(totals, [SLO], START) == {SLO.id: (0, 0)}
    minutes.add(SLO, START, 10, 2)
    assert shown(totals, [SLO], START) == {SLO.id: (0, 0)}
    assert shown(totals, [SLO], START + MINUTE) == {SLO.id: (10, 2)}
    assert shown(totals, [SLO], START + 3 * HOUR) == {SLO.id: (10, 2)}


def test_events_that_arrive_late_are_added_when_they_arrive():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    totals.update([SLO], START)
    minutes.add(SLO, START, 10)
    totals.update([SLO], START + 20 * HOUR)
    minutes.add(SLO, START, 3, 4)
    assert shown(totals, [SLO], START + 20 * HOUR + MINUTE) == {SLO.id: (13, 4)}


def test_a_count_that_is_corrected_downwards_stands_still_until_others_make_up_for_it():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    totals.update([SLO], START)
    minutes.put(SLO, START, 10, 5)
    totals.update([SLO], START + MINUTE)
    minutes.put(SLO, START, 12, 3)
    assert shown(totals, [SLO], START + 2 * MINUTE) == {SLO.id: (12, 5)}
    minutes.put(SLO, START + 2 * MINUTE, 0, 3)
    assert shown(totals, [SLO], START + 3 * MINUTE) == {SLO.id: (12, 6)}


def test_an_objective_whose_indicator_changes_goes_on_from_where_it_was():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    totals.update([SLO], START)
    minutes.add(SLO, START, 10)
    totals.update([SLO], START + MINUTE)
    changed = replace(SLO, indicator=SpanIndicator("shop", "prod", ("client",)))
    minutes.add(changed, START, 1000)
    assert shown(totals, [changed], START + MINUTE) == {SLO.id: (10, 0)}
    minutes.add(changed, START + MINUTE, 1)
    assert shown(totals, [changed], START + 2 * MINUTE) == {SLO.id: (11, 0)}


def test_objectives_that_are_gone_are_forgotten_and_new_ones_start_at_zero():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    totals.update([SLO], START)
    minutes.add(SLO, START, 5)
    minutes.add(OTHER, START, 5)
    assert shown(totals, [SLO, OTHER], START + MINUTE) == {SLO.id: (5, 0), OTHER.id: (0, 0)}
    assert shown(totals, [OTHER], START + MINUTE) == {OTHER.id: (0, 0)}
    assert shown(totals, [SLO], START + MINUTE) == {SLO.id: (0, 0)}


def test_a_clock_that_goes_back_changes_nothing():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    totals.update([SLO], START)
    minutes.add(SLO, START, 5)
    totals.update([SLO], START + MINUTE)
    assert shown(totals, [SLO, OTHER], START) == {SLO.id: (5, 0)}


def test_no_more_than_a_day_is_summed_again_however_long_the_process_runs():
    minutes = Minutes()
    totals = EventTotals(minutes.windows)
    for hour in range(60):
        totals.update([SLO, OTHER], START + hour * HOUR)
        minutes.add(SLO, START + hour * HOUR, 1, 1)
    assert max(length for lengths in minutes.asked for length in lengths) < timedelta(hours=27)
    assert shown(totals, [SLO, OTHER], START + 61 * HOUR) == {SLO.id: (60, 60), OTHER.id: (0, 0)}


steps = st.lists(
    st.tuples(
        st.integers(0, 400),  # minutes until the next look
        st.lists(st.tuples(st.integers(0, 23 * 60), st.integers(0, 5), st.integers(0, 5)), max_size=3),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_counters_never_fall_and_hold_everything_that_arrived_within_a_day(found):
    minutes, end = Minutes(), START
    totals = EventTotals(minutes.windows)
    total = replace_total(totals.update([SLO], end)[SLO.id])
    good = bad = 0
    for wait, arrivals in found:
        end += wait * MINUTE
        for age, more_good, more_bad in arrivals:
            minute = end - (age + 1) * MINUTE
            if minute >= START:
                minutes.add(SLO, minute, more_good, more_bad)
                good, bad = good + more_good, bad + more_bad
        now = replace_total(totals.update([SLO], end)[SLO.id])
        assert (now.good, now.bad) == (good, bad)
        assert now.good >= total.good
        total = now


def replace_total(total):
    return EventTotal(total.good, total.bad)
