"""`alerts list`."""

import click

from ninelives.commands.output import connect, json_flag, moment, print_json, print_table, reports_api_errors
from ninelives.options import setting_flags
from ninelives.settings import Settings


@click.group()
def alerts() -> None:
    """Alerts."""


@alerts.command(name="list")
@setting_flags("api", "token")
@click.option("--state", type=click.Choice(["pending", "firing", "resolved"]), help="Only those in this state.")
@json_flag
@reports_api_errors
def list_alerts(settings: Settings, state: str | None, as_json: bool) -> None:
    """Show the alerts of the last 30 days, newest first. Exit code 1 while one is firing."""
    with connect(settings) as api:
        found = api.alerts(state=state or "")
    if as_json:
        print_json(found)
    else:
        rows = [(item.state, item.severity, moment(item.started_at), item.id, item.summary) for item in found]
        print_table(("STATE", "SEVERITY", "SINCE", "ALERT", "SUMMARY"), rows)
    if any(item.state == "firing" for item in found):
        raise SystemExit(1)
