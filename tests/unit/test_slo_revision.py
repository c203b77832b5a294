"""Definitions survive being stored, revisions tell what changed, and each past has its judge."""

from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budgeting import Freshness, Occurrences, Throughput, Timeslices
from slo.definition import definition_of, slo_of
from slo.draft import drafts
from slo.errors import InvalidObjective
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    HistogramIndicator,
    Matches,
    MetricSelector,
    NotError,
    SpanIndicator,
)
from slo.model import Exclusion, Slo
from slo.policy import NO_POLICY, AlertPolicy, BurnRatePair, ObjectiveBreach
from slo.predicate import And, Comparison, Not, Or
from slo.revision import (
    Revision,
    changes,
    definition_text,
    diff_text,
    digest_of,
    reigns,
    revision_in_force,
    slo_from_text,
)
from slo.window import CalendarWindow, RollingWindow

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
BASE = replace(drafts("checkout", "prod")[0], draft=False, source="slos/checkout.yaml")

PREDICATE_KINDS = (Comparison, Not, And, Or)
ROUTE = Comparison("http.route", "=", "/pay")
SLOW = Comparison("duration_ms", ">", 2.5)
PREDICATES = st.sampled_from(
    [ROUTE, Not(ROUTE), And((ROUTE, SLOW)), Or((ROUTE, SLOW)), And((Or((ROUTE, SLOW)), ROUTE))]
)
GOODS = st.one_of(st.just(NotError()), st.builds(FasterThan, st.integers(1, 10**12)), st.builds(Matches, PREDICATES))
SELECTOR = MetricSelector("requests", (("route", "/pay"), ("code", "200")))
ENVIRONMENTS = st.sampled_from([None, "", "prod"])
INDICATORS = st.one_of(
    st.builds(
        SpanIndicator,
        service=st.just("checkout"),
        environment=ENVIRONMENTS,
        kinds=st.sampled_from([("server",), ("server", "consumer")]),
        filter=st.one_of(st.none(), PREDICATES),
        good=GOODS,
        group_by=st.sampled_from([(), ("http.route",), ("a", "b")]),
    ),
    st.builds(
        CacheIndicator, st.just("checkout"), ENVIRONMENTS, st.sampled_from(["", "users"]), st.none() | PREDICATES
    ),
    st.just(CounterIndicator("checkout", None, good=SELECTOR, total=MetricSelector("all"))),
    st.just(HistogramIndicator("checkout", "prod", SELECTOR, Decimal("0.25"))),
    st.just(GaugeIndicator("checkout", "prod", SELECTOR, "<=", Decimal(80))),
)
WINDOWS = st.one_of(
    st.builds(RollingWindow, st.integers(1, 10**5).map(lambda minutes: timedelta(minutes=minutes))),
    st.builds(
        CalendarWindow,
        st.sampled_from(["day", "month"]),
        st.integers(1, 3),
        st.just(NOON.replace(tzinfo=None)),
        st.just("Europe/Berlin"),
    ),
)
CONDITIONS = st.sampled_from(
    [BurnRatePair(HOUR, HOUR / 12, Fraction(100, 7), "page"), ObjectiveBreach(HOUR, HOUR / 60, "ticket")]
)
BUDGETINGS = st.sampled_from(
    [Occurrences(), Timeslices(Decimal("0.95"), HOUR, "bad"), Throughput(5, HOUR), Freshness(HOUR)]
)
SLOS = st.builds(
    Slo,
    id=st.just("checkout:a"),
    name=st.text(max_size=9),
    service=st.just("checkout"),
    environment=st.just("prod"),
    indicator=INDICATORS,
    target=st.decimals("0.5", "0.99999", places=6),
    window=WINDOWS,
    policy=st.builds(AlertPolicy, st.just("burn-rate"), st.lists(CONDITIONS, max_size=3).map(tuple)),
    draft=st.booleans(),
    source=st.just("slos/checkout.yaml"),
    budgeting=BUDGETINGS,
    min_total=st.integers(0, 9),
    exclusions=st.sampled_from([(), (Exclusion(NOON, NOON + HOUR, "move"),)]),
    sla=st.none() | st.just(Decimal("0.95")),
    lateness=st.sampled_from([None, timedelta(0), timedelta(milliseconds=1500), HOUR]),
)


@given(SLOS)
def test_every_objective_comes_back_from_its_text_as_it_was(slo):
    back = slo_from_text(definition_text(slo))
    assert back == slo
    assert back.indicator.series_id == slo.indicator.series_id
    assert digest_of(back) == digest_of(slo)


@given(SLOS, SLOS)
def test_two_objectives_have_one_digest_only_if_they_say_the_same(one, other):
    assert (digest_of(one) == digest_of(other)) == (one == other) == (not changes(one, other))


def test_a_definition_says_and_and_or_apart():
    both, either = (replace(BASE, indicator=replace(BASE.indicator, filter=kind((ROUTE, SLOW)))) for kind in (And, Or))
    assert slo_of(definition_of(both)).indicator.filter == And((ROUTE, SLOW))
    assert slo_of(definition_of(either)).indicator.filter == Or((ROUTE, SLOW))


def test_a_definition_of_an_older_version_takes_the_defaults_and_one_of_a_newer_loses_what_is_unknown():
    definition = definition_of(replace(BASE, owner="shop team"))
    del definition["owner"]
    definition["colour"] = "red"
    assert slo_of(definition) == BASE


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"type": "Slo"},
        definition_of(BASE) | {"target": "much"},
        definition_of(BASE) | {"target": "1.5"},
        definition_of(BASE) | {"window": {"type": "Lunar"}},
        definition_of(BASE) | {"window": {"length": "30d"}},
        definition_of(BASE) | {"indicator": [1]},
        definition_of(BASE) | {"exclusions": {"type": "Slo"}},
    ],
)
def test_what_is_no_definition_is_refused(wrong):
    with pytest.raises(InvalidObjective, match="no stored objective"):
        slo_of(wrong)


def test_a_target_written_with_more_zeros_is_the_same_promise():
    assert digest_of(replace(BASE, target=Decimal("0.9990"))) == digest_of(replace(BASE, target=Decimal("0.999")))


def test_a_moved_file_is_no_change():
    moved = replace(BASE, source="elsewhere/checkout.yaml")
    assert digest_of(moved) == digest_of(BASE)
    assert changes(BASE, moved) == ()
    assert diff_text(BASE, moved) == "nothing"


def test_a_change_is_told_field_by_field_as_people_speak_of_them():
    pair = BurnRatePair(HOUR, HOUR / 12, Fraction(72, 5), "page")
    breach = ObjectiveBreach(HOUR / 12, HOUR / 60, "ticket")
    after = replace(
        BASE,
        target=Decimal("0.99"),
        window=RollingWindow(timedelta(days=28)),
        indicator=replace(BASE.indicator, good=FasterThan(5), filter=ROUTE, group_by=("http.route",)),
        policy=AlertPolicy("burn-rate", (pair, breach)),
        budgeting=Timeslices(Decimal("0.9")),
        exclusions=(Exclusion(NOON, NOON + HOUR, "move"),),
        draft=True,
    )
    assert changes(BASE, after) == (
        'indicator.filter none -> http.route = "/pay"',
        "indicator.good NotError -> FasterThan(threshold_ns=5)",
        "indicator.group_by none -> http.route",
        "target 0.999 -> 0.99",
        "window 30d -> 28d",
        "policy none -> burn-rate [1h/5m page above 14.4] [5m/1m ticket above 1]",
        "draft False -> True",
        "budgeting Occurrences -> Timeslices(target=0.9, length=1m, empty=ignore)",
        "exclusions none -> Exclusion(start=2026-03-01T12:00:00+00:00, end=2026-03-01T13:00:00+00:00, reason=move)",
    )
    assert diff_text(None, after) == "added: 0.99 over 28d"
    assert diff_text(BASE, replace(BASE, target=Decimal("0.99"), min_bad=3)) == "target 0.999 -> 0.99; min_bad 0 -> 3"


def test_another_kind_of_indicator_is_one_change():
    after = replace(BASE, indicator=CacheIndicator("checkout", None, "users"), policy=NO_POLICY)
    (change,) = changes(BASE, after)
    before, now = change.removeprefix("indicator ").split(" -> ")
    assert before.startswith("SpanIndicator(service=checkout, environment=prod, kinds=server, consumer, filter=none")
    assert now == "CacheIndicator(service=checkout, environment=none, cache=users, filter=none, group_by=none)"


def revision(number, at, target="0.999"):
    return Revision(number, at, "ada", "", replace(BASE, target=Decimal(target)))


def test_the_revision_in_force_is_the_last_one_made_until_then():
    first, second = revision(1, NOON), revision(2, NOON + HOUR)
    assert revision_in_force([second, first], NOON - HOUR) is None
    assert revision_in_force([second, first], NOON) == first
    assert revision_in_force([second, first], NOON + HOUR) == second
    assert first.digest == second.digest


def test_each_stretch_of_a_past_is_judged_by_what_was_promised_then():
    one, two, three = revision(1, NOON, "0.9"), revision(2, NOON + HOUR, "0.99"), revision(3, NOON + 9 * HOUR)
    found = reigns([three, two, one], BASE, NOON - HOUR, NOON + 2 * HOUR)
    assert [(reign.start, reign.end, reign.number, reign.slo.target) for reign in found] == [
        (NOON - HOUR, NOON, None, one.slo.target),
        (NOON, NOON + HOUR, 1, one.slo.target),
        (NOON + HOUR, NOON + 2 * HOUR, 2, two.slo.target),
    ]
    assert [reign.number for reign in reigns([one, two], BASE, NOON, NOON + HOUR)] == [1]


def test_without_revisions_today_s_definition_judges_all_of_the_past():
    (found,) = reigns([], BASE, NOON, NOON + HOUR)
    assert (found.slo, found.number) == (BASE, None)


@given(st.lists(st.integers(-5, 15), max_size=6), st.integers(-5, 10), st.integers(1, 10))
def test_reigns_cover_the_time_without_gap_or_overlap(hours, start, length):
    made = [revision(number, NOON + hour * HOUR) for number, hour in enumerate(sorted(hours), 1)]
    first, last = NOON + start * HOUR, NOON + (start + length) * HOUR
    found = reigns(made, BASE, first, last)
    assert [reign.start for reign in found] == [first, *(reign.end for reign in found[:-1])]
    assert found[-1].end == last
    for reign in found:
        judge = revision_in_force(made, reign.start)
        assert reign.number == (judge.number if judge else None)


def leaves(hint, seen):
    """Yield the types at the ends of *hint*: what a definition is made of beside dataclasses and tuples."""
    if get_origin(hint) is Literal:
        yield from {type(value) for value in get_args(hint)}
    elif get_args(hint):
        for item in get_args(hint):
            yield from leaves(item, seen) if item is not Ellipsis else ()
    elif is_dataclass(hint) and hint not in PREDICATE_KINDS:
        if hint not in seen:
            seen.add(hint)
            for item in get_type_hints(hint).values():
                yield from leaves(item, seen) if get_origin(item) is not ClassVar else ()
    else:
        yield hint


def test_a_definition_is_made_of_types_that_are_written_and_read():
    seen = set()
    found = set(leaves(Slo, seen))
    assert found <= {str, int, bool, type(None), Decimal, Fraction, timedelta, datetime, *PREDICATE_KINDS}
    assert {Timeslices, BurnRatePair, CalendarWindow, MetricSelector} <= seen
    assert len({kind.__name__ for kind in seen}) == len(seen)
