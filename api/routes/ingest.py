"""The way in, and whether what services send is usable."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api import models as m
from api.context import Context, Ctx
from storage import ingest_stats
from storage.client import Database
from storage.errors import DatabaseError
from storage.ingest_alarms import LOOKBACK, ingest_alarms
from storage.ingest_stats import StageReport
from storage.telemetry_checks import WINDOW, telemetry_checks
from storage.telemetry_finding import CHECKS

router = APIRouter(tags=["ingest"])

SEEN_WITHIN = timedelta(days=1)
STEPS = 60
SMALLEST_STEP_S = 10
LETTERS = 50

WindowS = Annotated[int, Query(ge=60, le=7 * 86400, description="Length of the window that ends now, in seconds.")]


@router.get("/ingest")
def get_ingest(ctx: Ctx, window_s: WindowS = 3600) -> m.IngestHealth:
    now = datetime.now(UTC).replace(microsecond=0)
    step_s = max(SMALLEST_STEP_S, -(-window_s // STEPS))
    reports, error = _reports(ctx, now)
    steps: list[ingest_stats.IngestStep] = []
    volumes: list[ingest_stats.ServiceVolume] = []
    if not error:
        start, end = now - timedelta(seconds=window_s), now + timedelta(seconds=1)
        steps = ingest_stats.ingest_steps(ctx.database, start=start, end=end, step_s=step_s)
        volumes = ingest_stats.service_volumes(ctx.database, start=start, end=end + timedelta(minutes=1))
    return m.IngestHealth(
        as_of=now,
        window_s=window_s,
        step_s=step_s,
        alarms=[m.IngestAlarm.model_validate(alarm, from_attributes=True) for alarm in ingest_alarms(reports, now)],
        stages=[m.IngestStage.model_validate(report, from_attributes=True) for report in _newest(reports)],
        series=[m.IngestPoint.model_validate(step, from_attributes=True) for step in steps],
        services=[m.ServiceVolume.model_validate(volume, from_attributes=True) for volume in volumes],
        dead_letters=sorted(ctx.dead_letters(), key=lambda letter: letter.at, reverse=True)[:LETTERS],
        error=error,
    )


@router.get("/checks")
def list_checks(ctx: Ctx, service: str = "") -> m.TelemetryChecks:
    now = datetime.now(UTC)
    return ctx.checks.answer(service, now, lambda: _checked(ctx.database, service, now))


def _reports(ctx: Context, now: datetime) -> tuple[list[StageReport], str]:
    """Return what collectors reported lately, and why only those of this process are among them."""
    own = {(report.collector, report.signal, report.at): report for report in ctx.reports()}
    try:
        stored = [
            *ingest_stats.latest_reports(ctx.database, since=now - SEEN_WITHIN),
            *ingest_stats.recent_reports(ctx.database, since=now - LOOKBACK),
        ]
    except DatabaseError as error:
        return list(own.values()), str(error)[:300]
    known = {(report.collector, report.signal, report.at): report for report in stored}
    return list((known | own).values()), ""


def _newest(reports: list[StageReport]) -> list[StageReport]:
    newest = {(report.signal, report.collector): report for report in sorted(reports, key=lambda report: report.at)}
    return [newest[key] for key in sorted(newest)]


def _checked(database: Database, service: str, now: datetime) -> m.TelemetryChecks:
    findings = telemetry_checks(database, now=now, service=service)
    return m.TelemetryChecks(
        as_of=now,
        window_s=round(WINDOW.total_seconds()),
        checks=list(CHECKS),
        items=[m.TelemetryFinding.model_validate(finding, from_attributes=True) for finding in findings],
    )
