"""Two FastAPI services with the public instrumentations: `shop` asks `stock`, which asks Redis and SQLite.

Run as a program: one of the two under uvicorn, until SIGTERM. `OTEL_SEMCONV_STABILITY_OPT_IN` chooses the names.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from client_ledger import Ledger
from client_providers import Providers, Route
from fastapi import FastAPI, HTTPException
from opentelemetry import metrics, trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.resources import Resource

# what an order is for, by the last digit of its number
UNKNOWN, BROKEN = 1, 2


def shop_app(app: FastAPI, stock_url: str) -> None:
    client = httpx.Client(base_url=stock_url, trust_env=False)

    @app.get("/orders/{order_id}")
    def read_order(order_id: int) -> dict[str, str]:
        answer = client.get(f"/items/{order_id}", params={"detail": "full"})
        if answer.status_code == 404:
            raise HTTPException(404, "no such order")
        if order_id % 10 == BROKEN:
            raise RuntimeError("the till is empty")
        return answer.json()


def stock_app(app: FastAPI, redis_url: str) -> None:
    import redis
    from opentelemetry.instrumentation.redis import RedisInstrumentor
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
    from sqlalchemy import StaticPool, create_engine, text

    RedisInstrumentor().instrument()
    cache = redis.Redis.from_url(redis_url, decode_responses=True)
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT)"))
        connection.execute(text("INSERT INTO item SELECT value, 'item ' || value FROM json_each(:ids)"), IDS)
    # without skip_dep_check it declines SQLAlchemy 2.1, which it does instrument
    SQLAlchemyInstrumentor().instrument(engine=engine, skip_dep_check=True)

    @app.get("/items/{item_id}")
    def read_item(item_id: int) -> dict[str, str]:
        if found := cache.get(f"item:{item_id}"):
            return {"name": found}
        with engine.connect() as connection:
            name = connection.execute(text("SELECT name FROM item WHERE id = :id"), {"id": item_id}).scalar()
        if name is None:
            raise HTTPException(404, "no such item")
        cache.set(f"item:{item_id}", name)
        return {"name": name}


IDS = {"ids": str([number for number in range(1000) if number % 10 != UNKNOWN])}


def main() -> None:
    kind, service, port, upstream, way, target, ledger_path = sys.argv[1:]
    ledger = Ledger()
    resource = Resource.create({"service.name": service, "deployment.environment.name": "test"})
    providers = Providers(Route(way, target), resource)
    trace.set_tracer_provider(providers.traces)
    metrics.set_meter_provider(providers.metrics)
    HTTPXClientInstrumentor().instrument()

    @asynccontextmanager
    async def until_the_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        providers.finish()
        ledger.save(Path(ledger_path))

    app = FastAPI(lifespan=until_the_end)
    {"shop": shop_app, "stock": stock_app}[kind](app, upstream)
    FastAPIInstrumentor.instrument_app(app)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
