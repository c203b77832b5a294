"""What differs in bad requests, from stored spans: nothing that was cut off, and nothing that chance explains."""

from dataclasses import replace
from datetime import timedelta

import pytest

from slo.attribution import attribute_burn
from slo.draft import drafts
from slo.model import EventCounts
from storage import explanations
from storage.attribution import AttributeCounts, count_attributes
from storage.explanations import explain

pytestmark = pytest.mark.slow

AVAILABILITY = drafts("checkout", "prod")[0]


@pytest.fixture
def window(shop):
    return {"start": shop.base, "end": shop.base + timedelta(minutes=5)}


def told(found, attribute):
    """Return the differing values of *attribute* with their good and bad requests."""
    events = {each.attribution.value: each.attribution.events for each in found.differences
              if each.attribution.attribute == attribute}  # fmt: skip
    return {value: (counts.good, counts.bad) for value, counts in events.items()}


def test_values_that_were_cut_off_are_not_taken_for_none(database, store, shop, window):
    """Twenty large tenants have most bad requests; sixty small ones that fail more often are not told."""
    for number in range(800):
        shop.request(at_ms=number, error=number < 120, attributes={"tenant": f"large {number % 20}"})
    for number in range(480):
        shop.request(at_ms=number, error=number < 300, attributes={"tenant": f"small {number % 60}"})
    store(database, *shop.bodies(environment="prod"))
    found = count_attributes(database, AVAILABILITY.indicator, **window)
    assert found.distinct["tenant"] == 80
    tenants = [each.value for each in found.counts if each.attribute == "tenant"]
    assert len(tenants) == 20
    assert all(tenant.startswith("large") for tenant in tenants)
    assert told(explain(database, AVAILABILITY, **window), "tenant") == {}


def test_requests_that_lack_an_attribute_are_told_as_one_value(database, store, shop, window):
    for number in range(200):
        failed = number % 10 == 0
        shop.request(at_ms=number, error=failed, attributes={} if failed else {"session": f"s{number % 3}"})
        shop.request(at_ms=number, route="" if failed else "/pay", error=failed, attributes={"session": "s1"})
    store(database, *shop.bodies(environment="prod"))
    found = explain(database, AVAILABILITY, **window)
    assert told(found, "session") == {"(none)": (0, 20)}
    assert told(found, "http.route") == {"(none)": (0, 20)}


def test_the_rest_of_a_list_that_was_cut_still_counts_as_tries_of_chance(database, store, shop, window):
    """Nine of 17 failed where a seventh usually does: one in 6,000, which is no news among six hundred routes."""
    for number in range(6000):
        route = number % 600
        shop.request(f"GET /{route}", route=f"/{route}", at_ms=number, error=number % 7 == 0)
    for number in range(7):
        shop.request("GET /0", route="/0", at_ms=number, error=True)
    store(database, *shop.bodies(environment="prod"))
    counts = count_attributes(database, AVAILABILITY.indicator, **window)
    assert counts.distinct["http.route"] == 600
    (guilty,) = [each for each in counts.counts if (each.attribute, each.value) == ("http.route", "/0")]
    assert (guilty.good, guilty.bad) == (8, 9)
    assert told(explain(database, AVAILABILITY, **window), "http.route") == {}


def test_each_way_of_counting_may_spend_half_the_doubt(monkeypatch):
    """A value whose chance is between 2.5 % and 5 % is not told."""
    values = {"x": EventCounts(0, 50), "y": EventCounts(50, 50)}
    (telling, *_) = attribute_burn(EventCounts(50, 100), {"a": values}, AVAILABILITY.target)
    found = tuple(replace(telling, chance=chance) for chance in (0.024, 0.026))
    monkeypatch.setattr(explanations, "attribute_burn", lambda *_, **__: found)
    counts = AttributeCounts(EventCounts(50, 100), EventCounts(50, 100), (), {})
    told = explanations.differences(counts, AVAILABILITY.target)
    assert [(each.attribution.chance, each.sampled) for each in told] == [(0.024, False), (0.024, True)]


def test_an_attribute_of_spans_and_of_their_resource_is_counted_once(database, store, shop, window):
    for number in range(40):
        shop.request(at_ms=number, error=number % 4 == 0, attributes={"host.name": "inner", "name": "mine"})
    store(database, *shop.bodies(environment="prod", resource={"host.name": "outer"}))
    found = count_attributes(database, AVAILABILITY.indicator, **window)
    assert {each.value for each in found.counts if each.attribute == "host.name"} == {"outer"}
    assert explain(database, AVAILABILITY, **window).differences == ()


def test_a_span_that_has_a_key_twice_counts_once(database, store, shop, otlp, window):
    for number in range(40):
        span = shop.request(at_ms=number, error=number % 4 == 0)
        span.attributes.extend([*otlp.pairs({"tenant": "a"}), *otlp.pairs({"tenant": "b"})])
    store(database, *shop.bodies(environment="prod"))
    found = count_attributes(database, AVAILABILITY.indicator, **window)
    assert sum(each.good + each.bad for each in found.counts if each.attribute == "tenant") == 40
    assert explain(database, AVAILABILITY, **window).total == EventCounts(30, 40)
