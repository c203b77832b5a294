"""`collector`, `evaluator`, `api` and `dashboard`: what `up` runs together, each as a process of its own."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import click

from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import RECEIVER, Settings, SettingsError

ACCESS = ("listen", "tokens_file")


def _reports_misuse(function: Callable[..., None]) -> Callable[..., None]:
    """Turn what keeps a role from starting into one line and exit code 2."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> None:
        from ninelives.data_folder import DataFolderError
        from ninelives.roles import EmbeddedDatabaseError
        from ninelives.sockets import PortInUseError
        from storage.tokens import TokensError

        try:
            function(*args, **kwargs)
        except (EmbeddedDatabaseError, PortInUseError, DataFolderError, TokensError, SettingsError) as error:
            fail(str(error), MISUSE)

    return command


@click.command()
@setting_flags(
    "clickhouse", *ACCESS, "otlp_http", "otlp_grpc", "collector_health", "data", *RECEIVER,
)  # fmt: skip
@_reports_misuse
def collector(settings: Settings) -> None:
    """Run a collector alone: OTLP into a ClickHouse server. Any number of them can stand behind a load balancer."""
    from ninelives.roles import run_collector

    run_collector(settings)


@click.command()
@setting_flags(
    "clickhouse", *ACCESS, "link_secret_file", "evaluator_health", "data", "slos", "external_url", "dashboard",
    "webhooks", "alerts", "retention_raw_days", "disk_budget", "operation_limit", "series_limit",
)  # fmt: skip
@_reports_misuse
def evaluator(settings: Settings) -> None:
    """Run an evaluator alone: error budgets and alerts over a ClickHouse server."""
    from ninelives.roles import run_evaluator

    run_evaluator(settings)


@click.command()
@setting_flags(
    "clickhouse", *ACCESS, "link_secret_file", "api", "otlp_http", "otlp_grpc", "dashboard", "external_url", "data",
    "slos", "webhooks", "alerts", "experiments", "faults", "faults_token", "token",
)  # fmt: skip
@_reports_misuse
def api(settings: Settings) -> None:
    """Run the API alone, over a ClickHouse server."""
    from ninelives.roles import run_api

    run_api(settings)


@click.command()
@setting_flags("dashboard", "api", "token", "data")
def dashboard(settings: Settings) -> None:
    """Run the dashboard alone, over a running API."""
    import signal

    from dashboard import launch
    from ninelives.access import write_secret
    from ninelives.sockets import PortInUseError, require_free

    try:
        require_free(settings.dashboard, "--dashboard HOST:PORT")
    except PortInUseError as error:
        fail(str(error), MISUSE)
    token_file = settings.data / "dashboard.token" if settings.token else None
    if token_file is not None:
        write_secret(token_file, settings.token)
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again when it has served its last request
        signal.signal(number, lambda *_: sys.exit(0))
    argv = launch.command(*settings.dashboard, settings.api_url, token_file=token_file, watch_stdin=False)
    sys.argv = argv[argv.index("dashboard.launch") :]  # the pages read there where the API is
    launch.main(sys.argv[1:])
