"""`alerts list|show|ack|history|deliveries`."""

import click

from api import models as m
from ninelives.commands.alert_silences import silence
from ninelives.commands.alert_trial import send_test
from ninelives.commands.output import (
    connect,
    json_flag,
    moment,
    print_found,
    printable,
    reports_api_errors,
    table_lines,
)
from ninelives.commands.times import past_of
from ninelives.options import setting_flags
from ninelives.settings import Settings

_OUTCOMES = {"sent": "sent", "failed": "tried again", "dead": "given up"}


@click.group()
def alerts() -> None:
    """Alerts: what is wrong, why, who has it, and who is told."""


alerts.add_command(silence)
alerts.add_command(send_test)


@alerts.command(name="list")
@setting_flags("api", "token")
@click.option("--state", type=click.Choice(["pending", "firing", "resolved"]), help="Only those in this state.")
@click.option("--severity", type=click.Choice(["page", "ticket"]), help="Only those of this severity.")
@click.option("--service", default="", help="Only those of this service.")
@click.option("--environment", default="", help="Only those of this environment.")
@click.option("--slo", "slo_id", default="", help="Only those of this objective.")
@click.option("--since", default=None, help="Changed since then: 7d, or a time; 30 days by default.")
@json_flag
@reports_api_errors
def list_alerts(
    settings: Settings, state: str | None, severity: str | None, since: str | None, as_json: bool, **wanted: str
) -> None:
    """Show the alerts of the last 30 days, newest first. Exit code 1 while one is firing."""
    begin = past_of(since, "--since")
    with connect(settings) as api:
        found = api.alerts(state=state or "", severity=severity or "", since=begin, **wanted)
    rows = [
        (item.state, item.severity, moment(item.started_at), item.id, _noted(item), printable(item.summary))
        for item in found
    ]
    header = ("STATE", "SEVERITY", "SINCE", "ALERT", "NOTED", "SUMMARY")
    print_found(found, table_lines(header, rows), as_json=as_json)
    if any(item.state == "firing" for item in found):
        raise SystemExit(1)


@alerts.command()
@setting_flags("api", "token")
@click.argument("alert_id", metavar="ID")
@json_flag
@reports_api_errors
def show(settings: Settings, alert_id: str, as_json: bool) -> None:
    """Show an alert and the evidence that was gathered when it fired."""
    from ninelives.alert_text import alert_lines

    with connect(settings) as api:
        found = api.alert(alert_id)
    print_found(found, alert_lines(found), as_json=as_json)


@alerts.command()
@setting_flags("api", "token")
@click.argument("alert_id", metavar="ID")
@click.option("--comment", default="", help="What you are about to do.")
@click.option("--author", default=None, help="Who takes it on; you by default.")
@json_flag
@reports_api_errors
def ack(settings: Settings, alert_id: str, comment: str, author: str | None, as_json: bool) -> None:
    """Acknowledge a firing alert: you have it, and nobody is reminded of it."""
    from ninelives import authorship

    by = authorship.author() if author is None else author
    with connect(settings) as api:
        found = api.acknowledge_alert(alert_id, m.NewAcknowledgement(author=by, comment=comment, via="command"))
    print_found(found, [f"{found.id}: acknowledged by {printable(found.acknowledgements[-1].author)}"], as_json=as_json)


@alerts.command()
@setting_flags("api", "token")
@click.argument("alert_id", metavar="ID")
@json_flag
@reports_api_errors
def history(settings: Settings, alert_id: str, as_json: bool) -> None:
    """Show what happened around an alert: changes, messages, attempts to deliver them, acknowledgements, notes."""
    from ninelives.alert_text import timeline_lines

    with connect(settings) as api:
        found = api.alert(alert_id).timeline
    print_found(found, timeline_lines(found), as_json=as_json)


@alerts.command()
@setting_flags("api", "token")
@click.option("--failed", is_flag=True, help="Only those that were given up.")
@click.option("--channel", default="", help="Only those of this channel, such as team/slack-1.")
@click.option("--alert", "alert_id", default="", help="Only those that tell of this alert.")
@click.option("--since", default=None, help="Since then: 7d, or a time; 30 days by default.")
@json_flag
@reports_api_errors
def deliveries(settings: Settings, failed: bool, since: str | None, as_json: bool, **wanted: str) -> None:
    """Show attempts to deliver messages, newest first. Exit code 1 when one was given up."""
    begin = past_of(since, "--since")
    with connect(settings) as api:
        found = api.alert_deliveries(status="dead" if failed else "", since=begin, **wanted)
    rows = [
        (moment(item.at), item.channel, _OUTCOMES[item.status], printable(item.error), " ".join(item.alert_ids))
        for item in found
    ]
    header = ("WHEN", "CHANNEL", "OUTCOME", "REASON", "ALERTS")
    print_found(found, table_lines(header, rows), as_json=as_json)
    if any(item.status == "dead" for item in found):
        raise SystemExit(1)


def _noted(alert: m.Alert) -> str:
    """Return what keeps people from being told, or who has it."""
    notes = []
    if alert.acknowledgements:
        notes.append(f"acknowledged by {printable(alert.acknowledgements[-1].author)}")
    if alert.silenced_by:
        notes.append("silenced")
    if alert.inhibited:
        notes.append("held back by its page")
    if alert.flapping:
        notes.append("flapping")
    return ", ".join(notes)
