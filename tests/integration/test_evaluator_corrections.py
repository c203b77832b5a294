"""Late data: the same end state in any order, and a note of every verdict that they change."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evaluator.corrections import corrections_of, minute_verdict
from evaluator.faults import Faults
from evaluator.minutes import MinuteCounter
from slo.budgeting import Freshness, Throughput, Timeslices
from slo.draft import drafts
from slo.indicator import CounterIndicator, HistogramIndicator, MetricSelector, SpanIndicator
from slo.model import EventCounts
from storage.annotations import Annotation, save_annotation
from storage.sli_corrections import corrections
from storage.sli_labels import MOST_GROUPS
from storage.sli_minutes import SliMinute

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
RAW = timedelta(days=14)
GROUPED = SpanIndicator("shop", "prod", group_by=("tenant",))
OBJECTIVE = replace(drafts("shop", "prod")[0], target=Decimal("0.9"))
COUNTED = CounterIndicator("shop", "prod", good=MetricSelector("good"), total=MetricSelector("all"))


@pytest.fixture
def now():
    return datetime.now(UTC)


@pytest.fixture
def base(now):
    """A whole minute, an hour ago."""
    return now.replace(second=0, microsecond=0) - timedelta(hours=1)


def counter(database, **retention):
    return MinuteCounter(database, **({"raw_retention": RAW} | retention))


def noted(database, now):
    found = corrections(database, start=now - MINUTE, end=now + timedelta(hours=1))
    return [
        (
            item.slo_id,
            item.group,
            item.minute,
            item.before.total,
            item.after.total,
            item.verdict_before,
            item.verdict_after,
        )
        for item in found
    ]


def minutes_of(database):
    """Return everything that is stored and holds events."""
    sql = "SELECT series, grp, minute, good, bad, seen FROM sli_minutes FINAL WHERE good + bad > 0 ORDER BY ALL"
    with database.client() as client:
        return client.query(sql).result_rows


def bodies(otlp, base, rng):
    """Return batches of telemetry: (signal, body)."""
    found = []
    for _ in range(4):
        at = base + timedelta(seconds=rng.uniform(0, 600))
        attributes = {"tenant": rng.choice(["a", "b"])}
        spans = [otlp.span(start_ns=otlp.ns(at), status=rng.choice([0, 2]), attributes=attributes) for _ in range(3)]
        found.append(("traces", otlp.traces(*spans)))
    for metric, step in (("good", 3), ("all", 5)):
        for n in (1, 3):
            point = otlp.point(otlp.ns(base) + n * 85 * 10**9, start_ns=otlp.ns(base), as_int=n * step)
            found.append(("metrics", otlp.metric(metric, "sum", point, aggregation_temporality=2, is_monotonic=True)))
    return found


def test_late_data_in_any_order_give_the_same_end_state(database, store, otlp, now, base):
    slos = [OBJECTIVE, replace(OBJECTIVE, id="g", indicator=GROUPED), replace(OBJECTIVE, id="m", indicator=COUNTED)]
    batches, ends = bodies(otlp, base, random.Random(1)), []
    short = dict.fromkeys(("raw_retention", "metrics_retention", "rollup_retention"), timedelta(days=3))
    for seed in range(3):
        rng = random.Random(seed)
        rng.shuffle(batches)
        for table in ("spans", "arrivals", "metric_points", "sli_minutes", "sli_series", "sli_backfills", "red_1m"):
            database.command(f"TRUNCATE TABLE {table}")
        counting = counter(database, **short)
        counting.update(slos, now)
        for number, (signal, body) in enumerate(batches, 1):
            store(database, body, signal=signal)
            if rng.random() < 0.3:
                counting.update(slos, now + number * timedelta(seconds=1))
            if rng.random() < 0.2:
                counting = counter(database, **short)  # a restart
        counting.update(slos, now + MINUTE)
        counting.backfiller.work(MINUTE)
        ends.append(minutes_of(database))
    assert len(ends[0]) > 12
    assert ends[1:] == ends[:1] * 2


def test_a_verdict_that_late_spans_change_is_noted_once(database, store, otlp, now, base):
    other = replace(OBJECTIVE, id="loose", target=Decimal("0.5"))
    grouped = replace(OBJECTIVE, id="grouped", indicator=GROUPED)
    slos = [OBJECTIVE, other, grouped]
    counting = counter(database)

    def send(minute, status, number, tenant="a"):
        at = otlp.ns(base + minute * MINUTE)
        spans = [otlp.span(start_ns=at, status=status, attributes={"tenant": tenant}) for _ in range(number)]
        store(database, otlp.traces(*spans))

    send(0, 0, 9)
    send(1, 0, 20)
    counting.update(slos, now)
    send(0, 2, 1, "b")  # 9 of 10 is exactly the target: still met, but not for the group
    send(1, 2, 3)  # 20 of 23 is not, but above a half
    send(2, 0, 5)  # held nothing before
    later = now + timedelta(seconds=15)
    counting.update(slos, later)
    a, b = '{"tenant":"a"}', '{"tenant":"b"}'
    wanted = {
        ("grouped", b, base, 0, 1, "no data", "missed"),
        *((slo, "", base + MINUTE, 20, 23, "met", "missed") for slo in (OBJECTIVE.id, "grouped")),
        ("grouped", a, base + MINUTE, 20, 23, "met", "missed"),
        *((slo, "", base + 2 * MINUTE, 0, 5, "no data", "met") for slo in (OBJECTIVE.id, "grouped", "loose")),
        ("grouped", a, base + 2 * MINUTE, 0, 5, "no data", "met"),
    }
    assert set(noted(database, now)) == wanted
    counting.update(slos, later + timedelta(seconds=15))
    counter(database).update(slos, later + timedelta(seconds=30))
    assert len(noted(database, now)) == len(wanted)
    (one, *_) = corrections(database, start=later, end=later + MINUTE, slo_id="loose")
    assert (one.cause, abs(one.at - later) < timedelta(seconds=1)) == ("late data", True)
    assert corrections(database, start=later + MINUTE, end=later + 2 * MINUTE) == []


def test_nothing_is_noted_of_minutes_that_were_not_through_or_not_counted_yet(database, store, otlp, now, base):
    counting = counter(database)
    counting.update([OBJECTIVE], now)
    at = now.replace(second=0, microsecond=0) - 2 * MINUTE
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(at))))
    counting.update([OBJECTIVE], now + timedelta(seconds=15))
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(at), status=2)))
    counting.update([OBJECTIVE], now + timedelta(seconds=30))
    old = base - timedelta(days=3)  # the backfill has not come there
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(old))))
    counting.update([OBJECTIVE], now + timedelta(seconds=45))
    assert noted(database, now) == []
    assert len(minutes_of(database)) == 2


def test_an_evaluator_that_was_away_does_not_call_the_data_late(database, store, otlp, now, base):
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base - timedelta(hours=2)))))
    counter(database).update([OBJECTIVE], base)
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base + 10 * MINUTE), status=2)))
    counter(database).update([OBJECTIVE], now)
    assert len(minutes_of(database)) == 2
    assert noted(database, now) == []


def test_what_was_dropped_is_not_forgotten_when_something_late_comes(database, store, otlp, now, base):
    """The raw spans of a minute are gone; one that comes late must not become the minute's only one."""
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(base)) for _ in range(9)]))
    counting = counter(database)
    counting.update([OBJECTIVE], now)
    before = minutes_of(database)
    for table in ("spans", "arrivals"):
        database.command(f"TRUNCATE TABLE {table}")
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base), status=2)))
    counting.update([OBJECTIVE], now + timedelta(seconds=15))
    assert minutes_of(database) == before
    assert noted(database, now) == []


def test_days_that_the_disk_budget_dropped_are_not_counted_again(database, store, otlp, now, base):
    day = (base - timedelta(days=3)).replace(hour=0, minute=0)
    save_annotation(database, Annotation("dropped", "retention", "t", day, day + timedelta(days=1), [], ""), now=now)
    counting = counter(database)
    counting.update([OBJECTIVE], now)
    dropped, kept = day + timedelta(hours=5), day + timedelta(days=1)
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(moment)) for moment in (dropped, kept)]))
    counting.update([OBJECTIVE], now + timedelta(seconds=15))
    assert [row[2].timestamp() for row in minutes_of(database)] == [kept.timestamp()]


@pytest.mark.parametrize(
    "case",
    [
        ({}, (9, 10), "met"),
        ({}, (89, 100), "missed"),
        ({}, (0, 0), "no data"),
        ({"target": Decimal("0.3")}, (3, 10), "met"),
        ({"budgeting": Timeslices(Decimal("0.5"))}, (5, 10), "met"),
        ({"budgeting": Timeslices(Decimal("0.95"))}, (94, 100), "missed"),
        ({"budgeting": Throughput(10)}, (0, 10), "met"),
        ({"budgeting": Throughput(50, timedelta(minutes=5))}, (9, 9), "missed"),
        ({"budgeting": Freshness(timedelta(minutes=5))}, (0, 3), "missed"),
        ({"budgeting": Freshness(timedelta(minutes=5))}, (1, 3), "met"),
    ],
)
def test_a_minute_is_judged_by_what_the_objective_asks_for(case):
    changes, (good, total), verdict = case
    assert minute_verdict(replace(OBJECTIVE, **changes), EventCounts(good, total)) == verdict


def test_a_group_that_is_counted_among_the_others_now_was_not_corrected(now, base):
    slo, series = replace(OBJECTIVE, indicator=GROUPED), GROUPED.series_id
    before = {(series, group, base): EventCounts(9, 9) for group in "gh"}
    minutes = [SliMinute(series, base, 0, 0, 0, "g"), SliMinute(series, base, 9, 19, 19, "h")]
    (found,) = corrections_of([slo], minutes, before, now=now)
    assert (found.group, found.verdict_before, found.verdict_after) == ("h", "met", "missed")
    (lost,) = corrections_of([slo], [replace(minutes[0], source="metrics")], before, now=now)
    assert (lost.verdict_before, lost.verdict_after) == ("met", "no data")


def test_problems_of_indicators_are_told_by_objective_until_they_are_gone(database, store, otlp, now, base):
    histogram = HistogramIndicator("shop", "prod", MetricSelector("no.such"), Decimal("0.3"))
    named = {"counted": COUNTED, "histogram": histogram, "grouped": GROUPED}
    slos = [OBJECTIVE, *(replace(OBJECTIVE, id=name, indicator=item) for name, item in named.items())]
    counting = counter(database)
    counting.update(slos, now)
    spans = [otlp.span(start_ns=otlp.ns(base), attributes={"tenant": f"t{n}"}) for n in range(MOST_GROUPS + 1)]
    store(database, otlp.traces(*spans))
    for metric, value in (("good", 7), ("all", 5)):
        store(
            database, otlp.counter(metric, value, at_ns=otlp.ns(base) + 10**9, start_ns=otlp.ns(base)), signal="metrics"
        )
    counting.update(slos, now + timedelta(seconds=15))
    found = counting.problems(slos)
    assert set(found) == {"counted", "histogram", "grouped"}
    assert "'good' rose by 2 more than 'all'" in found["counted"][0]
    assert "no metric 'no.such'" in found["histogram"][0]
    assert f"over {MOST_GROUPS} groups" in found["grouped"][0]
    database.command("TRUNCATE TABLE arrivals")
    counting.update(slos, now + timedelta(minutes=5))
    assert set(counting.problems(slos)) == set(found), "nothing came since, so nothing is known to be better"
    counting.update(slos, now + timedelta(minutes=20))
    assert set(counting.problems(slos)) == {"histogram"}


def test_a_fault_that_was_mended_is_told_no_more():
    faults, now = Faults(), datetime(2026, 3, 1, tzinfo=UTC)
    faults.replace("missing", {1: ["a"], 2: ["b"]})
    faults.note("doubt", {1: ["c"]}, now)
    assert (faults.of(1), faults.of(2), faults.of(3)) == (["c", "a"], ["b"], [])
    faults.replace("missing", {2: ["b"]})
    assert faults.of(1) == ["c"]
