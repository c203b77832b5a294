"""The collector's reports on itself: made from the settings, and a block that runs them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from collector.alarm_metrics import AlarmMetrics
from collector.intake import Intake
from collector.stage_report import StageReporter
from ninelives.settings import Settings
from storage.cardinality import limited_operations
from storage.client import Database
from storage.ingest_stats import StageReport, save_reports
from storage.series_limits import limited_series

STOP_S = 2.0


def build_reporter(
    settings: Settings, intake: Intake, database: Database, registry: CollectorRegistry
) -> StageReporter:
    """Return the reporter of an *intake* that was not started yet, with its alarms at /metrics.

    Each time the database was reached, the intake learns which services overflow their limits.
    """
    name = f"{socket.gethostname()}:{settings.otlp_http.port}"

    def save(reports: Sequence[StageReport]) -> None:
        save_reports(database, reports)
        now = datetime.now(UTC)
        operations, series = limited_operations(database, now=now), limited_series(database, now=now)
        intake.overflowing = frozenset(limit.service for limit in operations if limit.overflowing)
        intake.overflowing_series = frozenset(limit.service for limit in series if limit.overflowing)

    reporter = StageReporter(name, intake, settings.data, save)
    registry.register(AlarmMetrics(reporter.recent))
    return reporter


@contextlib.asynccontextmanager
async def reporting(reporter: StageReporter) -> AsyncIterator[None]:
    """Report while the block runs, and once after it."""
    reporter.start()
    try:
        yield
    finally:
        await asyncio.to_thread(reporter.stop, STOP_S)
