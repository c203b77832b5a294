"""A month is judged stretch by stretch, with what was promised then, exactly."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.draft import drafts
from slo.errors import InvalidObjective
from slo.indicator import FasterThan
from slo.model import EventCounts, Exclusion
from slo.report import (
    EndOfMonth,
    ReportedIncident,
    Spender,
    figures,
    month_bounds,
    nines_reached,
    slo_month,
    totals,
)
from slo.revision import Revision
from slo.stretch import JudgedStretch, Stretch, stretches

START, END = month_bounds("2026-10")
DAY = timedelta(days=1)
SLO = replace(drafts("checkout", "prod")[0], draft=False, target=Decimal("0.9"))
LOOSE = replace(SLO, target=Decimal("0.8"))
COUNTS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda pair: EventCounts(pair[0], sum(pair)))


def revision(number, day, slo):
    return Revision(number, START + day * DAY, "ada", "c0ffee", slo)


def incident(severity, day, hours):
    end = None if hours is None else START + day * DAY + timedelta(hours=hours)
    return ReportedIncident(f"a-{day}", severity, START + day * DAY, end, "it broke")


def month(**fields):
    whole = (JudgedStretch(Stretch(SLO, START, END), EventCounts(950, 1000)),)
    return slo_month(SLO, START, END, **({"judged": whole, "today": whole, "first_minute": START} | fields))


@pytest.mark.parametrize(
    "wrong", ["2026", "2026-13", "26-10", "2026-1", "october", "2026-00", "2026_10", "9999-12", ""]
)
def test_what_is_no_month_is_refused(wrong):
    with pytest.raises(InvalidObjective, match="is not a month"):
        month_bounds(wrong)


def test_each_stretch_spends_its_own_budget():
    found = figures([(EventCounts(85, 100), LOOSE.target), (EventCounts(95, 100), SLO.target)])
    assert found.counts == EventCounts(180, 200)
    assert found.sli == 0.9
    assert found.error_budget_remaining == pytest.approx(1 - 20 / 30)
    assert found.met is True


def test_a_budget_spent_to_the_last_event_is_a_promise_kept_and_one_more_is_not():
    assert figures([(EventCounts(900, 1000), SLO.target)]).met is True
    assert figures([(EventCounts(899, 1000), SLO.target)]).met is False


def test_without_events_nothing_is_known():
    assert figures([]) == figures([(EventCounts(0, 0), SLO.target)])
    assert figures([]).met is None
    assert figures([]).error_budget_remaining is None


@given(st.lists(COUNTS, min_size=1, max_size=5))
def test_stretches_of_one_target_are_judged_as_one(parts):
    whole = sum(parts, EventCounts(0, 0))
    assert figures([(part, SLO.target) for part in parts]) == figures([(whole, SLO.target)])


@given(COUNTS)
def test_nines_are_what_the_share_of_bad_events_says(counts):
    nines = nines_reached(counts)
    if nines is None:
        assert counts.bad == 0
    else:
        assert counts.bad * 10**nines <= counts.total < counts.bad * 10 ** (nines + 1)


def test_the_past_is_cut_where_target_or_indicator_changed_and_nowhere_else():
    renamed = replace(LOOSE, owner="shop team")
    faster = replace(SLO, indicator=replace(SLO.indicator, good=FasterThan(5)))
    made = [revision(1, -9, LOOSE), revision(2, 5, renamed), revision(3, 10, SLO), revision(4, 20, faster)]
    found = stretches(made, faster, START, END)
    assert [(item.slo, (item.start - START) // DAY, (item.end - START) // DAY) for item in found] == [
        (renamed, 0, 10),
        (SLO, 10, 20),
        (faster, 20, 31),
    ]


def test_a_minute_is_judged_by_what_was_in_force_when_it_began():
    noon = timedelta(hours=12)
    seconds = [noon + timedelta(seconds=second) for second in (-9, 1, 2, 3)]
    made = [
        Revision(n, START + at, "", "", slo) for n, (at, slo) in enumerate(zip(seconds, [SLO, LOOSE] * 2, strict=True))
    ]
    found = stretches(made, SLO, START, END)
    assert [(item.slo.target, item.start - START) for item in found] == [
        (SLO.target, timedelta(0)),
        (LOOSE.target, noon + timedelta(minutes=1)),
    ]


def test_excluded_time_is_left_out_and_shown_beside():
    part = JudgedStretch(Stretch(SLO, START, END), EventCounts(800, 1000), EventCounts(10, 190))
    found = month(judged=[part], today=[part], exclusions=[Exclusion(START - DAY, START + DAY, "move")])
    assert found.judged.counts == EventCounts(790, 810)
    assert found.judged.met is True
    assert found.judged_in_full is not None
    assert found.today_in_full is not None
    assert (found.judged_in_full.counts, found.judged_in_full.met) == (EventCounts(800, 1000), False)
    assert found.excluded == DAY
    assert month().judged_in_full is None
    assert month().today_in_full is None


@pytest.mark.parametrize(
    ("first", "coverage"), [(None, 0.0), (START - DAY, 1.0), (START, 1.0), (END - 3.1 * DAY, 0.1), (END + DAY, 0.0)]
)
def test_coverage_is_the_share_of_the_month_behind_the_first_event(first, coverage):
    assert month(first_minute=first).coverage == pytest.approx(coverage)


def test_changes_are_the_revisions_of_the_month_in_words():
    made = [revision(1, -3, LOOSE), revision(2, 4, SLO), revision(3, 31, LOOSE)]
    (change,) = month(revisions=made).changes
    assert (change.number, change.author, change.commit) == (2, "ada", "c0ffee")
    assert change.text == "target 0.8 -> 0.9"
    assert month(revisions=[revision(1, 0, SLO)]).changes[0].text == "added: 0.9 over 30d"


def test_who_spent_the_budget_is_told_if_it_is_known():
    assert month().spenders is None
    known = month(spenders=[Spender("cart", "GET /", 1.0)], charged=7)
    assert (known.spenders, known.charged) == ((Spender("cart", "GET /", 1.0),), 7)


def test_where_it_stood_at_the_end_is_handed_on():
    end = EndOfMonth("ok", 0.5)
    assert month(end_then=end, end_today=end).end_then == month(end_today=end).end_today == end


def test_incidents_come_in_the_order_of_time():
    first, second = incident("page", 2, 1), incident("ticket", 9, None)
    assert month(incidents=[second, first]).incidents == (first, second)


def test_totals_count_promises_kept_missed_and_unknown_and_how_long_incidents_took():
    missed = JudgedStretch(Stretch(SLO, START, END), EventCounts(1, 1000))
    silent = JudgedStretch(Stretch(SLO, START, END), EventCounts(0, 0))
    found = totals(
        [
            month(incidents=[incident("page", 2, 1), incident("page", 5, 3), incident("ticket", 9, None)]),
            month(judged=[missed]),
            month(judged=[silent]),
        ]
    )
    assert (found.objectives, found.met, found.missed, found.without_data) == (3, 1, 1, 1)
    assert (found.pages, found.tickets, found.mean_duration) == (2, 1, timedelta(hours=2))
    assert totals([]).mean_duration is None
