"""What the shop's callers do about services that are late, down or overloaded."""

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from demo.cache_client import CacheClient
from demo.circuit_breaker import CircuitBreaker
from demo.instances import BULKHEAD, BulkheadFullError, Call, Instance, Instances
from demo.item_store import Item
from demo.policy import FRAGILE, RESILIENT
from demo.retry_budget import RetryBudget
from demo.upstream import NotFoundError, UpstreamDownError, UpstreamFailedError, UpstreamTimeoutError

QUOTE = Call("GET", "/orders/quote/1", "/orders/quote/{product_id}")
ITEM = Item(1, "books no. 1", "books", 199, None, 0)
ITEM_BODY = {"item_id": 1, "name": "books no. 1", "category": "books", "price_cents": 199, "stars": None, "reviews": 0}


@dataclass
class FakeUpstream:
    """Answers with `answer`, or raises it if it is an error, and notes how it was asked."""

    name: str
    answer: object
    asked: list = field(default_factory=list)

    async def request(self, method, path, template, body=None, **options):
        self.asked.append((method, path, options))
        if isinstance(self.answer, asyncio.Event):
            await self.answer.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def two(first, second, policy=RESILIENT, **budget):
    upstreams = [FakeUpstream("orders-1", first), FakeUpstream("orders-2", second)]
    shop = Instances([Instance(upstream) for upstream in upstreams], lambda: policy, RetryBudget(**budget))
    return shop, upstreams


async def traced(call):
    """Return the answer or the error of *call*, and the span in which it was made."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("GET /products/{product_id}"):
        (outcome,) = await asyncio.gather(call, return_exceptions=True)
    (span,) = exporter.get_finished_spans()
    return outcome, span


def test_healthy_instances_are_asked_in_turn_and_leave_no_trace_of_patterns():
    shop, upstreams = two("one", "two")

    async def visits():
        return [await traced(shop.request(QUOTE)) for _ in range(4)]

    found = asyncio.run(visits())
    assert [answer for answer, _ in found] == ["one", "two", "one", "two"]
    assert all(not span.attributes and not span.events for _, span in found)
    assert [len(upstream.asked) for upstream in upstreams] == [2, 2]


@pytest.mark.parametrize(
    "error", [UpstreamDownError("down"), UpstreamTimeoutError("late"), UpstreamFailedError("failed", 503)]
)
def test_what_one_instance_fails_the_other_answers_and_the_span_tells(error):
    shop, _ = two(error, "two")
    answer, span = asyncio.run(traced(shop.request(QUOTE)))
    assert answer == "two"
    assert span.attributes == {"retry.count": 1}
    (event,) = span.events
    assert event.name == "retry"
    assert event.attributes["server.instance"] == "orders-1"
    assert event.attributes["error.type"] == type(error).__name__


@pytest.mark.parametrize("error", [NotFoundError("no such product"), UpstreamFailedError("a bug", 500)])
def test_an_error_that_another_instance_would_repeat_is_not_retried(error):
    shop, upstreams = two(error, "two")
    answer, _ = asyncio.run(traced(shop.request(QUOTE)))
    assert answer is error
    assert upstreams[1].asked == []


def test_an_attempt_that_may_be_repeated_is_impatient_and_the_last_one_is_not():
    shop, upstreams = two(UpstreamTimeoutError("late"), "two")
    asyncio.run(shop.request(QUOTE))
    waited = [upstream.asked[0][2]["timeout_s"] for upstream in upstreams]
    assert waited == [RESILIENT.orders_attempt_s, RESILIENT.orders_timeout_s]


def test_a_slow_answer_is_waited_for_while_the_other_instance_is_known_to_be_dead():
    shop, upstreams = two(UpstreamDownError("down"), "two")

    async def visits():
        for _ in range(20):
            await traced(shop.request(QUOTE))

    asyncio.run(visits())
    assert upstreams[1].asked[-1][2]["timeout_s"] == RESILIENT.orders_timeout_s


def test_a_retry_without_budget_is_not_made():
    shop, upstreams = two(UpstreamDownError("down"), "two", ratio=0.0, per_s=0.0, capacity=1.0)

    async def visits():
        return [(await traced(shop.request(QUOTE)))[0] for _ in range(3)]

    answers = asyncio.run(visits())
    assert answers[:2] == ["two", "two"]
    assert isinstance(answers[2], UpstreamDownError)
    assert len(upstreams[1].asked) == 2


def test_attempts_that_need_no_retry_cost_no_budget():
    shop, upstreams = two("one", "two", ratio=0.0, per_s=0.0, capacity=1.0)

    async def visits():
        healthy = [await shop.request(QUOTE) for _ in range(20)]
        upstreams[0].answer = UpstreamDownError("down")
        return healthy, await shop.request(QUOTE)

    assert asyncio.run(visits()) == (["one", "two"] * 10, "two")


def test_the_breaker_spares_an_instance_that_keeps_failing():
    shop, upstreams = two(UpstreamDownError("down"), "two")

    async def visits():
        return [(await traced(shop.request(QUOTE))) for _ in range(100)]

    found = asyncio.run(visits())
    assert {answer for answer, _ in found} == {"two"}
    assert len(upstreams[0].asked) == CircuitBreaker().failures
    events = Counter(event.name for _, span in found for event in span.events)
    assert events["circuit_breaker.opened"] == 1
    assert found[-1][1].attributes.get("circuit_breaker.state", "open") == "open"


def test_where_every_breaker_is_open_the_instances_are_still_asked():
    shop, upstreams = two(UpstreamDownError("down"), UpstreamDownError("down"))

    async def visits():
        for _ in range(50):
            await traced(shop.request(QUOTE))
        for upstream in upstreams:
            upstream.answer = "back"
        return await shop.request(QUOTE)

    assert asyncio.run(visits()) == "back"


def test_where_every_breaker_is_open_the_slow_instance_is_preferred_to_the_dead_one(monkeypatch):
    monkeypatch.setattr("demo.instances.SLOW_CALL_S", -1.0)
    shop, upstreams = two(UpstreamDownError("down"), "slow")

    async def visits():
        return [await shop.request(QUOTE) for _ in range(40)]

    assert set(asyncio.run(visits())) == {"slow"}
    assert len(upstreams[0].asked) <= CircuitBreaker().window


def test_where_every_breaker_is_open_the_instance_with_fewer_calls_waiting_is_preferred():
    shop, upstreams = two("busy", "idle")
    for instance in shop.instances:
        while instance.breaker.state(time.monotonic()) == "closed":
            instance.breaker.record(ok=False, now=time.monotonic())
    shop.instances[0].waiting = 5
    assert asyncio.run(shop.request(QUOTE)) == "idle"
    assert upstreams[0].asked == []


def test_a_hanging_instance_holds_no_more_than_its_bulkhead():
    async def visits():
        hang = asyncio.Event()
        shop, _ = two(hang, hang)
        waiting = [asyncio.create_task(shop.request(QUOTE)) for _ in range(2 * BULKHEAD)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        refused = (await traced(shop.request(QUOTE)))[0]
        hang.set()
        await asyncio.gather(*waiting)
        return refused

    assert isinstance(asyncio.run(visits()), BulkheadFullError)


def test_the_fragile_shop_asks_one_instance_once_over_a_new_connection():
    shop, upstreams = two(UpstreamDownError("down"), "two", FRAGILE)
    answer, span = asyncio.run(traced(shop.request(QUOTE)))
    assert isinstance(answer, UpstreamDownError)
    assert (len(upstreams[0].asked), len(upstreams[1].asked)) == (1, 0)
    assert upstreams[0].asked[0][2]["keep_alive"] is False
    assert not span.attributes


@given(st.lists(st.booleans(), max_size=300), st.floats(0, 1), st.integers(1, 20))
def test_retries_never_exceed_their_share_of_the_requests(wanted, ratio, capacity):
    budget, made = RetryBudget(ratio=ratio, per_s=0.0, capacity=float(capacity)), 0
    for wants in wanted:
        budget.earn()
        made += wants and budget.spend(0.0)
    assert made <= capacity + ratio * len(wanted) + 1e-6


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2)), max_size=200))
def test_an_open_breaker_lets_at_most_one_call_try_in_its_time(calls):
    breaker, now, tries = CircuitBreaker(window=4, failures=2, open_s=3.0), 0.0, []
    for ok, gap_s in calls:
        now += gap_s
        state = breaker.state(now)
        if not breaker.allows(now):
            assert state == "open"
            continue
        if state == "half_open":
            tries.append(now)
        breaker.record(ok=ok, now=now)
    assert all(later - earlier >= 3.0 for earlier, later in itertools.pairwise(tries))


def cache(answer, policy):
    return CacheClient(FakeUpstream("item-cache", answer), lambda: policy)


@pytest.mark.parametrize("policy", [FRAGILE, RESILIENT])
def test_a_cache_that_answers_says_hit_or_miss(policy):
    (hit, span) = asyncio.run(traced(cache(ITEM_BODY, policy).get(1)))
    assert hit == ITEM
    assert not span.attributes
    assert asyncio.run(cache(None, policy).get(1)) is None


def test_the_fragile_catalog_fails_with_its_cache():
    late = UpstreamTimeoutError("late")
    assert asyncio.run(traced(cache(late, FRAGILE).get(1)))[0] is late
    assert asyncio.run(traced(cache(late, FRAGILE).put(ITEM)))[0] is late


def test_the_resilient_catalog_does_without_a_late_cache_and_then_leaves_it_alone():
    late = cache(UpstreamTimeoutError("late"), RESILIENT)

    async def lookups():
        return [await traced(late.get(1)) for _ in range(20)]

    found = asyncio.run(lookups())
    assert {answer for answer, _ in found} == {None}
    assert all(span.attributes["fallback.used"] for _, span in found)
    states = [span.attributes["circuit_breaker.state"] for _, span in found]
    assert states == ["closed"] * 5 + ["open"] * 15
    assert len(late.upstream.asked) == 5
    assert {options["timeout_s"] for _, _, options in late.upstream.asked} == {RESILIENT.cache_timeout_s}
