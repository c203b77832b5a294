"""`ninelives up`: collector, evaluator and API in one process; dashboard, fault daemon and demo as its children."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

import uvicorn
import uvloop
from fastapi import FastAPI

from api.app import build_app as build_api
from collector.otlp_grpc import build_server as build_otlp_grpc
from collector.otlp_http import build_app as build_otlp_http
from dashboard import launch as dashboard_launch
from evaluator.scheduler import Scheduler
from ninelives import compose, data_folder
from ninelives.children import Child, stop_all
from ninelives.settings import Address, Settings
from ninelives.sockets import bind, require_free
from storage.errors import StorageError

log = logging.getLogger(__name__)

CHILDREN_S = 4.0
DRAIN_S = 3.0
TICK_STOP_S = 1.5
GRACE_S = 1


@dataclass(frozen=True, slots=True)
class Options:
    """What `up` starts beside itself. `faults` names the fault daemon's targets; the demo brings its own."""

    demo: bool = False
    dashboard: bool = True
    faults: Path | None = None


class _Sockets(NamedTuple):
    otlp_http: socket.socket
    api: socket.socket


def run(settings: Settings, options: Options) -> NoReturn:
    """Run until SIGTERM or Ctrl-C, then end the process: a thread inside the engine must not meet Python's own end.

    Raises:
        PortInUseError, DataFolderHeldError: before anything was started.
    """
    lock = data_folder.hold(settings.data)
    data_folder.use_own_temporary_files(settings.data)
    sockets = _bind(settings, options)
    children: list[Child] = []
    code = 1
    try:
        if options.dashboard:
            host, port = settings.dashboard
            children.append(Child("dashboard", dashboard_launch.command(host, port, settings.api_url)))
        uvloop.run(_serve(settings, options, sockets, children))
        code = 0
    except StorageError as error:
        print(f"the database cannot be used: {error}", file=sys.stderr)
        stop_all(children)
    except Exception:
        log.exception("ninelives stops")
        stop_all(children)
    finally:
        lock.close()
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)


def _bind(settings: Settings, options: Options) -> _Sockets:
    """Take every port first, so that a port in use is said before anything runs."""
    require_free(settings.otlp_grpc, "--otlp-grpc HOST:PORT")
    if options.dashboard:
        require_free(settings.dashboard, "--dashboard HOST:PORT")
    if options.demo or options.faults:
        require_free(settings.faults, "--faults HOST:PORT")
    if options.demo:
        for port in (*range(settings.demo_port, settings.demo_port + 3), settings.demo_port + 100):
            require_free(Address("127.0.0.1", port), "--demo-port PORT")
    return _Sockets(bind(settings.otlp_http, "--otlp-http HOST:PORT"), bind(settings.api, "--api HOST:PORT"))


async def _serve(settings: Settings, options: Options, sockets: _Sockets, children: list[Child]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = compose.open_database(settings)
    registry = compose.build_registry()
    intake = compose.build_intake(settings, database, registry)
    catalog = compose.build_catalog(settings, demo=options.demo)
    evaluator = compose.build_evaluator(settings, database, catalog)
    compose.watch_evaluator(registry, evaluator)
    context = compose.build_context(settings, database, catalog, registry, intake=intake, evaluator=evaluator)
    scheduler = Scheduler(evaluator.tick, lambda now: compose.housekeeping(settings, database, now))

    intake.start()
    grpc = build_otlp_grpc(intake, body_limit_bytes=int(settings.body_limit))
    grpc.add_insecure_port(str(settings.otlp_grpc))
    await grpc.start()
    receiver = build_otlp_http(intake, body_limit_bytes=int(settings.body_limit))
    servers = [_Server(receiver, sockets.otlp_http), _Server(build_api(context), sockets.api)]
    serving = [asyncio.create_task(server.serve(sockets=[server.socket])) for server in servers]
    await asyncio.gather(*(server.ready.wait() for server in servers))
    scheduler.start()
    _announce(settings, options)
    children.extend(await asyncio.to_thread(_extra_children, settings, options))
    await stop.wait()

    await asyncio.to_thread(stop_all, children[::-1], CHILDREN_S)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving, grpc.stop(GRACE_S))
    if not await asyncio.to_thread(intake.close, DRAIN_S):
        log.warning("some acknowledged data is still in the spool; the next start stores it")
    if await asyncio.to_thread(scheduler.stop, TICK_STOP_S):
        database.close()
    else:
        log.warning("a tick still waits for a receiver of alerts; its messages are sent again after the next start")


class _Server(uvicorn.Server):
    """A server on a socket of ours that leaves signals to `_serve`: uvicorn raises them again and ends the process."""

    def __init__(self, app: FastAPI, bound: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_level="warning", access_log=False, http="httptools", timeout_graceful_shutdown=GRACE_S
            )
        )
        self.socket = bound
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _extra_children(settings: Settings, options: Options) -> list[Child]:
    """Start the fault daemon, which brings the demo's proxy up, and the demo behind it."""
    children = []
    targets = settings.data / "demo" / "targets.yaml" if options.demo else options.faults
    if options.demo:
        compose.write_demo_targets(settings)
    if targets is not None:
        children.append(Child("fault daemon", compose.fault_daemon_command(settings, targets, watch_stdin=True)))
    if options.demo:
        children.append(Child("demo", compose.demo_command(settings)))
    return children


def _announce(settings: Settings, options: Options) -> None:
    names = compose.addresses(settings)
    if not options.dashboard:
        del names["dashboard"]
    labels = {"dashboard": "dashboard", "api": "API", "otlp_http": "OTLP/HTTP", "otlp_grpc": "OTLP/gRPC"}
    print("Ninelives is up")
    for name, url in names.items():
        print(f"  {labels[name]:<10} {url}")
    print("Point a service at it:")
    print(f"  export OTEL_EXPORTER_OTLP_ENDPOINT={names['otlp_http']} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
    if options.demo:
        print("Break the demo: ninelives demo break errors --for 120s")
    sys.stdout.flush()
