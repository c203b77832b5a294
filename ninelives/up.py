"""`ninelives up`: collector, evaluator and API in one process; dashboard, fault daemon and demo as its children."""

import asyncio
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from api.app import build_app as build_api
from collector.transport.http_server import HttpServer
from ninelives import compose, data_folder
from ninelives.access import Access, first_lines, open_access
from ninelives.alerting import build_alerting
from ninelives.children import Child, stop_all
from ninelives.launcher import launching
from ninelives.process import listening, run_until_stopped, ticking, writing
from ninelives.reporting import build_reporter, reporting
from ninelives.schema import open_database
from ninelives.settings import Address, Settings
from ninelives.sockets import bind, require_free
from ninelives.toolkit_runs import TracedRuns

CHILDREN_S = 4.0


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
        PortInUseError, DataFolderError, TokensError: before anything was started.
    """
    lock = data_folder.hold(settings.data)
    data_folder.use_own_temporary_files(settings.data)
    sockets = _bind(settings, options)
    access = open_access(settings)
    for line in first_lines(access, compose.addresses(settings)["otlp_http"], settings.tokens_path):
        print(line, flush=True)  # before anything can fail: nobody can show them again
    children: list[Child] = []

    def release() -> None:
        stop_all(children)
        lock.close()

    run_until_stopped(lambda stop: _serve(settings, options, access, sockets, children, stop=stop), release)


def _bind(settings: Settings, options: Options) -> _Sockets:
    """Take every port first, so that a port in use is said before anything runs."""
    require_free(settings.otlp_grpc, "--otlp-grpc HOST:PORT")
    if options.dashboard:
        require_free(settings.dashboard, "--dashboard HOST:PORT")
    if options.demo or options.faults:
        require_free(settings.faults, "--faults HOST:PORT")
    if options.demo:
        for port in compose.demo_ports(settings):
            require_free(Address("127.0.0.1", port), "--demo-port PORT")
    return _Sockets(bind(settings.otlp_http, "--otlp-http HOST:PORT"), bind(settings.api, "--api HOST:PORT"))


async def _serve(
    settings: Settings,
    options: Options,
    access: Access,
    sockets: _Sockets,
    children: list[Child],
    *,
    stop: asyncio.Event,
) -> None:
    if options.dashboard:
        children.append(Child("dashboard", compose.dashboard_command(settings, access)))
    database = open_database(settings)
    registry = compose.build_registry()
    intake = compose.build_intake(settings, database, registry, access.tokens)
    reporter = build_reporter(settings, intake, database, registry)
    receiver, grpc = compose.build_receivers(settings, intake, sockets.otlp_http)
    catalog = compose.build_catalog(settings, demo=options.demo)
    alerting = build_alerting(settings, database)
    evaluator = compose.build_evaluator(settings, database, catalog, alerting)
    compose.watch_evaluator(registry, evaluator, database)
    launcher = compose.build_launcher(settings, access, demo=options.demo)
    context = compose.build_context(
        settings, database, catalog, registry,
        intake=intake, evaluator=evaluator, alerting=alerting, tokens=access.tokens, reporter=reporter,
        launcher=launcher,
    )  # fmt: skip
    api = HttpServer(build_api(context), sockets.api)
    scheduler = compose.build_scheduler(settings, database, evaluator, alerting, registry)
    async with (
        ticking(scheduler, database),
        reporting(reporter),
        writing(intake),
        listening([receiver, api], grpc),
        launching(launcher, TracedRuns(database)),
    ):
        _announce(settings, options, access)
        children.extend(await asyncio.to_thread(_extra_children, settings, options, access))
        await stop.wait()
        await asyncio.to_thread(stop_all, children[::-1], CHILDREN_S)


def _extra_children(settings: Settings, options: Options, access: Access) -> list[Child]:
    """Start the fault daemon, which brings the demo's proxies up, and the demo behind it."""
    children = []
    targets = settings.data / "demo" / "targets.yaml" if options.demo else options.faults
    if options.demo:
        compose.write_demo_targets(settings)
    if targets is not None:
        children.append(Child("fault daemon", compose.fault_daemon_command(settings, targets, watch_stdin=True)))
    if options.demo:
        environment = compose.demo_environment(access)
        children.append(Child("demo", compose.demo_command(settings), environment=environment))
    return children


def _announce(settings: Settings, options: Options, access: Access) -> None:
    names = compose.addresses(settings)
    if not options.dashboard:
        del names["dashboard"]
    labels = {"dashboard": "dashboard", "api": "API", "otlp_http": "OTLP/HTTP", "otlp_grpc": "OTLP/gRPC"}
    print("Ninelives is up")
    for name, url in names.items():
        print(f"  {labels[name]:<10} {url}")
    if access.tokens is None:
        print("Point a service at it:")
        print(f"  export OTEL_EXPORTER_OTLP_ENDPOINT={names['otlp_http']} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
    if options.dashboard and not settings.dashboard.on_loopback:
        print(f"Everybody who reaches {settings.dashboard} can read the dashboard: it asks for no token")
    if options.demo:
        print("Break the demo: ninelives demo break errors --for 120s")
    sys.stdout.flush()
