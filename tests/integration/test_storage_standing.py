"""Where objectives of every kind stand: slices, calendar windows, groups, excluded time and lateness."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from slo.budgeting import OCCURRENCES, Freshness, Throughput, Timeslices
from slo.evaluation import needed_windows
from slo.indicator import CounterIndicator, MetricSelector, SpanIndicator
from slo.model import EventCounts, Exclusion, Slo
from slo.policy import NO_POLICY
from slo.slices import slice_counts
from slo.window import CalendarWindow, RollingWindow
from storage.sli_minutes import SliMinute, write_minutes
from storage.sli_sums import OTHER
from storage.standing import standings

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 3, 10, 12, 34, 30, tzinfo=UTC)
END = NOW.replace(second=0)


def objective(name="a", *, indicator=None, window=None, **fields):
    return Slo(
        id=name,
        name=name,
        service="shop",
        environment="prod",
        indicator=indicator or SpanIndicator(service="shop", environment="prod"),
        target=Decimal("0.9"),
        window=window or RollingWindow(7 * DAY),
        policy=NO_POLICY,
        draft=False,
        source="test",
        **fields,
    )


def minutes_of(slo, *counts, group=""):
    """Return the rows of (minutes before END, good, total) of *slo*."""
    series = slo.indicator.series_id
    return [SliMinute(series, END - back * MINUTE, g, t, t, group) for back, g, t in counts]


def write(database, slo, *counts):
    """Store (minutes before END, good, total) of *slo*."""
    write_minutes(database, minutes_of(slo, *counts), revision=1)


def stand(database, *slos, now=NOW, **exclusions):
    return {found.slo.id: found for found in standings(database, slos, now, exclusions=exclusions)}


def test_windows_of_each_objective_end_with_its_own_lateness(database):
    metrics = CounterIndicator("shop", "prod", bad=MetricSelector("errors"), total=MetricSelector("requests"))
    slos = [
        objective("spans"),
        objective("metrics", indicator=metrics),
        objective("patient", lateness=timedelta(minutes=10)),
    ]
    for slo in slos[:2]:
        write(database, slo, (1, 5, 6), (2, 10, 12), (30, 100, 100))
    found = stand(database, *slos)
    assert [found[slo.id].as_of for slo in slos] == [END, END - MINUTE, END - 10 * MINUTE]
    assert [found[slo.id].evaluation.counts.good for slo in slos] == [115, 110, 100]
    at_its_edge = NOW.replace(second=9), NOW.replace(second=10)
    assert [stand(database, slos[0], now=now)["spans"].as_of for now in at_its_edge] == [END - MINUTE, END]


def test_a_calendar_window_counts_since_its_own_midnight_and_is_covered_by_older_data(database):
    january = datetime.fromisoformat("2026-01-01")
    zones = ("Europe/Berlin", "America/New_York", "UTC")
    slos = [objective(zone, window=CalendarWindow("month", 1, january, zone)) for zone in zones]
    first = datetime(2026, 3, 1, tzinfo=UTC)
    for hour in (-2, -1, 0, 4, 5):
        write(database, slos[0], ((END - first - hour * HOUR) // MINUTE, 1, 1))
    found = stand(database, *slos)
    assert {zone: found[zone].evaluation.counts.total for zone in zones} == {
        "Europe/Berlin": 4,
        "America/New_York": 1,
        "UTC": 3,
    }
    assert all(each.evaluation.coverage == 1 and each.evaluation.estimated for each in found.values())


@pytest.mark.parametrize(
    "budgeting",
    [
        Timeslices(Decimal("0.95"), 5 * MINUTE, "good"),
        Timeslices(Decimal("0.95"), HOUR, "bad"),
        Throughput(12, 5 * MINUTE),
        Freshness(15 * MINUTE),
    ],
)
def test_slices_are_judged_as_their_definition_says_up_to_the_last_that_is_over(database, budgeting):
    slo = objective(budgeting=budgeting)
    counts = [(back, 9 + back % 2, 10) for back in range(1, 900) if back % 100 < 60]
    write(database, slo, *counts)
    standing = stand(database, slo)["a"]
    length = getattr(budgeting, "length", MINUTE)
    assert standing.as_of == END - (END - END.replace(hour=0, minute=0)) % length
    held = {END - back * MINUTE: EventCounts(good, total) for back, good, total in counts}
    expected = {
        window: slice_counts(held, budgeting, standing.as_of - max(window, length), standing.as_of)
        for window in needed_windows(slo, standing.as_of)
    }
    assert standing.evaluation.counts == expected[7 * DAY]
    assert standing.evaluation.hour == expected[HOUR]
    assert standing.evaluation.hour.total
    assert standing.evaluation.burn_rates["5m"] is not None, "the last slice speaks for a window that is shorter"


def test_excluded_time_does_not_touch_the_budget_and_is_shown_beside_it(database):
    night = Exclusion(END - 3 * HOUR + timedelta(seconds=20), END - 121 * MINUTE + timedelta(seconds=40), "new disks")
    slos = [objective("own", exclusions=(night,)), objective("further"), objective("none")]
    write(database, slos[0], (181, 0, 1), (180, 0, 20), (121, 0, 20), (120, 5, 5), (1, 10, 10))
    found = {name: each.evaluation for name, each in stand(database, *slos, further=(night, night)).items()}
    for name in ("own", "further"):
        assert found[name].counts == EventCounts(15, 16)
        assert found[name].unadjusted.counts == found["none"].counts == EventCounts(15, 56)
        assert found[name].burn_rates["6h"] == pytest.approx(1 / 16 / 0.1)
    assert found["none"].unadjusted is None
    past = Exclusion(END - 30 * DAY, END - 29 * DAY, "long ago")
    assert stand(database, slos[2], none=(past,))["none"].evaluation.unadjusted is None, "no window knows of it"
    running = Exclusion(END - 90 * MINUTE, END + DAY, "still")
    assert stand(database, slos[2], none=(running,))["none"].evaluation.hour == EventCounts(0, 0)


def test_a_slice_that_excluded_time_touches_is_left_out_whole(database):
    work = Exclusion(END - 33 * MINUTE, END - 22 * MINUTE, "work")  # 12:01 to 12:12
    slo = objective(budgeting=Throughput(1, 5 * MINUTE), exclusions=(work,))
    write(database, slo, *((back, 1, 1) for back in range(1, 65) if not 21 < back < 40))
    found = stand(database, slo)["a"].evaluation
    assert found.unadjusted.counts == EventCounts(9, 12)
    assert found.counts == EventCounts(8, 9), "12:00, 12:05 and 12:10 are left out; 11:55 had nothing and counts"


@pytest.mark.parametrize("budgeting", [OCCURRENCES, Timeslices(Decimal("0.9"), MINUTE)])
def test_groups_stand_for_themselves_under_the_values_of_their_attributes(database, budgeting):
    indicator = SpanIndicator(service="shop", environment="prod", group_by=("http.route", "tenant"))
    slo = objective(indicator=indicator, budgeting=budgeting)
    rows = minutes_of(slo, (10, sum(range(48, 101)), 5300), (5 * 60, 53 * 50, 5300))
    for number in range(53):
        group = f'{{"http.route":"/{number}","tenant":"žluť"}}'
        rows += minutes_of(slo, (10, 100 - number, 100), (5 * 60, 50, 100), group=group)
    write_minutes(database, rows, revision=1)
    standing = stand(database, slo)["a"]
    groups = {group.labels["http.route"]: group.evaluation for group in standing.groups}
    assert len(groups) == 51
    assert set(groups) == {OTHER, *(f"/{number}" for number in range(3, 53))}
    assert {group.labels["tenant"] for group in standing.groups} == {"žluť", OTHER}
    if budgeting == OCCURRENCES:
        assert standing.evaluation.counts.total == 53 * 200
        assert groups["/40"].hour == EventCounts(60, 100)
        assert groups["/40"].counts == EventCounts(110, 200)
        assert groups[OTHER].counts == EventCounts(300 - 3 + 150, 600)
        assert standing.groups[0].labels == {"http.route": OTHER, "tenant": OTHER}, "the most bad events"
    else:
        assert standing.evaluation.counts == EventCounts(0, 2)
        assert (groups["/40"].counts, groups["/5"].counts) == (EventCounts(0, 2), EventCounts(1, 2))
        assert groups[OTHER].counts == EventCounts(1, 2)


def test_objectives_over_one_series_do_not_disturb_each_other(database):
    """One is asked about with others, one has excluded time, one is judged by slices, one is a revision of another."""
    slos = [objective("a"), objective("b", window=RollingWindow(DAY)), objective("c", budgeting=Throughput(5))]
    slos += [replace(slos[0], exclusions=(Exclusion(END - 5 * MINUTE, END, "now"),))]
    write(database, slos[0], (3, 3, 4), (8, 5, 5), (2000, 7, 7))
    found = standings(database, slos, NOW)
    assert [each.slo for each in found] == slos
    assert [each.evaluation.counts for each in found] == [
        EventCounts(15, 16),
        EventCounts(8, 9),
        EventCounts(2, 2000),
        EventCounts(12, 12),
    ]


def test_an_empty_objective_knows_whether_its_service_is_alive(database, store, otlp):
    store(database, otlp.traces(otlp.span()))
    now = datetime.now(UTC) + MINUTE
    other = SpanIndicator(service="shop", environment="test")
    anywhere = SpanIndicator(service="shop", environment=None, kinds=("client",))
    slos = [objective("here"), objective("there", indicator=other), objective("anywhere", indicator=anywhere)]
    states = {name: each.evaluation.state for name, each in stand(database, *slos, now=now).items()}
    assert states == {"here": "no_traffic", "there": "no_data", "anywhere": "no_traffic"}


def test_nothing_is_asked_of_no_objectives(database):
    assert standings(database, [], NOW) == []
