"""`slo maintenance add|list|end`."""

from datetime import UTC, datetime

import click

from api import models as m
from ninelives.commands.output import connect, json_flag, print_json, print_table, reports_api_errors
from ninelives.commands.times import length_of, time_of
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

CALLED_OFF = "called off"


@click.group()
def maintenance() -> None:
    """Planned work, which does not touch the budget; reports show the budget with and without it."""


@maintenance.command()
@setting_flags("api", "token")
@click.argument("reason")
@click.option("--start", default=None, help="When it begins, such as 2026-10-03T22:00:00Z; now by default.")
@click.option("--for", "length", required=True, help="How long it takes, such as 90m or 2h.")
@click.option("--service", default="", help="Only objectives of this service.")
@click.option("--environment", default="", help="Only objectives of this environment.")
@click.option("--slo", "slo_id", default="", help="Only this objective.")
@click.option("--all", "everything", is_flag=True, help="All objectives there are.")
@json_flag
@reports_api_errors
def add(settings: Settings, reason: str, start: str | None, length: str, as_json: bool, **matchers: str | bool) -> None:
    """Announce planned work and its REASON, or note past work."""
    from ninelives.authorship import author

    everything = matchers.pop("everything")
    if everything == any(matchers.values()):
        fail("say what it is for: --service, --environment or --slo, or --all and none of them", MISUSE)
    begin = datetime.now(UTC) if start is None else time_of(start, "--start")
    fields = {name: str(value) for name, value in matchers.items()}
    window = m.NewMaintenance(
        start=begin, end=begin + length_of(length, "--for"), reason=reason, author=author(), **fields
    )
    with connect(settings) as api:
        found = api.add_maintenance(window)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found.id}: {_line(found)}")


@maintenance.command(name="list")
@setting_flags("api", "token")
@json_flag
@reports_api_errors
def list_maintenance(settings: Settings, as_json: bool) -> None:
    """Show all maintenance on record, the newest first."""
    with connect(settings) as api:
        found = api.maintenance()
    if as_json:
        print_json(found)
        return
    rows = [(item.id, _minute(item.start), _until(item), _matched(item), item.author, item.reason) for item in found]
    print_table(("ID", "FROM (UTC)", "UNTIL", "FOR", "BY", "REASON"), rows)


@maintenance.command()
@setting_flags("api", "token")
@click.argument("maintenance_id", metavar="ID")
@reports_api_errors
def end(settings: Settings, maintenance_id: str) -> None:
    """End maintenance now, or call it off before it begins; it stays on record."""
    with connect(settings) as api:
        found = api.end_maintenance(maintenance_id)
    click.echo(f"{found.id}: {_line(found)}")


def _line(window: m.Maintenance) -> str:
    until = _until(window)
    if until == CALLED_OFF:
        return f"{_minute(window.start)} UTC, {_matched(window)}, {CALLED_OFF}: {window.reason}"
    return f"{_minute(window.start)} to {until} UTC, {_matched(window)}: {window.reason}"


def _until(window: m.Maintenance) -> str:
    if window.ended_early_at is None:
        return _minute(window.end)
    return CALLED_OFF if window.ended_early_at <= window.start else _minute(window.ended_early_at)


def _matched(window: m.Maintenance) -> str:
    named = (("service", window.service), ("environment", window.environment), ("objective", window.slo_id))
    return ", ".join(f"{name} {value}" for name, value in named if value) or "all objectives"


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
