"""The past of new indicators: the newest part at once, the rest in the background, from raw spans and rollups."""

import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evaluator.minutes import MinuteCounter
from slo.draft import drafts
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    Matches,
    MetricSelector,
    NotError,
    SpanIndicator,
)
from slo.predicate import ERROR, And, Comparison, Not, Or
from storage.sli_backfills import backfills, whole_days_since
from storage.sli_count import count_past
from storage.sli_rollup import count_rollups, has_rollup

pytestmark = pytest.mark.slow

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RAW = timedelta(days=14)
ROLLUPS = timedelta(days=60)
LONG = timedelta(minutes=10)


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def objective():
    return drafts("shop", "prod")[0]


@pytest.fixture
def patch(monkeypatch):
    """Replace something of the module under test, by name."""
    return lambda name, value: monkeypatch.setattr(f"evaluator.backfill.{name}", value)


def counter(database, **retention):
    return MinuteCounter(database, **({"raw_retention": RAW, "rollup_retention": ROLLUPS} | retention))


def stored(database, slo):
    """Return {minute: (good, bad, source)} of the whole minutes of *slo*."""
    sql = (
        "SELECT minute, good, bad, toString(source) FROM sli_minutes FINAL"
        " WHERE series = {series:UInt64} AND grp = '' AND good + bad > 0"
    )
    with database.client() as client:
        rows = client.query(sql, parameters={"series": slo.indicator.series_id}, tz_mode="aware").result_rows
    return {row[0].astimezone(UTC): row[1:] for row in rows}


def at(now, **ago):
    return (now - timedelta(**ago)).replace(second=0, microsecond=0)


def send(database, store, otlp, *moments, status=0, **fields):
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(moment), status=status, **fields) for moment in moments]))


def test_the_newest_day_is_counted_by_the_tick_and_older_ones_follow_newest_first(
    database, store, otlp, now, objective
):
    moments = [at(now, hours=hours) for hours in (1, 23, 40, 100, 300)]
    send(database, store, otlp, *moments)
    counting = counter(database)
    assert counting.update([objective], now) == 2
    assert set(stored(database, objective)) == set(moments[:2])
    (spans,) = [item for item in backfills(database) if item.source == "spans"]
    assert (spans.slo_id, spans.series, spans.minutes) == (objective.id, objective.indicator.series_id, 2)
    assert spans.start == whole_days_since(database, now, RAW)
    assert spans.end - spans.done_until == DAY
    assert spans.finished_at is None
    assert 0 < spans.progress < 0.1
    counting.backfiller.work(timedelta(0))
    assert set(stored(database, objective)) == set(moments[:2]), "no time, no work"
    assert counting.backfiller.work(LONG) == 3
    assert stored(database, objective) == dict.fromkeys(moments, (1, 0, "spans"))
    found = {item.source: item for item in backfills(database)}
    assert {item.progress for item in found.values()} == {1.0}
    assert all(item.finished_at for item in found.values())
    assert found["spans"].minutes == 5
    assert counting.backfiller.work(LONG) == 0


def test_a_restart_goes_on_where_the_last_process_stopped(database, store, otlp, objective, patch):
    now = datetime.now(UTC)
    moments = [at(now, hours=1), *(at(now, days=days) for days in (2, 3, 6, 9))]
    send(database, store, otlp, *moments)
    first = counter(database)
    first.update([objective], now)
    clock = iter([0.0, 0.0, 0.0, 99.0])  # time for two chunks
    patch("monotonic", lambda: next(clock, 99.0))
    first.backfiller.work(timedelta(seconds=1))
    patch("monotonic", lambda: 0.0)
    (before,) = [item for item in backfills(database) if item.source == "spans"]
    assert before.done_until == (now - DAY - HOUR * 24).replace(hour=0, minute=0, second=0, microsecond=0)
    database.command("TRUNCATE TABLE arrivals")  # long ago
    second = counter(database)
    assert second.update([objective], now + MINUTE) == 0, "nothing begins anew"
    second.backfiller.work(LONG)
    assert stored(database, objective) == dict.fromkeys(moments, (1, 0, "spans"))
    (after,) = [item for item in backfills(database) if item.source == "spans"]
    assert (after.started_at, after.minutes) == (before.started_at, 5)


def test_what_a_tick_counts_meanwhile_is_newer_than_what_the_backfill_writes_later(
    database, store, otlp, objective, patch
):
    now = datetime.now(UTC)
    old = at(now, days=3)
    send(database, store, otlp, old)
    counting = counter(database)
    counting.update([objective], now)
    send(database, store, otlp, old, old, status=2)
    stale = count_past(database, [objective.indicator], since=old, until=old + MINUTE)
    send(database, store, otlp, old, status=2)
    counting.update([objective], now + timedelta(seconds=15))
    assert stored(database, objective)[old] == (1, 3, "spans")
    patch("_minutes_of", lambda *_: stale)
    counting.backfiller.work(LONG)
    assert stored(database, objective)[old] == (1, 3, "spans")


def let_time_pass(database, moment, start):
    """Make what is stored be from *moment*, which lies before *start*: raw spans are gone, the rollup is there."""
    since, then = (f"toDateTime({item.timestamp():.0f}, 'UTC')" for item in (start, moment))
    database.command(f"INSERT INTO red_1m SELECT {then}, * EXCEPT t FROM red_1m WHERE t > {since}")
    database.command(f"ALTER TABLE red_1m DELETE WHERE t > {since} SETTINGS mutations_sync = 2")
    for table in ("spans", "arrivals"):
        database.command(f"TRUNCATE TABLE {table}")


def test_before_raw_spans_the_rollup_is_counted(database, store, otlp, now, objective):
    slow = replace(objective, id="slow", indicator=replace(objective.indicator, good=FasterThan(2**20 - 1)))
    start = whole_days_since(database, now, RAW)
    old, older = start - 5 * MINUTE, start - 40 * DAY
    for moment in (old, older):
        send(database, store, otlp, *[at(now, hours=2)] * 5, duration_ns=2**20 - 1)
        send(database, store, otlp, *[at(now, hours=2)] * 4, duration_ns=2**20, status=2)
        let_time_pass(database, moment, start)
    counting = counter(database)
    counting.update([objective, slow], now)
    counting.backfiller.work(LONG)
    assert stored(database, objective) == dict.fromkeys((old, older), (5, 4, "rollup"))
    assert stored(database, slow) == dict.fromkeys((old, older), (5, 4, "rollup"))
    parts = {(item.slo_id, item.source): item for item in backfills(database)}
    assert parts[objective.id, "rollup"].minutes == 2
    assert parts[objective.id, "rollup"].end == start


def test_a_rollup_answers_what_its_columns_can_tell_and_nothing_else(database, store, otlp, now):
    moment = at(now, minutes=20)
    spans = []
    for n in range(60):
        attributes = {"http.route": f"/r{n % 3}"} if n % 4 else {}
        spans.append(
            otlp.span(
                f"op {n % 2}",
                kind=2 + n % 2,
                start_ns=otlp.ns(moment),
                attributes=attributes,
                status=2 * (n % 5 == 0),
                duration_ns=10**6 * (n + 1),
            )
        )
    lookups = [
        otlp.span(f"get {n % 2}", kind=1, start_ns=otlp.ns(moment), attributes={"cache.hit": n > 3}) for n in range(9)
    ]
    store(database, otlp.traces(*spans, *lookups, version="1.0"))
    route = Comparison("http.route", "in", ("/r0", "/r1"))
    named = And((Not(route), Or((Comparison("name", "=", "op 0"), Comparison("service.version", "!=", "2.0")))))
    base = SpanIndicator("shop", "prod")
    answered = [
        base,
        replace(base, kinds=("server", "client")),
        replace(base, filter=route, environment=None),
        replace(base, filter=named),
        replace(base, filter=Comparison("http.route", "=", 7)),
        replace(base, group_by=("http.route", "name"), good=FasterThan(2**24 - 1)),
        CacheIndicator("shop", "prod"),
        CacheIndicator("shop", None, cache="get 1"),
    ]
    refused = [
        replace(base, good=Matches(ERROR)),
        replace(base, filter=ERROR),
        replace(base, filter=Comparison("tenant", "=", "a")),
        replace(base, group_by=("tenant",)),
        CacheIndicator("shop", "prod", filter=route),
        CacheIndicator("shop", "prod", group_by=("name",)),
        GaugeIndicator("shop", "prod", MetricSelector("depth"), "<", Decimal(1)),
    ]
    assert [has_rollup(item) for item in answered] == [True] * len(answered)
    assert [has_rollup(item) for item in refused] == [False] * len(refused)
    wanted = count_past(database, answered, since=moment - HOUR)
    found = count_rollups(database, answered, start=moment - HOUR, end=moment + HOUR)
    assert {item.source for item in found} == {"rollup"}

    def counts(minutes):
        return {(item.series, item.minute, item.group): (item.good, item.total) for item in minutes if item.total}

    assert counts(found) == counts(wanted)
    assert len({item.series for item in found}) == len(answered) - 1, "all but the route that is a number see something"


def test_a_threshold_inside_a_bucket_is_read_as_the_bound_below_it(database, store, otlp, now):
    moment = at(now, minutes=20)
    durations = [10**6 * n for n in range(150, 250)]
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(moment), duration_ns=item) for item in durations]))
    indicator = SpanIndicator("shop", "prod", good=FasterThan(200_000_000))
    (found,) = count_rollups(database, [indicator], start=moment, end=moment + MINUTE)
    bound = 2 ** (math.floor(math.log2(200_000_001) * 32) / 32)
    assert found.good == sum(item < bound for item in durations)
    assert sum(item <= 200_000_000 for item in durations) - 5 < found.good < 51


def test_metrics_have_a_past_too(database, store, otlp, objective, patch):
    now = datetime.now(UTC)
    patch("CHUNKS", {"metrics": 5 * DAY})
    indicator = CounterIndicator("shop", "prod", good=MetricSelector("good"), bad=MetricSelector("bad"))
    slo = replace(objective, id="counted", indicator=indicator)
    moments = [at(now, days=days) for days in (0.1, 3, 20)]
    points = [otlp.point(otlp.ns(each), start_ns=otlp.ns(each - MINUTE), as_int=7) for each in moments]
    store(
        database,
        otlp.metric("good", "sum", *points, aggregation_temporality=1, is_monotonic=True),
        signal="metrics",
    )
    counting = counter(database)
    counting.update([slo], now)
    assert len(stored(database, slo)) == 1
    counting.backfiller.work(LONG)
    assert Counter(stored(database, slo).values()) == {(7, 0, "metrics"): 3}
    (part,) = backfills(database)
    assert (part.source, part.minutes, part.progress) == ("metrics", 3, 1.0)
    assert now - part.start > 29 * DAY


def test_objectives_of_services_that_begin_at_different_times_are_counted_independently(
    database, store, otlp, now, objective
):
    moments = [at(now, hours=1), at(now, days=5)]
    send(database, store, otlp, *moments)
    other = replace(objective, id="other", indicator=replace(objective.indicator, good=NotError(), kinds=("server",)))
    counting = counter(database)
    counting.update([objective], now)
    counting.update([objective, other], now + MINUTE)
    counting.backfiller.work(LONG)
    assert stored(database, objective) == stored(database, other) == dict.fromkeys(moments, (1, 0, "spans"))


def test_an_objective_that_was_gone_while_another_process_ran_is_counted_anew(database, store, otlp, now, objective):
    send(database, store, otlp, at(now, hours=1))
    counter(database).update([objective], now)
    counter(database).update([], now + MINUTE)
    send(database, store, otlp, at(now, hours=2))
    database.command("TRUNCATE TABLE arrivals")  # long ago
    counter(database).update([objective], now + 2 * MINUTE)
    assert len(stored(database, objective)) == 2


def test_a_busy_service_does_not_hold_up_the_tick(database, store, otlp, objective, patch):
    patch("BUSY_SPANS", 1)
    now = datetime.now(UTC)
    moments = [at(now, minutes=30), at(now, hours=3)]
    send(database, store, otlp, *moments)
    counting = counter(database)
    assert counting.update([objective], now) == 1
    assert counting.backfiller.work(LONG) == 1
    assert set(stored(database, objective)) == set(moments)


def test_a_backfill_that_rested_until_its_days_were_dropped_begins_anew(database, store, otlp, now, objective):
    send(database, store, otlp, at(now, hours=1))
    counter(database).update([objective], now)
    later = now + 3 * DAY
    resumed = counter(database)
    resumed.update([objective], later)
    spans, rollup = sorted(backfills(database), key=lambda item: item.source, reverse=True)
    assert abs(spans.started_at - later) < timedelta(seconds=1)
    assert spans.start == rollup.end == whole_days_since(database, later, RAW)
