from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from demo.instances import Call, Instance, Instances
from demo.service import ServiceSettings, build_app
from demo.shop import PRODUCTS
from demo.state import StateWatcher
from demo.telemetry import Telemetry
from demo.upstream import connect

HOME = "<!doctype html><title>The shop</title><h1>The shop</h1><p>Two thousand things nobody needs.</p>"


class Checkout(BaseModel):
    product_id: int = Field(ge=1, le=PRODUCTS)
    quantity: int = Field(default=1, ge=1, le=100)


def gateway_app(settings: ServiceSettings, telemetry: Telemetry) -> FastAPI:
    """Return the shop's front door: it answers by asking the orders service."""
    watcher = StateWatcher(settings.state)
    reached = [connect(f"orders-{n}", url, telemetry) for n, url in enumerate(settings.upstream_urls, start=1)]
    orders = Instances([Instance(upstream) for upstream in reached], lambda: watcher.policy)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        yield
        await orders.close()

    app = build_app(telemetry, watcher, opened())
    _add_routes(app, orders)
    return app


def _add_routes(app: FastAPI, orders: Instances) -> None:
    @app.get("/")
    async def home() -> HTMLResponse:
        return HTMLResponse(HOME)

    @app.get("/products/{product_id}")
    async def product(product_id: int) -> JSONResponse:
        call = Call("GET", f"/orders/quote/{product_id}", "/orders/quote/{product_id}")
        quote: dict[str, Any] = await orders.request(call)
        return JSONResponse(quote)

    @app.post("/checkout")
    async def checkout(wanted: Checkout) -> JSONResponse:
        # The key becomes the order's id, so an order that is sent again is the same order.
        call = Call("POST", "/orders", "/orders", wanted.model_dump(), {"idempotency-key": str(uuid4())})
        order: dict[str, Any] = await orders.request(call)
        return JSONResponse(order, status_code=201)
