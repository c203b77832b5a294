"""`doctor`: is everything as it should be, and what to do where it is not."""

from datetime import UTC, datetime, timedelta

import click

from api import models as m
from ninelives.commands.output import connect, json_flag, moment, print_json, reports_api_errors
from ninelives.options import setting_flags
from ninelives.settings import Settings

STALE_TICK = timedelta(minutes=1)


@click.command()
@setting_flags("api")
@json_flag
@reports_api_errors
def doctor(settings: Settings, as_json: bool) -> None:
    """Check a running Ninelives. Exit code 1 when something needs attention."""
    with connect(settings) as api:
        status = api.status()
    findings = _findings(status, datetime.now(UTC))
    if as_json:
        print_json(status)
    else:
        click.echo(f"Ninelives {status.version}, up since {moment(status.started_at)}")
        click.echo(
            f"{status.spans_stored:,} spans stored, newest {moment(status.newest_span_at) or 'none in the last day'}"
        )
        for lane in status.ingest:
            click.echo(f"{lane.signal}: {lane.accepted_items:,} accepted, {lane.spool_bytes:,} bytes in the spool")
        for finding in findings:
            click.echo(f"! {finding}")
        if not findings:
            click.echo("all good")
    if findings:
        raise SystemExit(1)


def _findings(status: m.Status, now: datetime) -> list[str]:
    found = [*status.notices]
    found += [f"{problem.file}:{problem.line or 1}: {problem.reason}" for problem in status.slo_errors]
    if status.last_tick_at is None:
        found.append("no evaluation has finished yet; wait 15 s, then look at the log of 'ninelives up'")
    elif now - status.last_tick_at > STALE_TICK:
        found.append(f"the last evaluation was at {moment(status.last_tick_at)}; look at the log of 'ninelives up'")
    if not status.spans_stored:
        found.append(f"no spans yet; set OTEL_EXPORTER_OTLP_ENDPOINT={status.addresses['otlp_http']} in your service")
    return found
