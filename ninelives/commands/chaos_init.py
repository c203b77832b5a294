"""`chaos init`: a first experiment for a service, read from its traces."""

from pathlib import Path

import click

from ninelives.commands.output import connect, reports_api_errors
from ninelives.fault_daemon import connect_faults
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings


@click.command()
@setting_flags("api", "token", "faults", "faults_token", "data")
@click.argument("service")
@click.option("--environment", default="", help="Of the service; any by default.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("experiments"),
    help="Where to write.",
    show_default=True,
)
@click.option("--listen", default="127.0.0.1:7100", help="Where the fault proxy listens.", show_default=True)
@reports_api_errors
def init(settings: Settings, service: str, environment: str, folder: Path, listen: str) -> None:
    """Write a runnable experiment on the busiest dependency of SERVICE, read from its traces."""
    from chaos.address import Address
    from chaos.errors import ChaosError
    from ninelives.first_experiment import write_first_experiment

    try:
        Address.parse(listen)
    except ValueError as error:
        fail(f"--listen: {error}", MISUSE)
    with connect(settings) as api, connect_faults(settings) as faults:
        try:
            lines = write_first_experiment(
                api, service, environment=environment, folder=folder, listen=listen, faults=faults
            )
        except ChaosError as error:
            fail(str(error), 1)
    for line in lines:
        click.echo(line)
