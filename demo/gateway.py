from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from demo.service import ServiceSettings, build_app
from demo.shop import PRODUCTS
from demo.state import StateWatcher
from demo.telemetry import Telemetry
from demo.upstream import Upstream, connect

ORDERS_TIMEOUT_S = 2.0
HOME = "<!doctype html><title>The shop</title><h1>The shop</h1><p>Two thousand things nobody needs.</p>"


class Checkout(BaseModel):
    product_id: int = Field(ge=1, le=PRODUCTS)
    quantity: int = Field(default=1, ge=1, le=100)


def gateway_app(settings: ServiceSettings, telemetry: Telemetry) -> FastAPI:
    """Return the shop's front door: it answers by asking the orders service."""
    orders = connect("orders", settings.upstream_url, ORDERS_TIMEOUT_S, telemetry)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        yield
        await orders.client.aclose()

    app = build_app(telemetry, StateWatcher(settings.state), opened())
    _add_routes(app, orders)
    return app


def _add_routes(app: FastAPI, orders: Upstream) -> None:
    @app.get("/")
    async def home() -> HTMLResponse:
        return HTMLResponse(HOME)

    @app.get("/products/{product_id}")
    async def product(product_id: int) -> JSONResponse:
        quote: dict[str, Any] = await orders.request(
            "GET",
            f"/orders/quote/{product_id}",
            "/orders/quote/{product_id}",
        )
        return JSONResponse(quote)

    @app.post("/checkout")
    async def checkout(wanted: Checkout) -> JSONResponse:
        order: dict[str, Any] = await orders.request("POST", "/orders", "/orders", wanted.model_dump())
        return JSONResponse(order, status_code=201)
