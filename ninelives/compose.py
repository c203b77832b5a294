"""Puts the parts together from the settings."""

import importlib.util
import logging
import os
import secrets
import socket
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, GCCollector, PlatformCollector, ProcessCollector

from alerts.channels.webhook import WebhookChannel
from alerts.outbox import Outbox
from api import models as m
from api.context import Context, TickStatus
from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from evaluator.alert_store import AlertStore
from evaluator.tick import Evaluator
from ninelives.settings import Settings
from ninelives.slo_metrics import SloMetrics
from ninelives.version import VERSION
from storage.client import Database
from storage.migrate import migrate
from storage.retention import apply_retention, enforce_disk_budget
from storage.slo_catalog import SloCatalog

log = logging.getLogger(__name__)


def open_database(settings: Settings) -> Database:
    """Open the database, migrate it and bring its retention to the settings."""
    database = Database(settings.clickhouse_url, memory_bytes=settings.memory_bytes)
    for name in migrate(database):
        log.debug("applied migration %s", name)
    apply_retention(
        database,
        raw_days=settings.retention_raw_days,
        metrics_days=settings.retention_metrics_days,
        rollup_days=settings.retention_rollup_days,
    )
    return database


def build_intake(settings: Settings, database: Database, registry: CollectorRegistry) -> Intake:
    return Intake(database, settings.data, SelfMetrics(registry), spool_limit_bytes=int(settings.spool_limit))


def build_evaluator(settings: Settings, database: Database, catalog: SloCatalog) -> Evaluator:
    store = AlertStore(database, writer=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
    channels = [WebhookChannel(f"webhook-{index}", url) for index, url in enumerate(settings.webhooks, 1)]
    outbox = Outbox(channels, store, settings.dashboard_url)
    raw_retention = timedelta(days=settings.retention_raw_days)
    return Evaluator(database, catalog, store, outbox, raw_retention=raw_retention)


def build_catalog(settings: Settings, *, demo: bool) -> SloCatalog:
    """Return the SLO files of the settings, and those that the demo brings along."""
    return SloCatalog([*settings.slos, demo_folder() / "slos"] if demo else settings.slos)


def build_context(
    settings: Settings,
    database: Database,
    catalog: SloCatalog,
    registry: CollectorRegistry,
    *,
    intake: Intake | None = None,
    evaluator: Evaluator | None = None,
) -> Context:
    """Return what the API works with; it reports on an intake and an evaluator of the same process."""

    def ingest() -> list[m.IngestStatus]:
        lanes = intake.status() if intake else []
        return [m.IngestStatus.model_validate(lane, from_attributes=True) for lane in lanes]

    def tick() -> TickStatus:
        return TickStatus(evaluator.state.last_at, evaluator.state.last_error) if evaluator else TickStatus()

    return Context(database, catalog, registry, VERSION, addresses(settings), ingest, tick)


def addresses(settings: Settings) -> dict[str, str]:
    return {
        "dashboard": settings.dashboard_url,
        "api": settings.api_url,
        "otlp_http": f"http://{settings.otlp_http}",
        "otlp_grpc": f"http://{settings.otlp_grpc}",
    }


def housekeeping(settings: Settings, database: Database, now: datetime) -> None:
    """Do what is due every few minutes."""
    if settings.disk_budget is not None:
        enforce_disk_budget(database, int(settings.disk_budget), now=now)


def build_registry() -> CollectorRegistry:
    """Return a registry with the process's own numbers."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def watch_evaluator(registry: CollectorRegistry, evaluator: Evaluator) -> None:
    """Offer the evaluator's health and the objectives at /metrics."""
    state = evaluator.state
    Gauge("ninelives_tick_seconds", "Time of the last evaluation.", registry=registry).set_function(
        lambda: state.seconds
    )
    Gauge("ninelives_tick_timestamp_seconds", "When the last evaluation succeeded.", registry=registry).set_function(
        lambda: state.last_at.timestamp() if state.last_at else 0
    )
    registry.register(SloMetrics(evaluator))


def demo_folder() -> Path:
    """Return where the demo's files lie, without importing it."""
    found = importlib.util.find_spec("demo")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def demo_command(settings: Settings, *, through_proxy: bool = True, watch_stdin: bool = True) -> list[str]:
    """Return the command that runs the demo shop; its gateway calls orders through the fault proxy or directly."""
    base = settings.demo_port
    options = ["--endpoint", f"http://{settings.otlp_http}", "--data", str(settings.data), "--base-port", str(base)]
    if through_proxy:
        options += ["--orders-url", f"http://127.0.0.1:{base + 100}"]
    if watch_stdin:
        options += ["--watch-stdin"]
    return [sys.executable, "-m", "demo", "run", *options]


def write_demo_targets(settings: Settings) -> Path:
    """Write what the fault daemon may break in the demo, before the demo runs, and return the file."""
    options = ["--data", str(settings.data), "--base-port", str(settings.demo_port)]
    subprocess.run([sys.executable, "-m", "demo", "targets", *options], check=True, stdout=subprocess.DEVNULL)
    return settings.data / "demo" / "targets.yaml"


def fault_daemon_command(settings: Settings, targets: Path, *, watch_stdin: bool) -> list[str]:
    options = ["--faults", str(settings.faults), "--data", str(settings.data), "--targets", str(targets)]
    return [sys.executable, "-m", "ninelives", "chaos", "daemon", *options, *(["--watch-stdin"] if watch_stdin else [])]
