"""The fault daemon: proxies, faults and leases in a process of their own, so that it outlives a killed runner."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from chaos.address import Address
from chaos.daemon.board import FaultBoard
from chaos.daemon.browser_guard import BrowserGuard, TokenGuard
from chaos.daemon.emergency_stop import EmergencyStop
from chaos.daemon.fault_api import FaultApi
from chaos.daemon.token import ensure_token, token_path
from chaos.daemon.toxiproxy_api import ToxiproxyApi
from chaos.daemon.undo import UndoRecords
from chaos.daemon.world import World, read_world
from chaos.errors import ChaosError, FaultRefusedError

DEFAULT_LEASE_S = 300.0

log = logging.getLogger(__name__)


def build_app(
    world: World,
    board: FaultBoard,
    *,
    default_lease_s: float = DEFAULT_LEASE_S,
    loopback_only: bool = True,
    token: str = "",
) -> FastAPI:
    """Return the daemon's HTTP API: Toxiproxy's endpoints and our own, errors as `{"error", "status"}`.

    Args:
        world: the proxies and processes to break.
        board: where faults start and end.
        default_lease_s: lease of faults from Toxiproxy clients, which know no leases: a fault cannot outlive its
            runner, so theirs end too unless they are updated. At most 600.
        loopback_only: refuse new proxies that would listen beyond this machine, and requests to another Host.
        token: what every request must bring as its bearer token; empty asks for none.
    """
    app = FastAPI(title="Ninelives fault daemon", docs_url=None, redoc_url=None)
    lease_ms = min(round(default_lease_s * 1000), world.limits.max_lease_ms)
    app.include_router(FaultApi(world, board).router())
    app.include_router(ToxiproxyApi(world, board, default_lease_ms=lease_ms, loopback_only=loopback_only).router())
    if token:
        app.add_middleware(TokenGuard, token=token)
    app.add_middleware(BrowserGuard, loopback_only=loopback_only)
    app.add_exception_handler(FaultRefusedError, _on_refusal)
    app.add_exception_handler(HTTPException, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_bad_body)
    app.add_exception_handler(OSError, _on_system_error)
    return app


async def serve(
    host: str,
    port: int,
    targets_path: Path,
    data_dir: Path,
    *,
    sock: socket.socket | None = None,
    watch_stdin: bool = False,
    default_lease_s: float = DEFAULT_LEASE_S,
) -> None:
    """Run the fault daemon until SIGTERM or SIGINT, then revert every fault.

    Args:
        host: where the API listens.
        port: where the API listens.
        targets_path: YAML file of the proxies and processes.
        data_dir: undo records go to `chaos/undo` below it, the emergency stop to `chaos/emergency-stop.json`. A daemon
            that listens beyond loopback asks for the token in `chaos/daemon.token`, which it makes.
        sock: a listening or bound socket to use in place of *host* and *port*.
        watch_stdin: also stop when standard input ends, which is how a child notices that its parent has died.
        default_lease_s: see `build_app`.

    Raises:
        TargetsError: the targets file is unusable, a proxy's port is taken, or another daemon uses *data_dir*.
        ChaosError: the token cannot be kept.
        OSError: the API's port is taken.
    """
    world = read_world(targets_path)
    own = data_dir / "chaos"
    records = UndoRecords(own / "undo")
    board = FaultBoard(world, records, EmergencyStop(own / "emergency-stop.json"))
    listener = sock or _listen(host, port)
    local = Address(host, port).is_loopback and Address(*listener.getsockname()[:2]).is_loopback
    token = "" if local else _token(data_dir)
    app = build_app(world, board, default_lease_s=default_lease_s, loopback_only=local, token=token)
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    )
    try:
        with records.claim():
            try:
                await world.open()
                leftovers = board.recover()
                if leftovers:
                    log.warning("reverting %d fault(s) that an earlier fault daemon left behind", leftovers)
                await _run_until_stopped(server, listener, watch_stdin=watch_stdin)
            finally:
                await board.close()
    finally:
        await world.close()
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `serve`: uvicorn raises them again at the end, before faults are reverted."""
        yield


async def _run_until_stopped(server: uvicorn.Server, listener: socket.socket, *, watch_stdin: bool) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if watch_stdin:
        threading.Thread(target=_call_at_end_of_stdin, args=(loop, stop), daemon=True).start()
    await server.serve(sockets=[listener])


def _call_at_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(stop)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setblocking(False)
    return listener


def _token(data_dir: Path) -> str:
    path = token_path(data_dir)
    try:
        token = ensure_token(data_dir)
    except OSError as error:
        raise ChaosError(f"cannot keep a token in {path} ({error}); beyond loopback there must be one") from error
    log.warning("listening beyond loopback: requests need the token in %s", path)
    return token


def _error(message: str, status: int) -> Response:
    return JSONResponse({"error": message, "status": status}, status)


async def _on_refusal(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return _error(str(error.detail), error.status_code)
    return _error(str(error), error.status if isinstance(error, FaultRefusedError) else 500)


async def _on_bad_body(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    lines = [f"{'.'.join(str(part) for part in each['loc'][1:]) or 'body'}: {each['msg']}" for each in found]
    return _error(f"bad request body: {'; '.join(lines)}", 400)


async def _on_system_error(_: Request, error: Exception) -> Response:
    return _error(str(error), 500)
