import asyncio
import itertools
import random
from collections import Counter

import httpx
import pytest

from demo.cache_service import CACHE_SIZE, CACHE_TTL_S
from demo.item_cache import ItemCache
from demo.item_store import Item, ItemStore, create_store
from demo.load import MAX_IN_FLIGHT, Arrivals, Load
from demo.shop import PAGE_SHARES, PRODUCTS, Visitors, cache_key, category


def item(item_id):
    return Item(item_id, f"item {item_id}", category(item_id), 100, None, 0)


def test_visits_arrive_at_the_asked_rate():
    gaps = list(itertools.islice(Arrivals(50.0, random.Random(1)).gaps_s(), 20_000))
    assert sum(gaps) / len(gaps) == pytest.approx(1 / 50, rel=0.03)


def test_pages_are_chosen_by_their_shares_and_only_the_home_page_has_no_product():
    visits = list(itertools.islice(Visitors(random.Random(1)), 20_000))
    pages = Counter(visit.page for visit in visits)
    assert {page: pages[page] / 20_000 for page in pages} == pytest.approx(PAGE_SHARES, abs=0.015)
    assert all((visit.product_id is None) == (visit.page == "home") for visit in visits)


def test_products_are_chosen_by_zipfs_law():
    visitors = Visitors(random.Random(1))
    chosen = Counter(visitors.product_id() for _ in range(50_000))
    assert min(chosen) == 1
    assert max(chosen) <= PRODUCTS
    assert chosen[1] / chosen[8] == pytest.approx(8**1.2, rel=0.15)


def test_the_cache_of_the_catalog_answers_about_nine_of_ten_such_visits():
    rng, now, hits = random.Random(1), 0.0, 0
    visitors, cache = Visitors(rng), ItemCache(CACHE_SIZE, CACHE_TTL_S)
    cache.warm((item(n) for n in range(1, PRODUCTS + 1)), now)
    for _ in range(40_000):
        now += rng.expovariate(42)
        wanted = visitors.product_id()
        if cache.get(wanted, now) is None:
            cache.put(item(wanted), now)
        else:
            hits += 1
    assert 0.88 < hits / 40_000 < 0.94


def test_an_expired_item_is_gone_at_its_end_and_the_least_recently_used_one_makes_room():
    cache = ItemCache(size=2, ttl_s=10)
    cache.put(item(1), now=0)
    cache.put(item(2), now=1)
    assert cache.get(1, now=9.9) == item(1)
    cache.put(item(3), now=9.9)
    assert cache.get(2, now=9.9) is None
    assert cache.get(1, now=10) is None
    assert len(cache) == 1


def test_a_warm_cache_does_not_expire_at_once():
    cache = ItemCache(size=10, ttl_s=100)
    cache.warm([item(n) for n in range(1, 31)], now=0)
    assert len(cache) == 10
    assert [cache.get(n, now=5) is None for n in range(1, 11)].count(True) == 0
    assert [cache.get(n, now=50) is None for n in range(1, 11)].count(True) == 5


def test_cache_keys_are_few():
    assert {cache_key(n) for n in range(1, PRODUCTS + 1)} == {f"item:{category(n)}" for n in range(8)}


def test_the_store_reads_what_was_written_and_keeps_an_existing_file(tmp_path):
    path = tmp_path / "demo" / "catalog.sqlite"
    create_store(path)
    written = path.stat().st_mtime_ns
    create_store(path)
    assert path.stat().st_mtime_ns == written
    store = ItemStore(path)
    try:
        popular = store.read_popular(10)
        assert [found.item_id for found in popular] == list(range(1, 11))
        assert store.read(7) == popular[6]
        assert store.read(PRODUCTS) is not None
        assert store.read(PRODUCTS + 1) is None
    finally:
        store.close()


async def run_load(answer, is_enough):
    """Return the load as soon as it *is_enough*, which has ten seconds' time."""
    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        load, rng = Load(client), random.Random(1)
        running = asyncio.create_task(load.run(Visitors(rng), Arrivals(2000.0, rng)))
        async with asyncio.timeout(10):
            while not is_enough(load):  # noqa: ASYNC110 -- a load tells nobody when it counts
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return load


def test_the_load_counts_what_became_of_its_visits():
    seen = []

    def answer(request):
        seen.append(request.url.path)
        if request.url.path == "/":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(500 if request.method == "POST" else 200)

    load = asyncio.run(run_load(answer, lambda load: min(load.answered, load.failed, 4 * load.unreachable) > 20))
    kinds = Counter("unreachable" if p == "/" else "failed" if p == "/checkout" else "answered" for p in seen)
    assert (kinds["answered"], kinds["failed"], kinds["unreachable"]) == (load.answered, load.failed, load.unreachable)


def test_a_shop_that_hangs_gets_no_more_than_so_many_requests_at_once():
    async def hang(_request):
        await asyncio.sleep(60)

    load = asyncio.run(run_load(hang, lambda load: load.dropped > 50))
    assert len(load._in_flight) <= MAX_IN_FLIGHT
