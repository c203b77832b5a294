"""SLIs with groups and SLIs over caches: minutes against a direct count in Python."""

import json
import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from slo.indicator import CacheIndicator, FasterThan, SpanIndicator
from slo.predicate import Comparison
from storage import sli_count, sli_minutes
from storage.sli_groups import folded
from storage.sli_labels import OTHER, group_text
from storage.times import whole

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
VALUES = ("/pay", "/žluť", 'quote"back\\slash', "tab\t", "", 7, 1.5, True, None, "line\u2028end")
TEXTS = {7: "7", 1.5: "1.5", True: "true", None: ""}


@pytest.fixture
def base():
    """A whole minute, half an hour ago."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)


@pytest.fixture
def everything(base):
    return {"since": base - timedelta(hours=1)}


def text_of(value):
    return value if isinstance(value, str) else TEXTS[value]


def spans_of(otlp, base, rng, number):
    """Return random spans with what they are in Python: (minute, good, labels by name)."""
    known, spans = [], []
    for _ in range(number):
        at = base + timedelta(seconds=rng.uniform(-300, 300))
        tenant, route, bad = rng.choice(VALUES), rng.choice(("/a", "/b", "")), rng.random() < 0.3
        attributes = {"tenant": tenant} if rng.random() < 0.8 else {}
        attributes |= {"http.route": route} if route else {}
        spans.append(otlp.span(rng.choice("xy"), start_ns=otlp.ns(at), attributes=attributes, status=2 if bad else 0))
        labels = {"http.route": route, "name": spans[-1].name, "service.version": "1.2"}
        labels["tenant"] = text_of(attributes["tenant"]) if "tenant" in attributes else "of the resource"
        known.append((at.replace(second=0, microsecond=0), not bad, labels))
    return spans, known


def counted(minutes):
    return {(item.minute, item.group): (item.good, item.total, item.seen) for item in minutes if item.total}


@pytest.mark.parametrize(
    "names", [("tenant",), ("http.route",), ("tenant", "http.route"), ("service.version", "name"), ("host", "tenant")]
)
def test_every_minute_is_counted_as_a_whole_and_once_for_each_group(database, store, otlp, base, names):
    spans, known = spans_of(otlp, base, random.Random(len(names)), 200)
    resource = {"tenant": "of the resource", "host": "h-1"}
    store(database, otlp.traces(*spans, version="1.2", resource=resource))
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(base)), service="pay", version="9"))
    indicator = SpanIndicator("shop", "prod", group_by=names)
    plain = replace(indicator, group_by=())
    wanted = defaultdict(lambda: [0, 0, 0])
    for minute, good, labels in known:
        labels["host"] = "h-1"
        group = json.dumps(
            {name: labels[name] for name in sorted(names)}, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        for key in ((minute, ""), (minute, group)):
            wanted[key] = [a + b for a, b in zip(wanted[key], (good, 1, 1), strict=True)]
    found = sli_count.count_past(database, [indicator, plain], since=base - timedelta(hours=1))
    of_groups = counted(item for item in found if item.series == indicator.series_id)
    assert of_groups == {key: tuple(value) for key, value in wanted.items()}
    assert counted(item for item in found if item.series == plain.series_id) == {
        key: value for key, value in of_groups.items() if not key[1]
    }
    assert folded(found) == set()
    recounted = sli_count.recount(database, [indicator, plain], since=datetime.now(UTC) - timedelta(minutes=5))
    assert counted(recounted) == counted(found)


def stored_groups(database, indicator, base):
    """Return (total of the wholes, total of the groups, groups with events) as they are stored."""
    sql = "SELECT grp, good + bad AS total FROM sli_minutes FINAL WHERE series = {series:UInt64} AND total > 0"
    with database.client() as client:
        rows = client.query(sql, parameters={"series": indicator.series_id}).result_rows
    whole = sum(total for group, total in rows if not group)
    return whole, sum(total for group, total in rows if group), {group for group, _ in rows if group}


def test_whatever_the_limit_of_groups_becomes_a_minute_is_the_sum_of_its_groups(
    database, store, otlp, base, everything
):
    indicator = SpanIndicator("shop", "prod", group_by=("tenant",))
    now = datetime.now(UTC)
    tenants = [f"t{number}" for number in range(12) for _ in range(number + 1)]
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(now), attributes={"tenant": name}) for name in tenants]))
    for revision, most in enumerate((3, 12, 5, 1, 200, 3), 1):
        minutes = sli_count.count_past(database, [indicator], **everything, most=most)
        sli_minutes.write_minutes(database, minutes, revision=revision)
        whole, parts, groups = stored_groups(database, indicator, base)
        assert whole == parts == len(tenants), most
        assert len(groups - {group_text(["tenant"], [OTHER])}) == min(most, 12)
        assert (folded(minutes) == {indicator.series_id}) is (most < 12)


def test_a_group_keeps_its_place_while_it_has_events(database, store, otlp, everything):
    """The largest groups are told apart first, but one that was told apart does not lose its name to a larger one."""
    indicator = SpanIndicator("shop", "prod", group_by=("tenant",))
    now = datetime.now(UTC) - MINUTE

    def send(name, number):
        spans = [otlp.span(start_ns=otlp.ns(now), attributes={"tenant": name}) for _ in range(number)]
        store(database, otlp.traces(*spans))

    send("small", 1)
    sli_minutes.write_minutes(database, sli_count.count_past(database, [indicator], **everything, most=1), revision=1)
    send("large", 5)
    minutes = sli_count.count_past(database, [indicator], **everything, most=1)
    found = {item.group: item.total for item in minutes if item.group}
    assert found == {'{"tenant":"small"}': 1, '{"tenant":"__other__"}': 5}


def lookup(otlp, at, hit, *, cache="", name="get", kind=3, attributes=None):
    own = ({} if hit is None else {"cache.hit": hit}) | ({"cache.name": cache} if cache else {}) | (attributes or {})
    return otlp.span(name, kind=kind, start_ns=otlp.ns(at), attributes=own)


def test_a_cache_indicator_counts_lookups_of_any_kind_of_span_and_hits_are_good(
    database, store, otlp, base, everything
):
    hits = [lookup(otlp, base, True, cache="items", kind=1 + n % 5) for n in range(7)]
    misses = [lookup(otlp, base, False, cache="items", attributes={"region": "eu"}) for _ in range(2)]
    other = [lookup(otlp, base + MINUTE, False, name="prices"), lookup(otlp, base, None, cache="items")]
    store(database, otlp.traces(*hits, *misses, *other))
    store(database, otlp.traces(lookup(otlp, base, True, cache="items"), environment="test"))
    every = CacheIndicator("shop", None)
    items = CacheIndicator("shop", "prod", cache="items")
    unnamed = CacheIndicator("shop", "prod", cache="prices")
    europe = CacheIndicator("shop", "prod", cache="items", filter=Comparison("region", "=", "eu"))
    by_cache = CacheIndicator("shop", "prod", group_by=("cache.name",))
    requests = SpanIndicator("shop", "prod", good=FasterThan(10**12))
    found = sli_count.count_past(database, [every, items, unnamed, europe, by_cache, requests], **everything)
    by_series = defaultdict(dict)
    for item in found:
        by_series[item.series][item.minute - base, item.group] = (item.good, item.total)
    now, later = (timedelta(0), ""), (MINUTE, "")
    assert by_series[every.series_id] == {now: (8, 10), later: (0, 1)}
    assert by_series[items.series_id] == {now: (7, 9)}
    assert by_series[unnamed.series_id] == {later: (0, 1)}
    assert by_series[europe.series_id] == {now: (0, 2)}
    assert by_series[by_cache.series_id] == {
        now: (7, 9),
        later: (0, 1),
        (timedelta(0), '{"cache.name":"items"}'): (7, 9),
        (MINUTE, '{"cache.name":""}'): (0, 1),
    }
    assert by_series[requests.series_id][now][1] == sum(span.kind in {2, 5} for span in hits)


def test_the_newest_misses_of_a_cache_lead_to_their_traces(database, store, otlp, base):
    misses = [lookup(otlp, base + timedelta(seconds=n), False, cache="items") for n in range(4)]
    store(database, otlp.traces(*misses, lookup(otlp, base, True, cache="items"), lookup(otlp, base, False, cache="b")))
    window = {"start": base, "end": base + MINUTE}
    found = sli_count.cache_misses(database, CacheIndicator("shop", "prod", cache="items"), **window)
    assert found == [span.trace_id.hex() for span in misses[:0:-1]]


def test_sampled_spans_stand_for_several_in_groups_too(database, store, otlp, base, everything):
    spans = [otlp.span(start_ns=otlp.ns(base), trace_state="ot=th:c", attributes={"tenant": "a"}) for _ in range(3)]
    store(database, otlp.traces(*spans))
    found = sli_count.count_past(database, [SpanIndicator("shop", "prod", group_by=("tenant",))], **everything)
    assert {(item.group, item.total, item.seen) for item in found} == {("", 12, 3), ('{"tenant":"a"}', 12, 3)}


def test_a_recount_reads_only_what_lies_beside_the_touched_minutes(database, store, otlp, base):
    """100,000 spans of a whole day are stored; the recount of one late span reads two granules of 8,192 at most."""
    database.command(
        "INSERT INTO spans (ts, service, environment, kind, weight)"
        " SELECT now64(9) - toIntervalMillisecond(number * 860), 'shop', 'prod', 'server', 1 FROM numbers(100000)"
    )
    database.command("OPTIMIZE TABLE spans FINAL")
    database.command("TRUNCATE TABLE arrivals")
    late = (base - timedelta(hours=12)).replace(second=30)
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(late))))
    parameters = {"since": whole(late), "oldest": whole(late - timedelta(days=1))}
    with database.client() as client:
        sql = f"EXPLAIN ESTIMATE SELECT sum(weight) FROM spans WHERE {sli_count.TOUCHED_TIMES}"
        ((_, _, _, rows, _),) = client.query(sql, parameters=parameters).result_rows
    assert 1 <= rows <= 2 * 8192 + 1
    indicator = SpanIndicator("shop", "prod")
    found = sli_count.recount(database, [indicator], since=datetime.now(UTC) - timedelta(minutes=5))
    around = sli_count.count_past(database, [indicator], since=late.replace(second=0), until=late + MINUTE / 2)
    assert [(item.minute, item.total) for item in found] == [(item.minute, item.total) for item in around]
    assert found[0].total >= 60 / 0.86


def test_minutes_before_the_oldest_whole_day_are_not_counted_again(database, store, otlp, base):
    store(database, otlp.traces(*[otlp.span(start_ns=otlp.ns(base + n * MINUTE)) for n in range(3)]))
    since, indicator = datetime.now(UTC) - timedelta(minutes=5), SpanIndicator("shop", "prod")
    found = sli_count.recount(database, [indicator], since=since, oldest=base + MINUTE)
    assert sorted(item.minute for item in found) == [base + MINUTE, base + 2 * MINUTE]
