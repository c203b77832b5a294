"""The roles apart, each a process of its own before a ClickHouse server: collector, evaluator and API.

None of them waits for the database: a collector spools meanwhile, an evaluator ticks again, the API answers 503.
"""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import NoReturn

from api.app import build_app as build_api
from collector.intake import Intake
from collector.transport.http_server import HttpServer
from ninelives import compose, data_folder
from ninelives.access import Access, first_lines, open_access
from ninelives.alerting import build_alerting
from ninelives.launcher import launching
from ninelives.probes import build_probes
from ninelives.process import listening, run_until_stopped, ticking, writing
from ninelives.reporting import build_reporter, reporting
from ninelives.schema import connect_database
from ninelives.settings import Settings
from ninelives.sockets import bind, require_free
from ninelives.toolkit_runs import TracedRuns
from storage.client import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

ASK_AGAIN_S = 2.0


class EmbeddedDatabaseError(Exception):
    """A role apart was given the embedded engine, which one process alone can use."""


def run_collector(settings: Settings) -> NoReturn:
    """Receive OTLP, spool it, and write it into the database.

    Raises:
        EmbeddedDatabaseError, PortInUseError, DataFolderError, TokensError: before anything was started.
    """
    database = _server(settings)
    lock = data_folder.hold(settings.data)
    data_folder.use_own_temporary_files(settings.data)
    require_free(settings.otlp_grpc, "--otlp-grpc HOST:PORT")
    otlp_http = bind(settings.otlp_http, "--otlp-http HOST:PORT")
    health = bind(settings.collector_health, "--collector-health HOST:PORT")
    access = open_access(settings)
    _show_new_tokens(settings, access)

    async def serve(stop: asyncio.Event) -> None:
        registry = compose.build_registry()
        intake = compose.build_intake(settings, database, registry, access.tokens)
        reporter = build_reporter(settings, intake, database, registry)
        receiver, grpc = compose.build_receivers(settings, intake, otlp_http)
        probes = HttpServer(build_probes(registry, lambda: _full(intake), access.tokens), health)
        _watch(database)
        async with reporting(reporter), writing(intake), listening([receiver, probes], grpc):
            names = compose.addresses(settings)
            _announce("collector", {"OTLP/HTTP": names["otlp_http"], "OTLP/gRPC": names["otlp_grpc"]})
            await stop.wait()
        database.close()

    run_until_stopped(serve, lock.close)


def run_evaluator(settings: Settings) -> NoReturn:
    """Count SLI minutes, decide on alerts and deliver them.

    Raises:
        EmbeddedDatabaseError, PortInUseError, TokensError: before anything was started.
    """
    database = _server(settings)
    health = bind(settings.evaluator_health, "--evaluator-health HOST:PORT")
    access = open_access(settings)

    async def serve(stop: asyncio.Event) -> None:
        registry = compose.build_registry()
        alerting = build_alerting(settings, database)
        catalog = compose.build_catalog(settings, demo=False)
        evaluator = compose.build_evaluator(settings, database, catalog, alerting)
        compose.watch_evaluator(registry, evaluator, database)
        scheduler = compose.build_scheduler(settings, database, evaluator, alerting, registry)
        probes = HttpServer(build_probes(registry, lambda: _unusable(database), access.tokens), health)
        _watch(database)
        async with ticking(scheduler, database), listening([probes]):
            _announce("evaluator", {"probes": f"http://{settings.evaluator_health}"})
            await stop.wait()

    run_until_stopped(serve, lambda: None)


def run_api(settings: Settings) -> NoReturn:
    """Serve the API.

    Raises:
        EmbeddedDatabaseError, PortInUseError, TokensError: before anything was started.
    """
    database = _server(settings)
    bound = bind(settings.api, "--api HOST:PORT")
    access = open_access(settings)
    _show_new_tokens(settings, access)

    async def serve(stop: asyncio.Event) -> None:
        registry = compose.build_registry()
        catalog = compose.build_catalog(settings, demo=False)
        launcher = compose.build_launcher(settings, access, demo=False)
        context = compose.build_context(settings, database, catalog, registry, tokens=access.tokens, launcher=launcher)
        _watch(database)
        async with listening([HttpServer(build_api(context), bound)]), launching(launcher, TracedRuns(database)):
            _announce("API", {"API": compose.addresses(settings)["api"]})
            await stop.wait()
        database.close()

    run_until_stopped(serve, lambda: None)


def _server(settings: Settings) -> Database:
    """Return the database of *settings*, to which nothing connects yet.

    Raises:
        EmbeddedDatabaseError: it is not behind HTTP.
    """
    if not settings.clickhouse.startswith("http"):
        raise EmbeddedDatabaseError(
            f"{settings.clickhouse_url} is the embedded engine, which serves one process: run 'ninelives up', or name "
            "a ClickHouse server with NINELIVES_CLICKHOUSE=http://user:password@host:8123/database"
        )
    return connect_database(settings)


def _full(intake: Intake) -> str:
    """Return why this collector takes nothing more; a database that is down is no reason, the spool has room."""
    full = [lane.signal for lane in intake.status() if lane.spool_fill >= 1]
    return f"the spool is full: {', '.join(full)}" if full else ""


def _unusable(database: Database) -> str:
    try:
        database.command("SELECT 1")
    except StorageError as error:
        return str(error)
    return ""


def _watch(database: Database) -> None:
    """Say in the log what is wrong with the database, and when it answers.

    The thread is left behind when the process ends: a server that hangs must not keep it waiting.
    """
    threading.Thread(target=_ask, args=(database,), name="database-watch", daemon=True).start()


def _ask(database: Database) -> None:
    said = ""
    while reason := _unusable(database):
        if reason != said:
            log.warning("the database cannot be used yet: %s", reason)
            said = reason
        time.sleep(ASK_AGAIN_S)
    if said:
        log.info("the database answers")


def _announce(role: str, addresses: Mapping[str, str]) -> None:
    print(f"Ninelives {role} is up")
    for name, url in addresses.items():
        print(f"  {name:<10} {url}")
    sys.stdout.flush()


def _show_new_tokens(settings: Settings, access: Access) -> None:
    """Print tokens that were made just now; nobody can show them again, whatever happens next."""
    for line in first_lines(access, compose.addresses(settings)["otlp_http"], settings.tokens_path):
        print(line, flush=True)
