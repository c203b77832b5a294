"""`up` and `migrate`."""

import contextlib
import json
from pathlib import Path

import click

from ninelives.commands.output import json_flag
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import RECEIVER, Settings, SettingsError

SERVER = (
    "data", "clickhouse", "memory", "retention_raw_days", "retention_metrics_days", "retention_logs_days",
    "retention_rollup_days", "sampling", "cache_attribute", "cache_hits", "cache_misses",
)  # fmt: skip


@click.command()
@setting_flags(
    "listen", "tokens_file", "link_secret_file", "otlp_http", "otlp_grpc", "api", "dashboard", "faults", "faults_token",
    "demo_port", "slos", "experiments", "external_url", "webhooks", "alerts", "disk_budget", "operation_limit",
    "series_limit", *RECEIVER, *SERVER,
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
    from ninelives.data_folder import DataFolderError
    from ninelives.sockets import PortInUseError
    from ninelives.up import Options, run
    from storage.tokens import TokensError

    try:
        run(settings, Options(demo=demo, dashboard=not no_dashboard, faults=fault_targets))
    except (PortInUseError, DataFolderError, TokensError, SettingsError) as error:
        fail(str(error), MISUSE)


@click.command()
@setting_flags(*SERVER)
@click.option("--dry-run", is_flag=True, help="Only show what would be applied.")
@json_flag
def migrate(settings: Settings, dry_run: bool, as_json: bool) -> None:
    """Bring the database to this version's tables and views, and its retention to the settings."""
    from ninelives.data_folder import DataFolderError, hold
    from ninelives.schema import apply_schema, plan_schema
    from storage.errors import StorageError

    try:
        lock = contextlib.nullcontext() if settings.clickhouse.startswith("http") else hold(settings.data)
        with lock:
            steps = plan_schema(settings) if dry_run else apply_schema(settings)
    except DataFolderError as error:
        fail(str(error), MISUSE)
    except StorageError as error:
        fail(str(error), 1)
    if as_json:
        click.echo(json.dumps([{"name": step.name, "sql": step.sql} for step in steps], indent=2))
        return
    for step in steps:
        click.echo(f"{'would apply' if dry_run else 'applied'} {step.name}")
    click.echo(f"{len(steps)} {'to apply' if dry_run else 'applied'}")
