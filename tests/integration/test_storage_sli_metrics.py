"""SLIs over metrics: minutes against a direct count in Python."""

import math
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from slo.indicator import CounterIndicator, GaugeIndicator, HistogramIndicator, MetricSelector
from storage.sli_metrics import count_metrics, missing_metrics, recount_metrics

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
HOUR_NS = 3600 * 10**9
CUMULATIVE, DELTA = 2, 1


@pytest.fixture
def base():
    """A whole minute, two hours ago."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)


def by_minute(minutes, series, base, group=""):
    return {
        (item.minute - base) // MINUTE: (item.good, item.total)
        for item in minutes
        if item.series == series and item.group == group and item.total
    }


class Streams:
    """Random points of counters by (metric, attributes), and what they count by minute: the definition of the SQL."""

    def __init__(self, otlp, base, rng):
        self._otlp, self._base, self._rng = otlp, base, rng
        self.increases = defaultdict(Counter)  # by (metric, tenant): by minute
        self.bodies = []

    def cumulative(self, metric, tenant, *, start_known):
        """A counter of 40 points with resets, restarts and gaps of up to two hours."""
        rng = self._rng
        start_ns = at_ns = self._otlp.ns(self._base) + rng.randrange(60 * 10**9)
        value, before = rng.choice([0, 7]), None
        for _ in range(40):
            at_ns += rng.choice([20, 60, 60, 60, 4000]) * 10**9 + rng.randrange(10**9)
            if rng.random() < 0.1:  # a restart, which says its start or shows as a fall
                value, start_ns = 0, at_ns - 10**9 if start_known else start_ns
                before = None if start_known else before
            value += rng.randrange(50)
            if before is None or at_ns - before[0] > HOUR_NS:
                rise = value if start_known and at_ns - start_ns <= HOUR_NS else 0
            else:
                rise = value if value < before[1] else value - before[1]
            self._note(metric, tenant, at_ns, rise)
            before = (at_ns, value)
            self._point(metric, tenant, at_ns, value, start_ns=start_ns if start_known else 0, temporality=CUMULATIVE)

    def deltas(self, metric, tenant):
        at_ns = self._otlp.ns(self._base)
        for _ in range(40):
            start_ns, at_ns = at_ns, at_ns + self._rng.choice([30, 60, 4000]) * 10**9
            value = self._rng.randrange(50)
            self._note(metric, tenant, at_ns, value)
            self._point(metric, tenant, at_ns, value, start_ns=start_ns, temporality=DELTA)

    def _note(self, metric, tenant, at_ns, rise):
        self.increases[metric, tenant][(at_ns - 1 - self._otlp.ns(self._base)) // (60 * 10**9)] += rise

    def _point(self, metric, tenant, at_ns, value, *, start_ns, temporality):
        point = self._otlp.point(at_ns, start_ns=start_ns, as_int=value, attributes={"tenant": tenant, "n": 1})
        self.bodies.append(
            self._otlp.metric(metric, "sum", point, aggregation_temporality=temporality, is_monotonic=True)
        )


def past(base):
    """A moment from which two days of points fit before now."""
    return base - timedelta(days=2)


@pytest.mark.parametrize("seed", [1, 2])
def test_counters_of_any_kind_count_what_their_points_rose_by_in_whatever_order_they_come(
    database, store, otlp, base, seed
):
    rng, start = random.Random(seed), past(base)
    streams = Streams(otlp, start, rng)
    for tenant in ("a", "b"):
        streams.cumulative("errors", tenant, start_known=True)
        streams.cumulative("requests", tenant, start_known=True)
        streams.cumulative("unknown.start", tenant, start_known=False)
        streams.deltas("served", tenant)
    repeated = rng.sample(streams.bodies, 20)
    bodies = streams.bodies + repeated
    rng.shuffle(bodies)
    store(database, *bodies, signal="metrics")
    served, errors = MetricSelector("served"), MetricSelector("errors")
    good_and_bad = CounterIndicator("shop", "prod", good=served, bad=errors, group_by=("tenant",))
    of_a = CounterIndicator(
        "shop",
        None,
        bad=MetricSelector("errors", (("tenant", "a"), ("n", "1"))),
        total=MetricSelector("unknown.start", (("tenant", "a"),)),
    )
    good_of_all = CounterIndicator("shop", "prod", good=MetricSelector("requests"), total=served)
    wanted = [good_and_bad, of_a, good_of_all]
    end = base + timedelta(hours=2)
    found = count_metrics(database, wanted, start=start, end=end)

    def rises(metric, *tenants):
        return sum((streams.increases[metric, tenant] for tenant in tenants), Counter())

    def expected(good, total):
        return {minute: (good(minute), total(minute)) for minute in range(5000) if total(minute)}

    for group, tenants in (("", ("a", "b")), ('{"tenant":"a"}', ("a",)), ('{"tenant":"b"}', ("b",))):
        good, bad = rises("served", *tenants), rises("errors", *tenants)
        assert by_minute(found.minutes, good_and_bad.series_id, start, group) == expected(
            lambda minute, good=good: good[minute], lambda minute, good=good, bad=bad: good[minute] + bad[minute]
        )
    bad, total = rises("errors", "a"), rises("unknown.start", "a")
    assert by_minute(found.minutes, of_a.series_id, start) == expected(
        lambda minute: total[minute] - min(bad[minute], total[minute]), lambda minute: total[minute]
    )
    good, total = rises("requests", "a", "b"), rises("served", "a", "b")
    assert by_minute(found.minutes, good_of_all.series_id, start) == expected(
        lambda minute: min(good[minute], total[minute]), lambda minute: total[minute]
    )
    for indicator, part, whole in (
        (of_a, rises("errors", "a"), rises("unknown.start", "a")),
        (good_of_all, good, total),
    ):
        beyond = sum(max(0, part[minute] - whole[minute]) for minute in part)
        assert beyond > 0, "or nothing is proven"
        assert f"rose by {beyond:,} more than" in found.problems[indicator.series_id][0]
    assert good_and_bad.series_id not in found.problems


def test_a_minute_counts_the_same_in_whatever_range_it_is_counted(database, store, otlp, base):
    streams = Streams(otlp, past(base), random.Random(5))
    streams.cumulative("errors", "a", start_known=True)
    streams.deltas("served", "a")
    store(database, *streams.bodies, signal="metrics")
    indicator = CounterIndicator("shop", "prod", good=MetricSelector("served"), bad=MetricSelector("errors"))
    start, end = past(base), base + timedelta(hours=2)
    whole = by_minute(count_metrics(database, [indicator], start=start, end=end).minutes, indicator.series_id, start)
    parts = {}
    for hour in range(0, 50, 5):
        first = start + timedelta(hours=hour)
        found = count_metrics(database, [indicator], start=first, end=first + timedelta(hours=5)).minutes
        parts |= by_minute(found, indicator.series_id, start)
    assert parts == whole


def histogram(otlp, at_ns, counts, bounds, *, start_ns, temporality=CUMULATIVE, tenant="a"):
    point = otlp.point(at_ns, start_ns=start_ns, count=sum(counts), sum=1.0, attributes={"tenant": tenant})
    point |= {"bucket_counts": counts, "explicit_bounds": bounds}
    return otlp.metric("duration", "histogram", point, aggregation_temporality=temporality, unit="s")


def test_a_histogram_is_exact_at_its_bounds_and_says_which_bound_it_used_elsewhere(database, store, otlp, base):
    first = otlp.ns(base)
    bodies = [
        histogram(otlp, first + n * 60 * 10**9, [2 * n, 3 * n, n], [0.1, 0.3], start_ns=first - 1, tenant=tenant)
        for n in range(1, 4)
        for tenant in "ab"
    ]
    store(database, *bodies, signal="metrics")

    def at_most(text, name="duration"):
        return HistogramIndicator("shop", "prod", MetricSelector(name), Decimal(text))

    exact, low, between, below, above = (at_most(text) for text in ("0.3", "0.1", "0.25", "0.05", "9"))
    grouped = HistogramIndicator("shop", "prod", MetricSelector("duration"), Decimal("0.3"), group_by=("tenant",))
    wanted = [exact, low, between, below, above, grouped]
    found = count_metrics(database, wanted, start=base - MINUTE, end=base + timedelta(minutes=10))
    for indicator, good, bound in (
        (exact, 10, ""),
        (low, 4, ""),
        (between, 4, "0.1"),
        (below, 4, "0.1"),
        (above, 10, "0.3"),
    ):
        assert by_minute(found.minutes, indicator.series_id, base) == dict.fromkeys(range(3), (good, 12))
        problems = found.problems.get(indicator.series_id, [])
        assert [f"by the bound {bound};" in text for text in problems] == ([True] if bound else [])
    assert by_minute(found.minutes, grouped.series_id, base, '{"tenant":"b"}') == dict.fromkeys(range(3), (5, 6))


def test_a_histogram_without_buckets_is_refused_with_a_reason(database, store, otlp, base):
    point = otlp.point(otlp.ns(base) + 1, start_ns=otlp.ns(base), count=5, sum=1.0)
    store(database, otlp.metric("duration", "histogram", point, aggregation_temporality=DELTA), signal="metrics")
    indicator = HistogramIndicator("shop", "prod", MetricSelector("duration"), Decimal(1))
    found = count_metrics(database, [indicator], start=base, end=base + 5 * MINUTE)
    assert sum(item.total for item in found.minutes) == 0
    assert "has no buckets: 5 values" in found.problems[indicator.series_id][0]


def exponential(otlp, at_ns, values, scale, *, start_ns, zero=0, temporality=CUMULATIVE):
    indexes = [math.ceil(math.log2(value) * 2**scale) - 1 for value in values]
    offset = min(indexes, default=0)
    counts = [0] * (max(indexes, default=0) - offset + 1)
    for index in indexes:
        counts[index - offset] += 1
    point = otlp.point(at_ns, start_ns=start_ns, count=len(values) + zero, scale=scale, zero_count=zero)
    point["positive"] = {"offset": offset, "bucket_counts": counts if values else []}
    return otlp.metric("latency", "exponential_histogram", point, aggregation_temporality=temporality)


def test_an_exponential_histogram_counts_whole_buckets_below_the_threshold_at_any_scale(database, store, otlp, base):
    rng, first = random.Random(3), otlp.ns(base)
    values, bodies, scales = [], [], [4, 4, 3, 3, 1, 3]
    fresh = []
    for n, scale in enumerate(scales):
        fresh.append([rng.uniform(0.1, 20) for _ in range(30)])
        values += fresh[-1]
        at = first + (n + 1) * 60 * 10**9
        bodies.append(exponential(otlp, at, values, scale, start_ns=first, zero=2 * (n + 1)))
    rng.shuffle(bodies)
    store(database, *bodies, signal="metrics")
    exact, inside = (
        HistogramIndicator("shop", "prod", MetricSelector("latency"), Decimal(text)) for text in ("8", "7")
    )
    found = count_metrics(database, [exact, inside], start=base, end=base + timedelta(minutes=10))
    assert by_minute(found.minutes, exact.series_id, base) == {
        n: (sum(value <= 8 for value in fresh[n]) + 2, 32) for n in range(len(scales))
    }
    assert exact.series_id not in found.problems
    edge = {4: 2 ** (44 / 16), 3: 2 ** (22 / 8), 1: 2 ** (5 / 2)}  # the bounds below 7
    assert by_minute(found.minutes, inside.series_id, base) == {
        n: (sum(value <= edge[min(scale, scales[max(n - 1, 0)])] for value in fresh[n]) + 2, 32)
        for n, scale in enumerate(scales)
    }
    assert "no bound at 7" in found.problems[inside.series_id][0]
    assert "5.65685" in found.problems[inside.series_id][0]


@pytest.mark.parametrize("compared", [("<", 2), ("<=", 3), (">", 1), (">=", 2)])
def test_every_point_of_a_gauge_is_an_event(database, store, otlp, base, compared):
    op, good = compared
    first = otlp.ns(base)
    points = [otlp.point(first + n * 10**9, as_double=value) for n, value in enumerate((0.1, -5.0, 0.3, 9.0))]
    ended = otlp.point(first + 5 * 10**9, flags=1)
    store(database, otlp.metric("queue.length", "gauge", *points, points[0], ended), signal="metrics")
    indicator = GaugeIndicator("shop", "prod", MetricSelector("queue.length"), op, Decimal("0.3"))
    found = count_metrics(database, [indicator], start=base - MINUTE, end=base + MINUTE)
    assert by_minute(found.minutes, indicator.series_id, base) == {0: (good, 4)}


def test_what_can_never_be_counted_is_told_with_the_reason(database, store, otlp):
    now = datetime.now(UTC)
    store(database, otlp.metric("depth", "gauge", otlp.point(otlp.ago_ns(seconds=9), as_int=1)), signal="metrics")
    store(database, otlp.counter("requests", 5, attributes={"code": 200}), signal="metrics")
    depth, requests, nothing = MetricSelector("depth"), MetricSelector("requests"), MetricSelector("no.such")
    missing = CounterIndicator("shop", "prod", good=nothing, total=requests)
    gauge = CounterIndicator("shop", "prod", good=depth, total=requests)
    filtered = CounterIndicator("shop", "test", good=MetricSelector("requests", (("code", "500"),)), total=requests)
    fine = CounterIndicator("shop", None, good=MetricSelector("requests", (("code", "200"),)), total=requests)
    found = missing_metrics(database, [missing, gauge, filtered, fine], now=now)
    assert found[missing.series_id] == ["no metric 'no.such' came from service 'shop' in this month or the last"]
    assert "metric 'depth' of service 'shop' came as gauge; no series of it is a counter" in found[gauge.series_id][0]
    assert len(found[filtered.series_id]) == 2
    assert "code = '500' in environment 'test'" in found[filtered.series_id][0]
    assert fine.series_id not in found


def test_minutes_that_hang_on_a_late_point_are_counted_again_and_may_lose_their_events(database, store, otlp, base):
    at = otlp.ns(base)
    served = MetricSelector("served")
    indicator = CounterIndicator("shop", "prod", good=served, bad=MetricSelector("errors"))
    since = datetime.now(UTC) - timedelta(minutes=5)

    def send(second, value, started=0, temporality=CUMULATIVE):
        point = otlp.point(at + second * 10**9, start_ns=at + started * 10**9 if started else 0, as_int=value)
        body = otlp.metric("served", "sum", point, aggregation_temporality=temporality, is_monotonic=True)
        store(database, body, signal="metrics")

    def counted():
        return by_minute(recount_metrics(database, [indicator], since=since).minutes, indicator.series_id, base)

    send(30, 100)
    send(330, 500)
    assert counted() == {5: (400, 400)}
    database.command("TRUNCATE TABLE arrivals")
    send(210, 300)  # only this one is noted as arrived, and the minute after it changes too
    assert counted() == {3: (200, 200), 5: (200, 200)}


def test_points_are_noted_as_arrived_beside_spans(database, store, otlp, base):
    store(database, otlp.counter("served", 5, at_ns=otlp.ns(base) + 5), signal="metrics")
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base + MINUTE))))
    with database.client() as client:
        rows = client.query("SELECT DISTINCT service, environment, minute FROM arrivals ORDER BY minute").result_rows
    assert [(row[0], row[1]) for row in rows] == [("shop", "prod")] * 2
    assert [row[2].timestamp() for row in rows] == [base.timestamp(), (base + MINUTE).timestamp()]
