"""What the services have in common: errors as answers, health, the server, a prompt and clean end."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from opentelemetry import trace

from demo.lifeline import follow_parent
from demo.ports import bind
from demo.state import StateWatcher
from demo.telemetry import Telemetry, record_failure

FLUSH_S = 1.5
DRAIN_S = {"gateway": 0.0, "orders": 0.4, "catalog": 0.8, "item-cache": 1.2}
"""When the parent is gone the callers stop first, so that an ordinary end leaves no failed requests behind."""

CONNECTION_LIMITS = {"catalog": 128}
"""Connections that a service serves; requests on further ones are answered with 503 (its pool can be starved)."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """How one instance of a service runs. `upstream_urls` lead to the next service; `database` is the catalog's."""

    name: str
    instance: int
    port: int
    endpoint: str
    environment: str
    state: Path
    upstream_urls: tuple[str, ...]
    database: Path


class ServiceError(Exception):
    """A request that fails: `status` is the answer's code, the message says why."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


async def answer_error(_request: Request, error: Exception) -> JSONResponse:
    """Turn a ServiceError into an answer; a failure of the server is recorded on its span."""
    status = error.status if isinstance(error, ServiceError) else HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        record_failure(trace.get_current_span(), error)
    return JSONResponse({"error": str(error)}, status_code=status)


def build_app(telemetry: Telemetry, watcher: StateWatcher, opened: AbstractAsyncContextManager[None]) -> FastAPI:
    """Return an instrumented app that follows the state file and holds `opened` open while it runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(watcher.follow())
        async with opened:
            yield
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following

    app = FastAPI(title=f"shop {telemetry.service}", lifespan=lifespan, openapi_url=None)
    app.add_exception_handler(ServiceError, answer_error)
    app.add_api_route("/healthz", _healthy, methods=["GET"])
    telemetry.instrument(app)
    return app


async def _healthy() -> JSONResponse:
    return JSONResponse({"status": "ok"})


class ShopServer(uvicorn.Server):
    """uvicorn without its habit of raising the signal again after `serve`, which would skip the last flush."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on the first signal, and leave what comes after `serve` to the caller."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        yield

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.should_exit = True

    def stop_after(self, delay_s: float) -> None:
        """Stop in `delay_s` seconds. May be called from any thread."""
        timer = threading.Timer(delay_s, self._stop, (0, None))
        timer.daemon = True
        timer.start()


def serve(settings: ServiceSettings, telemetry: Telemetry, app: FastAPI) -> None:
    """Serve until SIGTERM, SIGINT or the end of the parent; then flush the telemetry and end the process."""
    listening = bind(settings.port)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # each attempt that is repeated would be a warning
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=30,
        limit_concurrency=CONNECTION_LIMITS.get(settings.name),
        timeout_graceful_shutdown=2,
    )
    server = ShopServer(config)
    follow_parent(lambda: server.stop_after(DRAIN_S[settings.name]))
    server.run(sockets=[listening])
    telemetry.shut_down(FLUSH_S)
    os._exit(0)  # exporter threads that still wait for an unreachable collector end here
