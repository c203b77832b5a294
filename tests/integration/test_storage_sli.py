"""Counted minutes against a direct count in Python, and windows over them."""

import math
import os
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from evaluator.minutes import MinuteCounter
from slo.draft import drafts
from slo.indicator import FasterThan, Matches, NotError, SpanIndicator
from slo.model import EventCounts
from slo.predicate import And, Comparison, Not, Or, canonical
from slo.predicate_evaluation import evaluate_predicate
from slo.predicate_fields import check_comparison
from storage import sli_count, sli_minutes

pytestmark = pytest.mark.slow

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUSES = {0: "unset", 1: "ok", 2: "error"}
MINUTE = timedelta(minutes=1)
NAMES = ("http.route", "code", "flag", "tenant", "ratio", "odd name'\\\t`")
TEXTS = ("/pay", "/cart", "", "0", "'; DROP TABLE spans --", "tab\tand\\slash", "žluť")
VALUES = (*TEXTS, 0, 1, 500, -1, 2**53 + 1, 2**53, 0.0, 0.5, 1.0, 500.0, 2.0**53, math.inf, True, False)
DURATIONS_NS = (0, 1, 999_999, 1_000_000, 1_000_001, 100_000, 300_000_000, 300_000_001, 10**10)


@pytest.fixture
def base():
    """A whole minute, half an hour ago."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)


class Shop:
    """Random spans, and what they are in Python."""

    def __init__(self, otlp, base, rng):
        self._otlp, self._base, self._rng = otlp, base, rng
        self.spans = []  # (fields, span attributes, resource attributes, minute)

    def attributes(self, most):
        rng = self._rng
        values = (*VALUES, math.nan, ["list"], None)
        return {name: rng.choice(values) for name in rng.sample(NAMES, rng.randint(0, most))}

    def requests(self, number):
        """Return *number* requests of 20 spans, each with a resource of its own."""
        rng = self._rng
        for _ in range(number):
            service, environment = rng.choice(["shop", "shop", "pay"]), rng.choice(["prod", "prod", "test", ""])
            resource = self.attributes(3)
            spans = [self._span(service, environment, resource) for _ in range(20)]
            yield self._otlp.traces(*spans, service=service, environment=environment, resource=resource)

    def _span(self, service, environment, resource):
        rng = self._rng
        kind, status = rng.choice(list(KINDS)), rng.choice([0, 0, 0, 1, 2])
        duration_ns, name = rng.choice(DURATIONS_NS), rng.choice(["GET /", "POST /pay", "naïve"])
        offset = timedelta(seconds=rng.uniform(-400, 400))
        attributes = self.attributes(4)
        start_ns = self._otlp.ns(self._base + offset)
        fields = {
            "service": service,
            "environment": environment,
            "kind": KINDS[kind],
            "status": STATUSES[status],
            "name": name,
            "error": status == 2,
            "duration_ms": Fraction(duration_ns, 10**6),
        }
        named = {"service.name": service, "deployment.environment.name": environment}
        self.spans.append((fields, attributes, {**{k: v for k, v in named.items() if v}, **resource}, start_ns))
        return self._otlp.span(
            name, kind=kind, status=status, start_ns=start_ns, duration_ns=duration_ns, attributes=attributes
        )

    def count(self, indicator):
        """Return (good, total) by minute: the definition that the SQL must meet."""
        good, total = Counter(), Counter()
        for fields, attributes, resource, start_ns in self.spans:
            if fields["service"] != indicator.service or fields["kind"] not in indicator.kinds:
                continue
            if indicator.environment is not None and fields["environment"] != indicator.environment:
                continue
            lookup = _lookup(fields, attributes, resource)
            if indicator.filter is not None and not evaluate_predicate(indicator.filter, lookup):
                continue
            minute = start_ns // 60_000_000_000
            total[minute] += 1
            good[minute] += _is_good(indicator.good, fields, lookup)
        return {datetime.fromtimestamp(minute * 60, UTC): (good[minute], total[minute]) for minute in total}


def _lookup(fields, attributes, resource):
    def lookup(name):
        if name in ("error", "duration_ms", "status", "kind", "name"):
            return fields[name]
        value = attributes[name] if name in attributes else resource.get(name)
        return None if isinstance(value, list) else value

    return lookup


def _is_good(good, fields, lookup):
    match good:
        case NotError():
            return not fields["error"]
        case FasterThan(threshold_ns):
            return fields["duration_ms"] * 10**6 <= threshold_ns
    return evaluate_predicate(good.predicate, lookup)


def comparison(rng):
    """Return a random comparison that the language allows."""
    while True:
        name = rng.choice([*NAMES, "error", "duration_ms", "status", "kind", "name", "service.name", "missing"])
        choices = {
            "status": ("ok", "error", "unset"),
            "kind": ("server", "client"),
            "name": ("GET /", "naïve"),
            "service.name": ("shop", "pay"),
            "duration_ms": (0, 1, 0.1, 300, 1.000001, 10_000),
        }.get(name, [value for value in VALUES if value != math.inf])
        operator = rng.choice(["=", "!=", "<", "<=", ">", ">=", "in"])
        value = tuple(rng.sample(choices, 2)) if operator == "in" else rng.choice(choices)
        found = Comparison(name, operator, value)
        if check_comparison(found) is None:
            return found


def predicate(rng, depth=2):
    if depth == 0 or rng.random() < 0.3:
        return comparison(rng)
    if rng.random() < 0.3:
        return Not(predicate(rng, depth - 1))
    kind = rng.choice([And, Or])
    return kind(tuple(predicate(rng, depth - 1) for _ in range(rng.randint(2, 3))))


def indicator(rng):
    good = rng.choice([NotError(), FasterThan(rng.choice(DURATIONS_NS[1:])), Matches(predicate(rng))])
    return SpanIndicator(
        service=rng.choice(["shop", "shop", "pay"]),
        environment=rng.choice([None, "prod", ""]),
        kinds=rng.choice([("server", "consumer"), ("client",), tuple(KINDS.values())]),
        filter=rng.choice([None, predicate(rng), predicate(rng)]),
        good=good,
    )


def by_series(minutes):
    found = {}
    for item in minutes:
        found.setdefault(item.series, {})[item.minute] = (item.good, item.total)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_one_scan_counts_what_the_definition_counts_for_many_random_indicators(database, store, otlp, base, seed):
    rng = random.Random(seed)
    shop = Shop(otlp, base, rng)
    store(database, *shop.requests(25))
    indicators = list({found.series_id: found for found in (indicator(rng) for _ in range(60))}.values())
    counted = by_series(sli_count.count_past(database, indicators, since=base - timedelta(hours=1)))
    touched = by_series(sli_count.recount(database, indicators, since=datetime.now(UTC) - timedelta(minutes=5)))
    assert counted == touched
    assert sum(bool(found) for found in counted.values()) > 20, "most indicators see something, or nothing is proven"
    for each in indicators:
        text = [canonical(part) for part in (each.filter, getattr(each.good, "predicate", None)) if part]
        assert counted.get(each.series_id, {}) == shop.count(each), text


def test_windows_are_sums_of_whole_minutes_that_end_together(database, base):
    minutes = [
        sli_minutes.SliMinute(7, base - n * MINUTE, good=10**6 + n, total=10**6 + 2 * n, seen=1) for n in range(200)
    ]
    sli_minutes.write_minutes(database, minutes, revision=1)
    lengths = [timedelta(minutes=n) for n in (1, 5, 60, 180)]
    end = base - 2 * MINUTE  # exclusive
    found = sli_minutes.windows(database, [7, 8], lengths, end=end)
    for length in lengths:
        inside = [m for m in minutes if end - length <= m.minute < end]
        assert len(inside) == length // MINUTE
        assert found[7].counts[length] == EventCounts(sum(m.good for m in inside), sum(m.total for m in inside))
        assert found[8].counts[length] == EventCounts(0, 0)
    assert found[7].first_minute == base - timedelta(minutes=199), "also where it lies before every window"
    assert found[8].first_minute is None
    assert sli_minutes.windows(database, [], lengths, end=end) == {}


def test_a_later_revision_replaces_an_earlier_one_and_never_the_other_way_round(database, base):
    for revision, good in ((5, 50), (9, 90), (7, 70)):
        sli_minutes.write_minutes(database, [sli_minutes.SliMinute(1, base, good, 100, 100)], revision=revision)
    (step,) = sli_minutes.steps(database, 1, start=base, end=base + MINUTE, step_s=60)
    assert (step.at, step.good, step.bad) == (base, 90, 10)


def test_steps_sum_their_minutes_and_leave_out_what_is_empty(database, base):
    start = base.replace(minute=0)
    rows = [sli_minutes.SliMinute(1, start + n * MINUTE, good=n, total=n + 1, seen=n + 1) for n in (0, 1, 4, 5, 11)]
    sli_minutes.write_minutes(database, rows, revision=1)
    found = sli_minutes.steps(database, 1, start=start, end=start + timedelta(minutes=15), step_s=300)
    assert [(step.at - start, step.good, step.bad) for step in found] == [
        (timedelta(0), 5, 3),
        (timedelta(minutes=5), 5, 1),
        (timedelta(minutes=10), 11, 1),
    ]


@pytest.fixture
def objective():
    return drafts("shop", "prod")[0]


def count_of(database, slo, *, end):
    length = timedelta(hours=2)
    return sli_minutes.windows(database, [slo.indicator.series_id], [length], end=end)[slo.indicator.series_id].counts[
        length
    ]


def test_late_spans_correct_the_past(database, store, otlp, base, objective):
    counter = MinuteCounter(database, raw_retention=timedelta(days=14))
    now = datetime.now(UTC)
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(base)) for _ in range(9)]))
    assert counter.update([objective], now) == 1
    assert count_of(database, objective, end=base + MINUTE) == EventCounts(9, 9)
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base), status=2)))
    assert counter.update([objective], now + timedelta(seconds=15)) == 1
    assert count_of(database, objective, end=base + MINUTE) == EventCounts(9, 10)


def test_counting_again_changes_nothing(database, store, otlp, base, objective):
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(base), status=n % 3) for n in range(30)]))
    now = datetime.now(UTC)
    for number in range(3):
        MinuteCounter(database, raw_retention=timedelta(days=14)).update([objective], now + timedelta(seconds=number))
    assert count_of(database, objective, end=base + MINUTE) == EventCounts(20, 30)


def test_a_new_indicator_gets_its_past_also_when_it_arrived_long_ago(database, store, otlp, base, objective):
    """Its minutes are not in what arrived since the last tick; other indicators already were counted."""
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(base - n * MINUTE), duration_ns=10**9) for n in range(5)]))
    database.command("TRUNCATE TABLE arrivals")
    slow = replace(objective, id="slow", indicator=replace(objective.indicator, good=FasterThan(10**8)))
    counter = MinuteCounter(database, raw_retention=timedelta(days=14))
    now = datetime.now(UTC)
    counter.update([objective], now)
    assert counter.update([objective, slow], now + timedelta(seconds=15)) == 5
    assert count_of(database, slow, end=base + MINUTE) == EventCounts(0, 5)
    assert counter.update([objective, slow], now + timedelta(seconds=30)) == 0


def test_a_changed_target_keeps_the_minutes_and_a_changed_filter_counts_anew(objective):
    other = replace(objective, target=Decimal("0.9"), window=timedelta(days=7))
    assert other.indicator.series_id == objective.indicator.series_id
    narrower = replace(objective.indicator, filter=Comparison("name", "=", "GET /"))
    assert narrower.series_id != objective.indicator.series_id


def test_what_arrives_after_a_restart_is_counted_from_where_the_last_process_stopped(
    database, store, otlp, base, objective
):
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base))))
    now = datetime.now(UTC)
    MinuteCounter(database, raw_retention=timedelta(days=14)).update([objective], now)
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base), trace_id=os.urandom(16))))
    restarted = MinuteCounter(database, raw_retention=timedelta(days=14))
    restarted.update([objective], now + timedelta(seconds=60))
    assert count_of(database, objective, end=base + MINUTE) == EventCounts(2, 2)
