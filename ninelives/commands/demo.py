"""`demo`, `demo break`, `demo heal`, `demo configure`."""

import subprocess
import sys

import click

from ninelives import compose
from ninelives.options import setting_flags
from ninelives.settings import Settings


@click.group(invoke_without_command=True)
@setting_flags("otlp_http", "demo_port", "data")
@click.pass_context
def demo(ctx: click.Context, settings: Settings) -> None:
    """Run the demo shop against a running Ninelives, until Ctrl-C; or break, heal or configure it."""
    if ctx.invoked_subcommand is None:
        _run(compose.demo_command(settings, through_proxy=False, watch_stdin=False))


@demo.command(name="break")
@setting_flags("data")
@click.argument("mode", type=click.Choice(["errors", "latency", "cache"]))
@click.option("--for", "duration", help="How long, for example 120s or 5m; until 'demo heal' by default.")
def break_(settings: Settings, mode: str, duration: str | None) -> None:
    """Break the running demo: orders fails, the catalog is slow, or its cache is bypassed."""
    limit = ["--for", duration] if duration else []
    _run([sys.executable, "-m", "demo", "break", mode, *limit, "--data", str(settings.data)])


@demo.command()
@setting_flags("data")
def heal(settings: Settings) -> None:
    """End everything that 'demo break' began."""
    _run([sys.executable, "-m", "demo", "heal", "--data", str(settings.data)])


@demo.command()
@setting_flags("data")
@click.argument("configuration", type=click.Choice(["fragile", "resilient"]))
def configure(settings: Settings, configuration: str) -> None:
    """Choose how the running demo treats services that fail it; fragile by default."""
    _run([sys.executable, "-m", "demo", "configure", configuration, "--data", str(settings.data)])


def _run(command: list[str]) -> None:
    """Run *command* in our place of the terminal and end with its exit code."""
    process = subprocess.Popen(command)
    while True:
        try:
            raise SystemExit(process.wait())
        except KeyboardInterrupt:
            continue  # the terminal told the child as well; wait until it has stopped cleanly
