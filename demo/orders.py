import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse
from opentelemetry.trace import Tracer
from pydantic import BaseModel, Field

from demo.service import ServiceError, ServiceSettings, build_app
from demo.shop import PRODUCTS
from demo.state import StateWatcher
from demo.telemetry import Telemetry
from demo.upstream import Upstream, connect

BROKEN_SHARE = 0.3
"""Requests that fail while the mode `errors` is in force."""
FAILING_SHARE = 0.000_03
"""Requests that fail in the normal state."""
SLOW_SHARE = 0.005
"""Reservations that wait for a busy warehouse in the normal state."""
RESERVE_S = (0.002, 0.006)
SLOW_RESERVE_S = (0.22, 0.32)
SEAL_ROUNDS = 12_000
"""What a price costs to compute: about 2.5 ms of CPU, as rebates, taxes and a signature do in a real shop."""


class PoolExhaustedError(ServiceError):
    """No connection to the order ledger is free."""


class Order(BaseModel):
    product_id: int = Field(ge=1, le=PRODUCTS)
    quantity: int = Field(default=1, ge=1, le=100)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where orders are written: the part of the service that the mode `errors` breaks."""

    tracer: Tracer
    watcher: StateWatcher
    rng: random.Random

    def check(self) -> None:
        """Raise PoolExhaustedError for the share of requests that fails just now."""
        broken = self.watcher.active("errors", time.time())
        if self.rng.random() < (BROKEN_SHARE if broken else FAILING_SHARE):
            raise PoolExhaustedError("order ledger: connection pool exhausted, 32 of 32 in use")

    async def reserve(self, order: Order) -> None:
        """Reserve the stock that `order` needs."""
        with self.tracer.start_as_current_span("reserve stock", attributes={"order.quantity": order.quantity}):
            self.check()
            slow = self.rng.random() < SLOW_SHARE
            await asyncio.sleep(self.rng.uniform(*(SLOW_RESERVE_S if slow else RESERVE_S)))


def seal(item_id: int, price_cents: int) -> str:
    """Return what proves that orders quoted this price."""
    price = f"{item_id}:{price_cents}".encode()
    return hashlib.pbkdf2_hmac("sha256", price, b"the shop", SEAL_ROUNDS).hex()


def _new_id() -> str:
    return str(uuid.uuid4())


def orders_app(settings: ServiceSettings, telemetry: Telemetry) -> FastAPI:
    """Return the service that prices products and takes orders, with the catalog's help."""
    (url,) = settings.upstream_urls
    catalog = connect("catalog", url, telemetry)
    watcher = StateWatcher(settings.state)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        yield
        await catalog.client.aclose()

    app = build_app(telemetry, watcher, opened())
    _add_routes(app, catalog, Ledger(telemetry.tracer, watcher, random.Random()))
    return app


def _add_routes(app: FastAPI, catalog: Upstream, ledger: Ledger) -> None:
    async def item(product_id: int) -> dict[str, Any]:
        timeout_s = ledger.watcher.policy.catalog_timeout_s
        found: dict[str, Any] = await catalog.request(
            "GET", f"/items/{product_id}", "/items/{product_id}", timeout_s=timeout_s
        )
        return found

    @app.get("/orders/quote/{product_id}")
    async def quote(product_id: int) -> JSONResponse:
        ledger.check()
        found = await item(product_id)
        return JSONResponse({**found, "seal": seal(product_id, found["price_cents"])})

    @app.post("/orders")
    async def place(order: Order, idempotency_key: Annotated[str, Header(default_factory=_new_id)]) -> JSONResponse:
        found = await item(order.product_id)
        await ledger.reserve(order)
        sealed = seal(order.product_id, found["price_cents"])
        total = found["price_cents"] * order.quantity
        answer = {"order_id": idempotency_key, "total_cents": total, "seal": sealed}
        return JSONResponse(answer, status_code=201)
