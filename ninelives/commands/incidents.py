"""`incidents list|show|note|postmortem|metrics`."""

from pathlib import Path

import click

from api import models as m
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
from ninelives.options import fail, setting_flags
from ninelives.settings import Settings


@click.group()
def incidents() -> None:
    """Incidents: alerts of one service and time, and how fast people were."""


@incidents.command(name="list")
@setting_flags("api", "token")
@click.option("--service", default="", help="Only those of this service.")
@click.option("--environment", default="", help="Only those of this environment.")
@click.option("--since", default=None, help="Not over before then: 7d, or a time; 30 days by default.")
@json_flag
@reports_api_errors
def list_incidents(settings: Settings, service: str, environment: str, since: str | None, as_json: bool) -> None:
    """Show the incidents of the last 30 days, newest first. Exit code 1 while one goes on."""
    from ninelives.alert_text import duration

    begin = past_of(since, "--since")
    with connect(settings) as api:
        found = api.incidents(service=service, environment=environment, since=begin)
    rows = [
        (
            item.state,
            moment(item.detected_at),
            duration(item.time_to_acknowledge_s) or "not yet",
            duration(item.time_to_resolve_s) or "not yet",
            str(len(item.alert_ids)),
            item.id,
            printable(item.service),
            printable(item.title),
        )
        for item in found
    ]
    header = ("STATE", "DETECTED", "TAKEN ON", "RESOLVED", "ALERTS", "INCIDENT", "SERVICE", "TITLE")
    print_found(found, table_lines(header, rows), as_json=as_json)
    if any(item.state == "firing" for item in found):
        raise SystemExit(1)


@incidents.command()
@setting_flags("api", "token")
@click.argument("incident_id", metavar="ID")
@json_flag
@reports_api_errors
def show(settings: Settings, incident_id: str, as_json: bool) -> None:
    """Show an incident, named by any of its alerts: its times, alerts, notes and what happened when."""
    from ninelives.alert_text import incident_lines

    with connect(settings) as api:
        found = api.incident(incident_id)
    print_found(found, incident_lines(found), as_json=as_json)


@incidents.command()
@setting_flags("api", "token")
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@click.option("--author", default=None, help="Who notes it; you by default.")
@json_flag
@reports_api_errors
def note(settings: Settings, incident_id: str, text: str, author: str | None, as_json: bool) -> None:
    """Write a note on an incident: TEXT is shown in its timeline and in its post-mortem."""
    from ninelives import authorship

    by = authorship.author() if author is None else author
    with connect(settings) as api:
        found = api.add_incident_note(incident_id, m.NewIncidentNote(author=by, text=text))
    print_found(found, [f"noted by {printable(found.author)} at {moment(found.at)}"], as_json=as_json)


@incidents.command()
@setting_flags("api", "token")
@click.argument("incident_id", metavar="ID")
@click.option("--output", type=click.Path(dir_okay=False), default=None, help="File to write; one that is there stays.")
@reports_api_errors
def postmortem(settings: Settings, incident_id: str, output: str | None) -> None:
    """Print the draft of an incident's post-mortem in Markdown: impact, timeline, evidence, and what to fill in."""
    with connect(settings) as api:
        text = api.postmortem(incident_id)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with Path(output).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fail(f"{output} is there already; write to another file, or remove it first", 1)
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", 1)
    click.echo(f"wrote {output}")


@incidents.command()
@setting_flags("api", "token")
@click.option("--service", default="", help="Only this service.")
@click.option("--environment", default="", help="Only this environment.")
@click.option("--since", default=None, help="Incidents that began since then: 90d, or a time; 30 days by default.")
@click.option("--until", default=None, help="Incidents that began before then: 7d, or a time; now by default.")
@json_flag
@reports_api_errors
def metrics(settings: Settings, since: str | None, until: str | None, as_json: bool, **wanted: str) -> None:
    """Show how fast each service's trouble was detected, taken on and resolved, and how often it came."""
    from ninelives.alert_text import duration

    begin, end = past_of(since, "--since"), past_of(until, "--until")
    with connect(settings) as api:
        found = api.incident_metrics(since=begin, until=end, **wanted)
    rows = [
        (
            printable(item.service),
            printable(item.environment),
            str(item.incidents),
            *(duration(mean) or "no data" for mean in (item.mttd_s, item.mtta_s, item.mttr_s, item.mtbf_s)),
        )
        for item in found
    ]
    header = ("SERVICE", "ENVIRONMENT", "INCIDENTS", "MTTD", "MTTA", "MTTR", "MTBF")
    print_found(found, table_lines(header, rows), as_json=as_json)
