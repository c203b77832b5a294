"""Who is guilty: planted culprits are found, chance is not, and nothing is counted twice."""

import math
import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom
from statsmodels.stats.proportion import confint_proportions_2indep

from slo.attribution import NO_VALUE, attribute_burn, shares_in_bad, with_no_value
from slo.budget import budget_remaining
from slo.confidence import StatisticError, chance_of_excess
from slo.model import EventCounts

THREE_NINES = Decimal("0.999")
NOTHING = EventCounts(0, 0)

events = st.tuples(st.integers(0, 300), st.integers(0, 3000)).map(lambda pair: EventCounts(pair[1], sum(pair)))
partitions = st.dictionaries(st.sampled_from(["/pay", "/cart", "/list", NO_VALUE]), events, max_size=4)


def add(counts):
    return sum(counts, NOTHING)


def test_a_planted_culprit_comes_first_with_its_numbers():
    """Version 2 serves a tenth of the traffic and makes nine tenths of the errors; the route does not matter."""
    versions = {"v1": EventCounts(90_000, 90_010), "v2": EventCounts(9_900, 9_990)}
    routes = {"/pay": EventCounts(49_950, 50_000), "/cart": EventCounts(49_950, 50_000)}
    overall = add(versions.values())
    (found,) = attribute_burn(overall, {"service.version": versions, "http.route": routes}, THREE_NINES)
    assert (found.attribute, found.value, found.events) == ("service.version", "v2", versions["v2"])
    assert found.share_in_bad == 0.9
    assert found.share_in_good == 9_900 / 99_900
    assert found.lift == pytest.approx(9.08, abs=0.01)
    assert found.difference == pytest.approx(0.8009, abs=0.0001)
    assert found.interval.low > 0.7
    assert found.remaining_without == budget_remaining(versions["v1"], THREE_NINES)


def test_the_more_telling_of_two_comes_first_though_it_has_fewer_errors():
    """Host a has 60 of 100 errors and half of the traffic; route /x 50 errors and hardly any traffic."""
    hosts = {"a": EventCounts(5_000, 5_060), "b": EventCounts(5_000, 5_040)}
    routes = {"/x": EventCounts(10, 60), "/y": EventCounts(9_990, 10_040)}
    found = attribute_burn(EventCounts(10_000, 10_100), {"host": hosts, "route": routes}, THREE_NINES)
    assert [(each.attribute, each.value) for each in found] == [("route", "/x")]
    more = {"a": EventCounts(5_000, 5_080), "b": EventCounts(5_000, 5_020)}
    found = attribute_burn(EventCounts(10_000, 10_100), {"host": more, "route": routes}, THREE_NINES)
    assert [each.value for each in found] == ["/x", "a"]


def test_equals_are_ordered_by_name():
    half = {"a": EventCounts(1_000, 1_500), "b": EventCounts(9_000, 9_100)}
    found = attribute_burn(EventCounts(10_000, 10_600), {"z": half, "y": half}, THREE_NINES)
    assert [each.attribute for each in found] == ["y", "z"]


def test_events_without_the_attribute_can_be_the_culprit():
    known = {"gold": EventCounts(9_000, 9_010)}
    (found,) = attribute_burn(EventCounts(10_000, 10_110), {"tenant": known}, THREE_NINES)
    assert (found.value, found.events) == (NO_VALUE, EventCounts(1_000, 1_100))
    assert found.chance == 2 * chance_of_excess(found.events, EventCounts(10_000, 10_110)), "it is compared as well"


def test_a_value_that_no_good_event_has_has_no_lift():
    (found,) = attribute_burn(EventCounts(1_000, 1_050), {"exception": {"Timeout": EventCounts(0, 45)}}, THREE_NINES)
    assert (found.lift, found.share_in_good, found.difference) == (None, 0.0, 0.9)


def test_a_value_that_all_events_have_tells_nothing():
    everything = {"/pay": EventCounts(100, 200)}
    assert attribute_burn(EventCounts(100, 200), {"route": everything}, THREE_NINES) == ()


def test_without_the_culprit_the_budget_is_that_of_the_others():
    """Every bad event has this route: without it nothing was spent."""
    overall = EventCounts(1_000, 1_050)
    (found,) = attribute_burn(overall, {"route": {"/pay": EventCounts(10, 60)}}, THREE_NINES)
    assert found.remaining_without == 1.0


def test_a_confidence_of_95_is_refused():
    with pytest.raises(StatisticError, match="confidence is 95"):
        attribute_burn(NOTHING, {}, THREE_NINES, confidence=95)


def draw(seed, users=200, good=20_000, bad=800):
    """Return the counts of users on whom errors fall blindly."""
    dice = random.Random(seed)
    names = [f"user-{number}" for number in range(users)]
    of_good, of_bad = (Counter(dice.choices(names, k=total)) for total in (good, bad))
    return {name: EventCounts(of_good[name], of_good[name] + of_bad[name]) for name in names}


def test_chance_is_not_found_guilty_among_two_hundred_values():
    """At 95 % for each user alone someone is always named; at 95 % for all together one draw in twenty may name one."""
    named = named_alone = 0
    for seed in range(20):
        values = draw(seed)
        overall = add(values.values())
        named += bool(attribute_burn(overall, {"enduser.id": values}, THREE_NINES))
        named_alone += any(chance_of_excess(each, overall) <= 0.05 for each in values.values())
    assert named_alone == 20
    assert named <= 3


def test_of_a_list_cut_at_the_twenty_worst_values_chance_is_not_found_guilty_either():
    """The twenty worst of two hundred are no twenty draws, and what was cut off is not "(none)"."""
    named = named_as_twenty = 0
    for seed in range(20):
        values = draw(seed)
        worst = dict(sorted(values.items(), key=lambda item: -item[1].bad)[:20])
        overall = add(values.values())
        found = attribute_burn(overall, {"enduser.id": worst}, THREE_NINES, distinct={"enduser.id": 200})
        named += bool(found)
        named_as_twenty += bool(attribute_burn(overall, {"enduser.id": worst}, THREE_NINES))
    assert named <= 3
    assert named_as_twenty > 5


def test_what_a_cut_list_leaves_out_is_not_taken_for_events_without_a_value():
    overall = EventCounts(10_000, 10_110)
    known = {"gold": EventCounts(9_000, 9_010)}
    assert [each.value for each in attribute_burn(overall, {"tenant": known}, THREE_NINES)] == [NO_VALUE]
    assert attribute_burn(overall, {"tenant": known}, THREE_NINES, distinct={"tenant": 2}) == ()
    assert attribute_burn(overall, {"tenant": known}, THREE_NINES, distinct={"tenant": 1}) != ()


def test_a_real_culprit_is_found_among_two_hundred_values():
    values = draw(1) | {"user-77": EventCounts(100, 130)}
    (found,) = attribute_burn(add(values.values()), {"enduser.id": values}, THREE_NINES)
    assert found.value == "user-77"
    assert found.chance < 1e-10


def test_values_in_too_few_bad_events_are_left_out():
    values = {"/x": EventCounts(0, 4), "/y": EventCounts(10_000, 10_000)}
    overall = EventCounts(10_000, 10_004)
    assert attribute_burn(overall, {"route": values}, THREE_NINES) == ()
    (found,) = attribute_burn(overall, {"route": values}, THREE_NINES, min_bad=4)
    assert found.value == "/x"


def test_without_good_or_without_bad_events_nothing_can_be_told():
    values = {"/x": EventCounts(0, 50), "/y": EventCounts(0, 50)}
    assert attribute_burn(EventCounts(0, 100), {"route": values}, THREE_NINES) == ()
    assert attribute_burn(EventCounts(100, 100), {"route": {"/x": EventCounts(50, 50)}}, THREE_NINES, min_bad=0) == ()
    assert attribute_burn(NOTHING, {"route": {}}, THREE_NINES) == ()


@given(partitions, events)
def test_shares_in_bad_sum_to_1_and_nothing_is_lost(values, lacking):
    overall = add([*values.values(), lacking])
    assert add(with_no_value(overall, values, "route").values()) == overall
    shares = shares_in_bad(overall, values, "route")
    assert shares is None if not overall.bad else sum(shares.values()) == 1


@given(partitions, events, st.integers(2, 20))
def test_shares_do_not_change_with_traffic(values, lacking, k):
    scaled = {value: EventCounts(each.good * k, each.total * k) for value, each in values.items()}
    overall = add([*values.values(), lacking])
    more = EventCounts(overall.good * k, overall.total * k)
    assert shares_in_bad(overall, values, "route") == shares_in_bad(more, scaled, "route")


def test_events_that_lack_the_attribute_join_those_whose_value_reads_none():
    complete = with_no_value(EventCounts(9, 12), {NO_VALUE: EventCounts(1, 2), "a": EventCounts(3, 3)}, "route")
    assert complete == {NO_VALUE: EventCounts(6, 9), "a": EventCounts(3, 3)}
    assert shares_in_bad(EventCounts(9, 12), {"a": EventCounts(3, 4)}, "route") == {
        "a": Fraction(1, 3),
        NO_VALUE: Fraction(2, 3),
    }


def test_no_value_is_added_where_every_event_has_the_attribute():
    values = {"a": EventCounts(3, 4)}
    assert with_no_value(EventCounts(3, 4), values, "route") == values


@pytest.mark.parametrize("overall", [EventCounts(2, 4), EventCounts(3, 3)])
def test_values_with_more_events_than_there_are_are_refused(overall):
    values = {"a": EventCounts(3, 4)}
    for ask in (
        lambda: attribute_burn(overall, {"route": values}, THREE_NINES),
        lambda: shares_in_bad(overall, values, "route"),
    ):
        with pytest.raises(StatisticError, match="the values of 'route' have more events"):
            ask()


@given(st.lists(events.filter(lambda each: each.bad >= 5 and each.good), min_size=2, max_size=6))
def test_every_interval_equals_statsmodels(parts):
    values = {str(number): part for number, part in enumerate(parts)}
    overall = add(parts)
    for found in attribute_burn(overall, {"route": values}, THREE_NINES):
        low, high = confint_proportions_2indep(
            found.events.bad, overall.bad, found.events.good, overall.good,
            method="newcomb", compare="diff", alpha=0.05,
        )  # fmt: skip
        assert math.isclose(found.interval.low, low, abs_tol=1e-9)
        assert math.isclose(found.interval.high, high, abs_tol=1e-9)


@given(st.lists(events.filter(lambda each: each.bad >= 5 and each.good), min_size=2, max_size=6))
def test_the_order_is_that_of_the_least_certain_difference(parts):
    found = attribute_burn(add(parts), {"route": {str(n): part for n, part in enumerate(parts)}}, THREE_NINES)
    lows = [each.interval.low for each in found]
    assert lows == sorted(lows, reverse=True)


@given(st.lists(events.filter(lambda each: each.bad >= 5 and each.good), min_size=2, max_size=6))
def test_the_chance_is_fishers_times_the_number_of_values_compared(parts):
    overall = add(parts)
    for found in attribute_burn(overall, {"route": {str(n): part for n, part in enumerate(parts)}}, THREE_NINES):
        tail = hypergeom.sf(found.events.bad - 1, overall.total, overall.bad, found.events.total)
        assert found.chance == pytest.approx(len(parts) * tail, rel=1e-6, abs=1e-300)
        assert found.chance <= 0.05
