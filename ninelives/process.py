"""What `up` and the roles share: a process that is told to stop, and blocks that start a part and stop it in order."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NoReturn

import uvloop

from collector.intake import Intake
from collector.transport.http_server import HttpServer
from collector.transport.otlp_grpc import OtlpGrpcServer
from evaluator.scheduler import Scheduler
from storage.client import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

DRAIN_S = 3.0
TICK_STOP_S = 1.5
GRACE_S = 1
GARBAGE_OBJECTS = 20_000


def run_until_stopped(serve: Callable[[asyncio.Event], Any], release: Callable[[], None]) -> NoReturn:
    """Run *serve*, which returns soon after SIGTERM or Ctrl-C set its event; then *release*, and end the process.

    It ends at once, with 0, or 1 after a failure: a thread inside the engine must not meet Python's own end.
    """
    code = 1
    try:
        uvloop.run(_with_signals(serve))
        code = 0
    except StorageError as error:
        print(f"the database cannot be used: {error}", file=sys.stderr)
    except Exception:
        log.exception("ninelives stops")
    finally:
        release()
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)


@contextlib.asynccontextmanager
async def listening(servers: Sequence[HttpServer], grpc: OtlpGrpcServer | None = None) -> AsyncIterator[None]:
    """Serve while the block runs; at its end answer what is in progress, for about GRACE_S."""
    if grpc is not None:
        await grpc.start()
    serving = [asyncio.create_task(server.serve(sockets=[server.socket])) for server in servers]
    await asyncio.gather(*(server.ready.wait() for server in servers))
    _spare_what_stays()
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = True
        stopping: list[Awaitable[Any]] = [*serving, *([grpc.stop(GRACE_S)] if grpc else [])]
        await asyncio.gather(*stopping)


def _spare_what_stays() -> None:
    """Keep the garbage collector from what the start has made, and from running in the middle of each request.

    A request makes an object for each of its spans, which all go with it: at the default threshold of 700 they had the
    collector walk through modules and routes over and over, for a quarter of the receiver's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 20)


@contextlib.asynccontextmanager
async def writing(intake: Intake) -> AsyncIterator[None]:
    """Write what *intake* accepts into the database; at the end seal, and write out for at most DRAIN_S."""
    intake.start()
    try:
        yield
    finally:
        if not await asyncio.to_thread(intake.close, DRAIN_S):
            log.warning("some acknowledged data is still in the spool; the next start stores it")


@contextlib.asynccontextmanager
async def ticking(scheduler: Scheduler, database: Database) -> AsyncIterator[None]:
    """Evaluate while the block runs; at its end wait for the running tick, for at most TICK_STOP_S, and close."""
    scheduler.start()
    try:
        yield
    finally:
        if await asyncio.to_thread(scheduler.stop, TICK_STOP_S):
            database.close()
        else:
            log.warning("a tick or a message has not ended; the message is sent again after the next start")


async def _with_signals(serve: Callable[[asyncio.Event], Any]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(stop)
