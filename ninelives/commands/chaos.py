"""`chaos run|validate|stop|daemon`."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ninelives.authorship import author
from ninelives.commands import chaos_init, chaos_records
from ninelives.commands.chaos_records import write_reports
from ninelives.commands.output import connect, json_flag, print_json, reports_api_errors
from ninelives.fault_daemon import connect_faults, toolkit_environment
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.models import Run, RunEvent
    from chaos.experiments.experiment import Experiment

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def chaos() -> None:
    """Chaos experiments."""


for command in (
    chaos_init.init, chaos_records.list_runs, chaos_records.show, chaos_records.report_run,
    chaos_records.import_journal,
):  # fmt: skip
    chaos.add_command(command)


@chaos.command()
@setting_flags("api", "token", "faults", "faults_token", "data")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only show the pre-flight: checks, blast radius, predicted cost.")
@click.option("--allow-firing", is_flag=True, help="Run although an alert of the services fires, for once.")
@click.option("--run-id", default="", help="Id of the run; made of name and time otherwise.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as JUnit XML.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as an HTML page.")
@json_flag
def run(
    settings: Settings,
    file: Path,
    *,
    dry_run: bool,
    allow_firing: bool,
    run_id: str,
    junit: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Run the experiment in FILE. Exit code: 0 held, 1 deviated, 2 misuse, 3 nothing proven, 4 not run."""
    from chaos.runner.runner import exit_code

    experiment = _read(file)
    if allow_firing:
        safeguards = experiment.safeguards.model_copy(update={"allow_firing": True})
        experiment = experiment.model_copy(update={"safeguards": safeguards})
    if dry_run:
        raise SystemExit(_show_preflight(settings, experiment, as_json=as_json))

    def tell(event: "RunEvent") -> None:
        click.echo(f"{event.at:%H:%M:%S} {event.message}", err=as_json)

    found = _run(settings, experiment, run_id, tell)
    write_reports(found, junit=junit, page=report)
    if as_json:
        print_json(found)
    else:
        click.echo(f"verdict: {found.verdict or found.status} ({found.id})")
    raise SystemExit(exit_code(found))


@chaos.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
def validate(files: tuple[Path, ...]) -> None:
    """Check experiment FILES without running them. Exit code 2 if one cannot be used."""
    for file in files:
        experiment = _read(file)
        click.echo(f"{file}: {experiment.title}")


@chaos.command()
@setting_flags("api", "token", "faults", "faults_token", "data")
@click.argument("run_id", required=False)
@click.option("--all", "everything", is_flag=True, help="Revert every fault and lock the fault daemon.")
@click.option("--release", is_flag=True, help="Release the lock of --all.")
@click.option("--reason", default="", help="Why, for the run's timeline.")
@reports_api_errors
def stop(settings: Settings, run_id: str | None, everything: bool, release: bool, reason: str) -> None:
    """Stop the run RUN_ID: its faults are reverted within seconds. --all stops everything on the fault daemon."""
    from chaos.errors import FaultDaemonError

    if sum((run_id is not None, everything, release)) != 1:
        fail("name one run, or give --all, or --release; 'ninelives chaos list' shows the runs", MISUSE)
    if run_id is not None:
        with connect(settings) as api:
            api.stop_run(run_id, by=author(), reason=reason)
        click.echo(f"{run_id} is asked to stop")
        return
    try:
        with connect_faults(settings) as daemon:
            if release:
                daemon.release_emergency_stop()
                click.echo("the fault daemon injects again")
                return
            ended = daemon.emergency_stop(by=author(), reason=reason)
    except FaultDaemonError as error:
        fail(str(error), 1)
    click.echo(f"{len(ended)} faults were ended; nothing is injected until 'ninelives chaos stop --release'")


@chaos.command()
@setting_flags("faults", "data")
@click.option(
    "--targets",
    required=True,
    type=FILE,
    help="YAML file of the proxies and processes that may be broken.",
)
@click.option("--watch-stdin", is_flag=True, help="Stop when standard input ends.")
def daemon(settings: Settings, targets: Path, watch_stdin: bool) -> None:
    """Run the fault daemon (Toxiproxy API). Every fault has a lease: none outlives its runner."""
    from chaos.daemon.server import serve
    from chaos.errors import ChaosError

    host, port = settings.faults
    try:
        asyncio.run(serve(host, port, targets, settings.data, watch_stdin=watch_stdin))
    except ChaosError as error:
        fail(str(error), MISUSE)
    except OSError as error:
        fail(f"cannot listen on {settings.faults} ({error.strerror}); choose another with --faults HOST:PORT", MISUSE)


def _read(file: Path) -> "Experiment":
    from chaos.errors import ExperimentError
    from chaos.experiments.experiment_file import read_experiment

    try:
        found = read_experiment(file)
    except ExperimentError as error:
        fail(str(error), MISUSE)
    return found


def _run(settings: Settings, experiment: "Experiment", run_id: str, tell: "Callable[[RunEvent], None]") -> "Run":
    """Run it; SIGTERM and Ctrl-C revert the faults and end it as aborted."""
    from chaos.runner.runner import run_experiment
    from chaos.runner.stop import stop_on_signals

    os.environ.update(toolkit_environment(settings))  # the toolkit's library runs in a child of this process
    with stop_on_signals() as stop, connect(settings) as api, connect_faults(settings) as faults:
        return run_experiment(experiment, api, faults, data_dir=settings.data, run_id=run_id, on_event=tell, stop=stop)


def _show_preflight(settings: Settings, experiment: "Experiment", *, as_json: bool) -> int:
    """Print what a run would mean; return 0 where it may start, 4 where not."""
    from chaos.report.preflight import preflight_text
    from chaos.runner.runner import preflight

    with connect(settings) as api, connect_faults(settings) as faults:
        found = preflight(experiment, api, faults, now=datetime.now(UTC))
    if as_json:
        print_json(found)
    else:
        click.echo(preflight_text(found))
    return 0 if found.runnable else 4
