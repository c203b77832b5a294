import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from opentelemetry.metrics import Counter
from opentelemetry.trace import Span, SpanKind, Tracer

from demo.cache_client import CacheClient
from demo.cache_service import CACHE_SIZE
from demo.item_store import QUERY, Item, ItemStore, create_store
from demo.service import ServiceError, ServiceSettings, build_app
from demo.shop import CACHE_NAME, cache_key
from demo.state import StateWatcher
from demo.telemetry import Telemetry
from demo.upstream import NotFoundError, connect

WARM_S = 10.0
"""How long the cache is waited for before the catalog opens with a cold one."""
WARM_RETRY_S = 0.1
LATE_SHARE = 0.5
LATE_S = 0.4
"""While the mode `latency` is in force, this share of requests waits so long for the database."""
BYPASSED_S = (0.03, 0.25)
"""While the mode `cache` is in force, every request reads the database, which suffers from it."""
SLOW_SHARE = 0.1
SLOW_S = (0.21, 0.32)
"""Queries of the normal state that wait for a checkpoint of the database."""
LOCKED_SHARE = 0.0002
"""Queries of the normal state that fail."""
QUERY_ATTRIBUTES = {
    "db.system.name": "sqlite",
    "db.namespace": "catalog",
    "db.collection.name": "items",
    "db.operation.name": "SELECT",
    "db.query.text": QUERY,
}


class DatabaseError(ServiceError):
    """The catalog's database refuses a query."""


@dataclass(frozen=True, slots=True)
class Database:
    """The item store behind one worker thread, with a span for each query and the faults of the day."""

    store: ItemStore
    worker: ThreadPoolExecutor
    tracer: Tracer
    watcher: StateWatcher
    rng: random.Random

    async def read(self, item_id: int, *, late: bool) -> Item:
        """Return one item.

        Raises:
            DatabaseError: The query failed.
            NotFoundError: There is no such item.
        """
        with self.tracer.start_as_current_span("SELECT items", kind=SpanKind.CLIENT, attributes=QUERY_ATTRIBUTES):
            await asyncio.sleep(self._delay_s(late=late))
            try:
                item = await asyncio.get_running_loop().run_in_executor(self.worker, self._query, item_id)
            except sqlite3.Error as error:
                raise DatabaseError(f"catalog database: {error}") from error
        if item is None:
            raise NotFoundError(f"There is no item {item_id}")
        return item

    def _query(self, item_id: int) -> Item | None:
        if self.rng.random() < LOCKED_SHARE:
            raise sqlite3.OperationalError("database is locked")
        return self.store.read(item_id)

    def _delay_s(self, *, late: bool) -> float:
        delay_s = LATE_S if late else 0.0
        if self.watcher.active("cache", time.time()):
            delay_s += self.rng.uniform(*BYPASSED_S)
        elif self.rng.random() < SLOW_SHARE:
            delay_s += self.rng.uniform(*SLOW_S)
        return delay_s


@dataclass(frozen=True, slots=True)
class Catalog:
    """Items out of the cache, or else out of the database."""

    database: Database
    cache: CacheClient
    tracer: Tracer
    hits: Counter
    misses: Counter

    async def item(self, item_id: int) -> Item:
        """Return one item. While the database is late, half of the requests also wait for it after a hit."""
        late = self._is_active("latency") and self.database.rng.random() < LATE_SHARE
        attributes = {"cache.name": CACHE_NAME, "cache.key": cache_key(item_id)}
        with self.tracer.start_as_current_span("cache get", attributes=attributes) as span:
            cached = await self._lookup(item_id, span)
            item = cached or await self._load(item_id, late=late)
        if cached is not None and late:
            return await self.database.read(item_id, late=True)
        return item

    async def warm(self) -> None:
        """Fill the cache with the most popular items, as a shop does before it opens. It opens without, if need be."""
        popular = self.database.store.read_popular(CACHE_SIZE)
        deadline = time.monotonic() + WARM_S
        while time.monotonic() < deadline:
            try:
                await self.cache.warm(popular)
            except ServiceError:
                await asyncio.sleep(WARM_RETRY_S)
            else:
                return

    async def _lookup(self, item_id: int, span: Span) -> Item | None:
        cached = None if self._is_active("cache") else await self.cache.get(item_id)
        span.set_attribute("cache.hit", cached is not None)
        counter = self.misses if cached is None else self.hits
        counter.add(1, {"cache.name": CACHE_NAME})
        return cached

    async def _load(self, item_id: int, *, late: bool) -> Item:
        item = await self.database.read(item_id, late=late)
        if not self._is_active("cache"):
            await self.cache.put(item)
        return item

    def _is_active(self, mode: str) -> bool:
        return self.database.watcher.active(mode, time.time())


def catalog_app(settings: ServiceSettings, telemetry: Telemetry) -> FastAPI:
    """Return the service that knows the products."""
    create_store(settings.database)
    watcher = StateWatcher(settings.state)
    catalog = _open_catalog(settings, telemetry, watcher)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        await catalog.warm()
        yield
        await catalog.cache.upstream.client.aclose()
        catalog.database.worker.shutdown(cancel_futures=True)
        catalog.database.store.close()

    app = build_app(telemetry, watcher, opened())

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> JSONResponse:
        return JSONResponse(asdict(await catalog.item(item_id)))

    return app


def _open_catalog(settings: ServiceSettings, telemetry: Telemetry, watcher: StateWatcher) -> Catalog:
    database = Database(
        store=ItemStore(settings.database),
        worker=ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite"),
        tracer=telemetry.tracer,
        watcher=watcher,
        rng=random.Random(),
    )
    meter = telemetry.meter
    (cache_url,) = settings.upstream_urls
    return Catalog(
        database=database,
        cache=CacheClient(connect("item-cache", cache_url, telemetry), lambda: watcher.policy),
        tracer=telemetry.tracer,
        hits=meter.create_counter("cache.hits", "{hit}", "Reads that the cache answered"),
        misses=meter.create_counter("cache.misses", "{miss}", "Reads that the cache could not answer"),
    )
