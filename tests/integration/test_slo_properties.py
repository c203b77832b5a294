"""What must hold for any spans in any order, on the engine."""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from slo.duration import parse_duration
from slo.model import EventCounts
from storage.standing import standings
from tests.integration.slo_world import MINUTE, SloWorld, sampled_one_in
from tests.slo_objective import objective

pytestmark = pytest.mark.slow

WINDOWS = ("1m", "5m", "2h", "3h", "7d")
WEIGHTS = (1, 1, 2, 7, 1000)
ROUTES = ("/pay", "/cart")
MINUTES = 240
MINUTE_NS = 60_000_000_000
EDGES_NS = (0, MINUTE_NS - 1)
DIRECT = """SELECT sumIf(weight, NOT error) AS good, sum(weight) AS total FROM spans
    WHERE service = {service:String} AND kind = 'server' AND NOT quarantined AND http_route IN {routes:Array(String)}
        AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}"""
STORED = """SELECT minute, good, bad FROM sli_minutes FINAL WHERE series = {series:UInt64} ORDER BY minute"""


@pytest.fixture
def world(database, store, otlp, tmp_path):
    return SloWorld(database, store, otlp, tmp_path, hours_ago=6)


def random_requests(dice, count):
    """Return *count* requests as (nanoseconds after the start, weight, bad, route, kind); some minutes have none."""
    minutes = dice.sample(range(MINUTES), MINUTES // 2)
    return [
        (
            dice.choice(minutes) * MINUTE_NS + dice.choice((*EDGES_NS, dice.randrange(MINUTE_NS))),
            dice.choice(WEIGHTS),
            dice.random() < 0.1,
            dice.choice(ROUTES),
            dice.choice((2, 2, 2, 3)),
        )
        for _ in range(count)
    ]


def spans_of(world, otlp, requests):
    start = otlp.ns(world.start)
    return [
        otlp.span(
            start_ns=start + at,
            trace_state=sampled_one_in(weight),
            status=2 if bad else 0,
            kind=kind,
            attributes={"http.route": route},
        )
        for at, weight, bad, route, kind in requests
    ]


def events(requests, start, end, routes=ROUTES):
    """Count the server requests of the minutes from number *start* up to *end*, exclusive."""
    inside = [
        (weight, bad)
        for at, weight, bad, route, kind in requests
        if start * MINUTE_NS <= at < end * MINUTE_NS and kind == 2 and route in routes
    ]
    return EventCounts(sum(weight for weight, bad in inside if not bad), sum(weight for weight, _ in inside))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_sum_of_minutes_is_the_direct_count_of_spans(world, otlp, seed):
    dice = random.Random(seed)
    requests = random_requests(dice, 1500)
    world.insert(spans_of(world, otlp, requests))
    slos = {
        (window, routes): world.write(
            objective(f"w{window}-{len(routes)}", window=window, policy="none", filter_text=filter_text)
        )
        for window in WINDOWS
        for routes, filter_text in (
            (ROUTES, 'kind = "server"'),
            (ROUTES[:1], 'kind = "server" and http.route = "/pay"'),
        )
    }
    world.tick(world.evaluator(), MINUTES)
    checked = 0
    for minute in (0, 1, 2, *dice.sample(range(3, MINUTES), 9), MINUTES, MINUTES + 30):
        for ((window, routes), slo), found in zip(
            slos.items(), standings(world.database, slos.values(), world.at(minute)), strict=True
        ):
            first = minute - parse_duration(window) // MINUTE
            assert found.evaluation.counts == events(requests, first, minute, routes), (slo.id, minute)
            assert found.evaluation.counts == direct(world, first, minute, routes), (slo.id, minute)
            checked += found.evaluation.counts.bad > 0
    assert checked > 40


def direct(world, first, last, routes):
    start, end = (f"{world.start + minute * MINUTE:%Y-%m-%d %H:%M:%S}" for minute in (first, last))
    window = {"service": "shop", "routes": list(routes), "start": start, "end": end}
    with world.database.client() as client:
        return EventCounts(*client.query(DIRECT, parameters=window).result_rows[0])


def test_spans_that_arrive_late_and_in_any_order_give_the_same_end_state(world, otlp):
    dice = random.Random(3)
    requests = random_requests(dice, 600)
    ticks = 5
    orders = [sorted(requests), sorted(requests, reverse=True), *(dice.sample(requests, 600) for _ in range(2))]
    names = [f"shop-{number}" for number in range(len(orders))]
    slos = [world.write(objective(name).replace("service: shop", f"service: {name}")) for name in names]
    evaluator = world.evaluator()
    for tick in range(ticks):
        for name, order in zip(names, orders, strict=True):
            world.insert(
                spans_of(world, otlp, order[tick::ticks] if tick % 2 else order[tick::ticks][::-1]), service=name
            )
        evaluator.tick(datetime.now(UTC))
        assert evaluator.state.last_error == ""
        world.forget_arrivals()  # so that each tick has to make do with what came since the last one
    first, *others = [stored(world, slo) for slo in slos]
    assert sum(good + bad for _, good, bad in first) == events(requests, 0, MINUTES).total
    assert others == [first] * len(others)
    for minute in (1, 60, 61, MINUTES):
        one, *rest = [found.evaluation for found in standings(world.database, slos, world.at(minute))]
        assert rest == [one] * len(rest)
        assert one.counts == events(requests, 0, minute)


def test_a_late_half_of_a_minute_is_added_to_the_half_that_was_counted(world, otlp):
    """The order is by halves: each minute is touched by every tick."""
    dice = random.Random(4)
    requests = random_requests(dice, 400)
    slo = world.write(objective())
    evaluator = world.evaluator()
    seen = Counter()
    for half in (requests[::2], requests[1::2]):
        world.insert(spans_of(world, otlp, half))
        evaluator.tick(datetime.now(UTC))
        world.forget_arrivals()
        seen.update(half)
        assert world.standing(slo, MINUTES).counts == events(seen.elements(), 0, MINUTES)


def stored(world, slo):
    with world.database.client() as client:
        return client.query(STORED, parameters={"series": slo.indicator.series_id}).result_rows


def test_an_evaluation_says_the_same_live_and_replayed(world, otlp):
    dice = random.Random(5)
    slo = world.write(objective(target="0.9", window="7d"))
    evaluator = world.evaluator()
    requests = [request for request in random_requests(dice, 900) if request[0] >= 60 * MINUTE_NS]
    live = {}
    for minute in range(20, MINUTES + 120, 20):
        arrived = [request for request in requests if (minute - 20) * MINUTE_NS <= request[0] < minute * MINUTE_NS]
        world.insert(spans_of(world, otlp, arrived))
        world.tick(evaluator, minute)
        (live[minute],) = [found.evaluation for found in evaluator.state.standings if found.slo.id == slo.id]
    assert len({evaluation.state for evaluation in live.values()}) >= 3
    assert len({evaluation.sli for evaluation in live.values()}) > 8
    world.tick(world.evaluator("another"), MINUTES + 120)
    for minute, evaluation in live.items():
        assert world.standing(slo, minute) == evaluation, minute


def test_the_first_request_of_a_service_is_no_news_of_the_minute_before_it(world):
    """What comes after the end of a window must not tell a silent service from one that is gone."""
    slo = world.write(objective())
    evaluator = world.evaluator()
    world.tick(evaluator, 0)
    live = world.standing(slo, 0)
    assert live.state == "no_data"
    world.requests([0], good=10)
    world.tick(evaluator, 1)
    assert world.standing(slo, 0) == live
    assert world.standing(slo, 1).state == "ok"
