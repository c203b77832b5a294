import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from demo.item_cache import ItemCache
from demo.item_store import Item
from demo.service import ServiceSettings, build_app
from demo.state import StateWatcher
from demo.telemetry import Telemetry

CACHE_SIZE = 800
CACHE_TTL_S = 300.0


def cache_app(settings: ServiceSettings, telemetry: Telemetry) -> FastAPI:
    """Return the service that keeps the items that were asked for last."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        yield

    app = build_app(telemetry, StateWatcher(settings.state), opened())
    _add_routes(app, ItemCache(CACHE_SIZE, CACHE_TTL_S))
    return app


def _add_routes(app: FastAPI, cache: ItemCache) -> None:
    @app.get("/items/{item_id}")
    async def read(item_id: int) -> Response:
        item = cache.get(item_id, time.monotonic())
        # A miss is no error of anybody: a 404 would mark the caller's span as failed.
        return Response(status_code=204) if item is None else JSONResponse(asdict(item))

    @app.put("/items/{item_id}")
    async def keep(item_id: int, item: Item) -> Response:
        if item.item_id != item_id:
            return JSONResponse({"error": f"item {item.item_id} does not belong at {item_id}"}, status_code=400)
        cache.put(item, time.monotonic())
        return Response(status_code=204)

    @app.put("/items")
    async def warm(items: list[Item]) -> Response:
        cache.warm(items, time.monotonic())
        return Response(status_code=204)

    @app.post("/flush")
    async def flush() -> JSONResponse:
        return JSONResponse({"flushed": cache.clear()})
