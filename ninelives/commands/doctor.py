"""`doctor`: is everything as it should be, and what to do where it is not."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import click

from api import models as m
from ninelives.commands.output import connect, json_flag, moment, print_json, reports_api_errors
from ninelives.options import setting_flags
from ninelives.settings import Settings

STALE_TICK = timedelta(minutes=1)


class _Diagnosis(m.Status):
    """What `--json` prints: the status, the alarms of the way in, and the findings about services' telemetry."""

    alarms: list[m.IngestAlarm]
    checks: list[m.TelemetryFinding]


@click.command()
@setting_flags("api", "token")
@json_flag
@reports_api_errors
def doctor(settings: Settings, as_json: bool) -> None:
    """Check a running Ninelives. Exit code 1 when something needs attention."""
    with connect(settings) as api:
        status, ingest, checks = api.status(), api.ingest(), api.checks()
    findings = [*_findings(status, datetime.now(UTC)), *_alarms(ingest.alarms)]
    if as_json:
        print_json(_Diagnosis(**dict(status), alarms=ingest.alarms, checks=checks.items))
    else:
        click.echo(f"Ninelives {status.version}, up since {moment(status.started_at)}")
        click.echo(
            f"{status.spans_stored:,} spans stored, newest {moment(status.newest_span_at) or 'none in the last day'}"
        )
        for lane in status.ingest:
            click.echo(f"{lane.signal}: {lane.accepted_items:,} accepted, {lane.spool_bytes:,} bytes in the spool")
        for finding in findings:
            click.echo(f"! {finding}")
        _show_checks(checks.items)
        if not findings and not checks.items:
            click.echo("all good")
    if findings or any(item.severity == "critical" for item in checks.items):
        raise SystemExit(1)


def _findings(status: m.Status, now: datetime) -> list[str]:
    found = [*status.notices]
    found += [
        f"{lane.dead_letters} dead letter(s) of {lane.signal}: 'ninelives collector dead-letters' shows why, "
        "'ninelives collector replay' sends them again"
        for lane in status.ingest
        if lane.dead_letters
    ]
    found += [f"{problem.file}:{problem.line or 1}: {problem.reason}" for problem in status.slo_errors]
    if status.last_tick_at is None:
        found.append("no evaluation has finished yet; wait 15 s, then look at the log of 'ninelives up'")
    elif now - status.last_tick_at > STALE_TICK:
        found.append(f"the last evaluation was at {moment(status.last_tick_at)}; look at the log of 'ninelives up'")
    if not status.spans_stored:
        found.append(f"no spans yet; set OTEL_EXPORTER_OTLP_ENDPOINT={status.addresses['otlp_http']} in your service")
    return found


def _alarms(alarms: list[m.IngestAlarm]) -> list[str]:
    """Return the alarms but that of dead letters, which the status tells already."""
    shown = [alarm for alarm in alarms if alarm.alarm != "dead_letters"]
    return [f"{alarm.signal} at {alarm.collector}: {alarm.text}; {alarm.remedy}" for alarm in shown]


def _show_checks(findings: list[m.TelemetryFinding]) -> None:
    """Print what services send wrongly, a block for each."""
    for place, group in groupby(sorted(findings, key=_place), key=_place):
        click.echo(f"{' in '.join(word for word in place if word)}:")
        for item in group:
            click.echo(f"  {item.severity}: {item.finding}")
            click.echo(f"    {item.remedy}")


def _place(item: m.TelemetryFinding) -> tuple[str, str]:
    return item.service, item.environment
