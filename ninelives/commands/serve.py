"""`up` and `migrate`."""

from pathlib import Path

import click

from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

SERVER = ("data", "clickhouse", "memory", "retention_raw_days", "retention_metrics_days", "retention_rollup_days")


@click.command()
@setting_flags(
    "otlp_http", "otlp_grpc", "api", "dashboard", "faults", "demo_port", "slos", "external_url", "webhooks",
    "disk_budget", "spool_limit", "body_limit", *SERVER,
)  # fmt: skip
@click.option("--demo", is_flag=True, help="Run the demo shop as well, with the fault daemon.")
@click.option("--no-dashboard", is_flag=True, help="Do not start the dashboard.")
@click.option(
    "--fault-targets",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Start the fault daemon with these targets.",
)
def up(settings: Settings, demo: bool, no_dashboard: bool, fault_targets: Path | None) -> None:
    """Run everything on this machine: collector, evaluator, API and dashboard."""
    from ninelives.data_folder import DataFolderHeldError
    from ninelives.sockets import PortInUseError
    from ninelives.up import Options, run

    try:
        run(settings, Options(demo=demo, dashboard=not no_dashboard, faults=fault_targets))
    except (PortInUseError, DataFolderHeldError) as error:
        fail(str(error), MISUSE)


@click.command()
@setting_flags(*SERVER)
def migrate(settings: Settings) -> None:
    """Bring the database to this version's tables."""
    from ninelives.data_folder import DataFolderHeldError, hold
    from storage.client import Database
    from storage.errors import StorageError
    from storage.migrate import migrate as apply

    try:
        lock = hold(settings.data)
        done = apply(Database(settings.clickhouse_url, memory_bytes=settings.memory_bytes))
    except DataFolderHeldError as error:
        fail(str(error), MISUSE)
    except StorageError as error:
        fail(str(error), 1)
    for name in done:
        click.echo(f"applied {name}")
    click.echo(f"{len(done)} migration(s) applied")
    lock.close()
