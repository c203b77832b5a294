"""Objectives in plain words, for every kind of indicator and budgeting method."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.draft import drafts
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    HistogramIndicator,
    Matches,
    MetricSelector,
    SpanIndicator,
)
from slo.predicate_parser import parse_predicate
from slo.wording import counted, promise

AVAILABILITY = drafts("checkout", "")[0]
DEPTH, HITS = MetricSelector("queue.depth"), MetricSelector("hits")

PROMISES = {
    "requests": (SpanIndicator("shop", "prod"), "requests to shop in prod without error"),
    "calls": (SpanIndicator("shop", None, ("client",)), "calls from shop without error"),
    "several kinds": (SpanIndicator("shop", None, ("client", "server")), "requests to shop without error"),
    "latency": (SpanIndicator("shop", None, good=FasterThan(1_500_000)), "requests to shop within 1.5 ms"),
    "a predicate": (SpanIndicator("shop", None, good=Matches(parse_predicate("a = 1"))), "good requests to shop"),
    "a filter": (
        SpanIndicator("shop", None, filter=parse_predicate('http.route = "/pay"')),
        'requests to shop with http.route = "/pay" without error',
    ),
    "a cache": (CacheIndicator("shop", "prod", "redis"), "lookups in redis of shop in prod that hit"),
    "all caches": (CacheIndicator("shop", None), "lookups in the caches of shop that hit"),
    "a histogram": (
        HistogramIndicator("shop", None, DEPTH, Decimal("0.30")),
        "values of queue.depth from shop up to 0.3",
    ),
    "a gauge": (
        GaugeIndicator("shop", None, DEPTH, "<", Decimal("1E+2")),
        "values of queue.depth from shop < 100",
    ),
    "a total": (CounterIndicator("shop", None, good=HITS, total=DEPTH), "good events of queue.depth from shop"),
    "no total": (CounterIndicator("shop", None, good=HITS, bad=DEPTH), "good events of hits from shop"),
}


@pytest.mark.parametrize(("indicator", "words"), PROMISES.values(), ids=PROMISES)
def test_a_promise_says_what_a_good_event_is(indicator, words):
    assert promise(replace(AVAILABILITY, indicator=indicator)) == words


@pytest.mark.parametrize(
    ("budgeting", "words"),
    [
        (
            Timeslices(Decimal("0.95"), timedelta(minutes=5)),
            "slices of 5 minutes with 95 % requests to checkout without error",
        ),
        (Throughput(100, timedelta(minutes=15)), "slices of 15 minutes with at least 100 requests to checkout"),
        (Freshness(timedelta(hours=2)), "minutes with requests to checkout without error in the last 2 hours"),
    ],
    ids=["slices", "throughput", "freshness"],
)
def test_a_promise_over_time_says_which_part_of_it_is_good(budgeting, words):
    assert promise(replace(AVAILABILITY, budgeting=budgeting)) == words


def test_what_is_counted_is_named_without_what_is_good():
    assert counted(AVAILABILITY.indicator) == "requests to checkout"
