import hashlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.errors import InvalidObjective
from slo.indicator import FasterThan, Matches, NotError, SpanIndicator
from slo.model import EventCounts, Slo
from slo.policy import NO_POLICY
from slo.predicate_parser import parse_predicate
from slo.window import RollingWindow

CHECKOUT = SpanIndicator(service="checkout", environment="prod")
SLO = Slo(
    id="checkout-availability",
    name="checkout availability",
    service="checkout",
    environment="prod",
    indicator=CHECKOUT,
    target=Decimal("0.999"),
    window=RollingWindow(timedelta(days=30)),
    policy=NO_POLICY,
    draft=False,
    source="checkout.yaml",
)


def test_the_series_id_never_changes_between_versions_or_stored_minutes_would_be_lost():
    text = (
        '{"environment":"prod","filter":null,"good":"not error","group_by":[],"kinds":["consumer","server"],'
        '"service":"checkout","source":"spans"}'
    )
    assert CHECKOUT.series_id == int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
    assert CHECKOUT.series_id == 3691461140170067318
    fast = SpanIndicator(
        "cart", None, ("client",), parse_predicate('http.route = "/pay"'), FasterThan(5), ("http.route",)
    )
    assert fast.series_id == 2167149393041974074


def test_the_series_id_ignores_what_decides_no_count():
    assert replace(CHECKOUT, kinds=("consumer", "server", "server")).series_id == CHECKOUT.series_id
    respelt = replace(CHECKOUT, filter=parse_predicate("( a='x' )"))
    assert respelt.series_id == replace(CHECKOUT, filter=parse_predicate('a = "x"')).series_id


@pytest.mark.parametrize(
    "other",
    [
        replace(CHECKOUT, service="cart"),
        replace(CHECKOUT, environment=None),
        replace(CHECKOUT, environment=""),
        replace(CHECKOUT, kinds=("server",)),
        replace(CHECKOUT, filter=parse_predicate("a = 1")),
        replace(CHECKOUT, filter=parse_predicate("a = true")),
        replace(CHECKOUT, good=FasterThan(1)),
        replace(CHECKOUT, good=Matches(parse_predicate("a = 1"))),
        replace(CHECKOUT, group_by=("a",)),
    ],
)
def test_the_series_id_follows_everything_that_decides_the_counts(other):
    assert other.series_id != CHECKOUT.series_id
    assert 0 <= other.series_id < 2**63


def test_what_is_good_decides_the_kind_of_objective():
    assert (SLO.kind, SLO.threshold_ms) == ("availability", None)
    latency = replace(SLO, indicator=replace(CHECKOUT, good=FasterThan(1_500_000)))
    assert (latency.kind, latency.threshold_ms) == ("latency", 1.5)
    custom = replace(SLO, indicator=replace(CHECKOUT, good=Matches(parse_predicate("a = 1"))))
    assert (custom.kind, custom.threshold_ms) == ("custom", None)


@pytest.mark.parametrize("target", ["0", "1", "99.9", "-0.1", "NaN", "Infinity"])
def test_a_target_outside_of_0_and_1_is_refused(target):
    with pytest.raises(InvalidObjective, match=r"between 0 and 1, such as 0\.999"):
        replace(SLO, target=Decimal(target))


@pytest.mark.parametrize("window", [timedelta(0), timedelta(days=-1), timedelta(seconds=90)])
def test_a_window_that_is_not_whole_minutes_is_refused(window):
    with pytest.raises(InvalidObjective, match="whole minutes"):
        RollingWindow(window)


@pytest.mark.parametrize(
    "change", [{"service": ""}, {"kinds": ()}, {"kinds": ("server", "request")}, {"good": FasterThan}]
)
def test_an_indicator_without_service_or_with_unknown_kinds_is_refused(change):
    if "good" in change:
        with pytest.raises(InvalidObjective, match="above 0"):
            FasterThan(0)
        return
    with pytest.raises(InvalidObjective, match=r"service name|must be some of server"):
        replace(CHECKOUT, **change)


counts = st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)).map(lambda pair: EventCounts(pair[0], sum(pair)))


@given(counts, counts)
def test_adding_counts_adds_good_bad_and_total(a, b):
    total = a + b
    assert (total.good, total.bad, total.total) == (a.good + b.good, a.bad + b.bad, a.total + b.total)


@pytest.mark.parametrize(("good", "total"), [(-1, 0), (2, 1), (0, -1)])
def test_more_good_events_than_events_cannot_be(good, total):
    with pytest.raises(InvalidObjective, match="0 <= good <= total"):
        EventCounts(good, total)


def test_not_error_is_what_an_indicator_counts_as_good_unless_told_otherwise():
    assert CHECKOUT.good == NotError()
    assert CHECKOUT.kinds == ("server", "consumer")
