"""`chaos run|list|daemon`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ninelives.commands.output import connect, json_flag, moment, print_json, print_table, reports_api_errors
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

if TYPE_CHECKING:
    from chaos.runner.execution import RunEvent


@click.group()
def chaos() -> None:
    """Chaos experiments."""


@chaos.command()
@setting_flags("api", "token", "faults", "data")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_flag
def run(settings: Settings, file: Path, as_json: bool) -> None:
    """Run the experiment in FILE. Exit code: 0 held, 1 deviated, 2 misuse, 3 nothing proven, 4 not run."""
    from chaos.errors import ExperimentError
    from chaos.runner.runner import exit_code, run_file

    def tell(event: "RunEvent") -> None:
        click.echo(f"{event.at:%H:%M:%S} {event.message}", err=as_json)

    try:
        found = run_file(
            file,
            api_url=settings.api_url,
            token=settings.token,
            faults_url=f"http://{settings.faults}",
            data_dir=settings.data,
            on_event=tell,
        )
    except ExperimentError as error:
        fail(str(error), MISUSE)
    if as_json:
        print_json(found)
    else:
        click.echo(f"verdict: {found.verdict or found.status} ({found.id})")
    raise SystemExit(exit_code(found))


@chaos.command(name="list")
@setting_flags("api", "token")
@json_flag
@reports_api_errors
def list_runs(settings: Settings, as_json: bool) -> None:
    """Show the newest runs."""
    with connect(settings) as api:
        found = api.runs()
    if as_json:
        print_json(found)
        return
    rows = [(moment(item.started_at), item.id, item.status, item.verdict or "", item.summary) for item in found]
    print_table(("STARTED", "RUN", "STATUS", "VERDICT", "SUMMARY"), rows)


@chaos.command()
@setting_flags("faults", "data")
@click.option(
    "--targets",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
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
