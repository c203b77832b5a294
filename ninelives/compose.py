"""Puts the parts together from the settings."""

import importlib.util
import logging
import socket
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, GCCollector, PlatformCollector, ProcessCollector

from alerts.alerting_file import AlertingFile
from api import models as m
from api.context import Context, TickStatus
from collector.admission.admission import Admission
from collector.admission.pressure import PressureSampler, Priority
from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from collector.stage_report import StageReporter
from collector.transport.http_server import GuardedServer, HttpServer
from collector.transport.otlp_grpc import OtlpGrpcServer
from collector.transport.otlp_http import build_app as build_otlp_http
from collector.transport.tls import load_tls
from dashboard import launch as dashboard_launch
from evaluator.alert_store import AlertStore
from evaluator.revisions import RevisionKeeper
from evaluator.scheduler import Scheduler
from evaluator.tick import Evaluator
from ninelives.access import Access, otlp_headers, seen_from_outside, write_secret
from ninelives.alerting import Alerting, build_signer, public_api_url, read_alerting
from ninelives.authorship import author, commit_of
from ninelives.launcher import Launcher
from ninelives.settings import Settings
from ninelives.signs_of_life import build_signs_of_life
from ninelives.slo_events import EventTotals
from ninelives.slo_metrics import SloMetrics
from ninelives.toolkit_runs import read_journal
from ninelives.version import VERSION
from slo.errors import SloFileProblem
from storage.cardinality import limit_operations
from storage.client import Database
from storage.retention import enforce_disk_budget
from storage.series_limits import limit_series
from storage.sli_minutes import windows
from storage.slo_catalog import SloCatalog
from storage.tokens import Tokens

log = logging.getLogger(__name__)

RECEIVER = "default"  # whom the webhooks of the settings belong to
GROUP_BY = ("service_name", "environment")
GROUP_INTERVAL = timedelta(minutes=1)


def build_intake(
    settings: Settings, database: Database, registry: CollectorRegistry, tokens: Tokens | None = None
) -> Intake:
    admission = Admission(
        tokens=tokens,
        inflight_limit_bytes=int(settings.inflight_limit),
        priorities={name: Priority[word.upper()] for name, word in (settings.priorities or {}).items()},
        sampler=PressureSampler(),
    )
    return Intake(
        database,
        settings.data,
        SelfMetrics(registry),
        spool_limit_bytes=int(settings.spool_limit),
        spool_age_limit_s=settings.spool_age_limit_s,
        fsync=settings.spool_fsync,
        item_limit=settings.item_limit,
        admission=admission,
    )


def build_receivers(settings: Settings, intake: Intake, otlp_http: socket.socket) -> tuple[HttpServer, OtlpGrpcServer]:
    """Return the OTLP listeners: HTTP on the bound socket *otlp_http*, and gRPC on its address."""
    limit, timeout_s, connections = int(settings.body_limit), settings.otlp_timeout_s, settings.otlp_connections
    tls = load_tls(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    grpc = OtlpGrpcServer(intake, body_limit_bytes=limit, timeout_s=timeout_s, connections=connections)
    grpc.listen(str(settings.otlp_grpc), tls)
    app = build_otlp_http(
        intake,
        body_limit_bytes=limit,
        timeout_s=timeout_s,
        path_prefix=settings.otlp_path_prefix,
        cors_origins=settings.otlp_cors_origins,
    )
    context = None if tls is None else tls.context
    http = GuardedServer(app, otlp_http, timeout_s=timeout_s, connections=connections, tls=context)
    intake.metrics.watch_connections("otlp_http", lambda: len(http.server_state.connections))
    return http, grpc


def build_evaluator(settings: Settings, database: Database, catalog: SloCatalog, alerting: Alerting) -> Evaluator:
    revisions = RevisionKeeper(database, writer=alerting.writer, author=author(), commit_of=commit_of)
    return Evaluator(
        database,
        catalog,
        AlertStore(database, writer=alerting.writer),
        raw_retention=timedelta(days=settings.retention_raw_days),
        dispatcher=alerting.dispatcher,
        evidence=alerting.evidence,
        sources=alerting.sources,
        retired=alerting.retired,
        metrics_retention=timedelta(days=settings.retention_metrics_days),
        rollup_retention=timedelta(days=settings.retention_rollup_days),
        revisions=revisions,
    )


def build_scheduler(
    settings: Settings, database: Database, evaluator: Evaluator, alerting: Alerting, registry: CollectorRegistry
) -> Scheduler:
    parts = {"the tick": lambda: evaluator.state.last_at, "delivery": alerting.courier.worked_at}
    signs = build_signs_of_life(database, alerting.file.load, parts, alerting.links, alerting.sign)
    registry.register(signs.metrics)
    return Scheduler(
        evaluator.tick,
        lambda now: limit_cardinality(settings, database, now),
        lambda now: housekeeping(settings, database, now),
        evaluator.backfill,
        peers=signs.peers.tick,
        heartbeat=signs.heartbeat.beat,
        stop=evaluator.stop,
    )


def build_catalog(settings: Settings, *, demo: bool) -> SloCatalog:
    """Return the SLO files of the settings, and those that the demo brings along."""
    return SloCatalog([*settings.slos, demo_folder() / "slos"] if demo else settings.slos)


def build_launcher(settings: Settings, access: Access, *, demo: bool) -> Launcher:
    """Return what starts the experiments of the settings, and those that the demo brings along."""
    folders = [*settings.experiments, demo_folder() / "experiments"] if demo else settings.experiments
    return Launcher(settings, folders, token=access.chaos or settings.token)


def build_context(
    settings: Settings,
    database: Database,
    catalog: SloCatalog,
    registry: CollectorRegistry,
    *,
    intake: Intake | None = None,
    evaluator: Evaluator | None = None,
    alerting: Alerting | None = None,
    tokens: Tokens | None = None,
    reporter: StageReporter | None = None,
    launcher: Launcher | None = None,
) -> Context:
    """Return what the API works with; it reports on an intake and an evaluator of the same process."""

    def ingest() -> list[m.IngestStatus]:
        lanes = intake.status() if intake else []
        return [m.IngestStatus.model_validate(lane, from_attributes=True) for lane in lanes]

    def tick() -> TickStatus:
        return TickStatus(evaluator.state.last_at, evaluator.state.last_error) if evaluator else TickStatus()

    def rule_problems() -> list[str]:
        found = alerting.thresholds.problems.values() if alerting else ()
        return [text for texts in found for text in texts]

    def letters() -> list[m.DeadLetter]:
        found = reporter.letters() if reporter else []
        return [m.DeadLetter(**asdict(letter) | {"file": letter.path.name}) for letter in found]

    def problems() -> dict[str, list[str]]:
        return evaluator.state.problems if evaluator else {}

    file = alerting.file if alerting else read_alerting(settings)

    return Context(
        database,
        catalog,
        registry,
        VERSION,
        addresses(settings),
        public_url=public_api_url(settings),
        ingest=ingest,
        tick=tick,
        tokens=tokens,
        links=build_signer(settings),
        channels=lambda: file.load().told,
        alerting_problems=lambda: [*map(str, _problems(file)), *rule_problems()],
        reports=reporter.recent if reporter else list,
        dead_letters=letters,
        slo_problems=problems,
        launcher=launcher,
        read_journal=read_journal,
    )


def _problems(alerting: AlertingFile) -> tuple[SloFileProblem, ...]:
    alerting.load()
    return alerting.problems


def addresses(settings: Settings) -> dict[str, str]:
    otlp = "https" if settings.tls_cert else "http"
    return {
        "dashboard": settings.dashboard_url,
        "api": f"http://{seen_from_outside(settings.api)}",
        "otlp_http": f"{otlp}://{seen_from_outside(settings.otlp_http)}",
        "otlp_grpc": f"{otlp}://{seen_from_outside(settings.otlp_grpc)}",
    }


def limit_cardinality(settings: Settings, database: Database, now: datetime) -> None:
    """Keep services that put ids into span names, routes or attributes of metrics from flooding the database."""
    for service in limit_operations(database, limit=settings.operation_limit, now=now):
        log.warning(
            "%s sent more than %d operation names or routes within an hour: further ones are counted as __other__;"
            " ids belong into attributes, not into names",
            service,
            settings.operation_limit,
        )
    for service in limit_series(database, limit=settings.series_limit, now=now):
        log.warning(
            "%s sent more than %d metric series within an hour: new ones are stored as one series of each metric, with"
            " the attribute otel.metric.overflow; take ids out of its metrics' attributes",
            service,
            settings.series_limit,
        )


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


def watch_evaluator(registry: CollectorRegistry, evaluator: Evaluator, database: Database) -> None:
    """Offer the evaluator's health and the objectives at /metrics."""
    state = evaluator.state
    Gauge("ninelives_tick_seconds", "Time of the last evaluation.", registry=registry).set_function(
        lambda: state.seconds
    )
    Gauge("ninelives_tick_timestamp_seconds", "When the last evaluation succeeded.", registry=registry).set_function(
        lambda: state.last_at.timestamp() if state.last_at else 0
    )
    totals = EventTotals(lambda series, lengths, end: windows(database, series, lengths, end=end))
    registry.register(SloMetrics(state, totals))


def dashboard_command(settings: Settings, access: Access) -> list[str]:
    """Return the command that serves the dashboard, which may read with a token of its own."""
    host, port = settings.dashboard
    token_file = settings.data / "dashboard.token" if access.dashboard else None
    if token_file is not None:
        write_secret(token_file, access.dashboard)
    return dashboard_launch.command(host, port, settings.api_url, token_file=token_file)


def demo_environment(access: Access) -> dict[str, str]:
    """Return what the demo's exporters are told by the environment."""
    return {"OTEL_EXPORTER_OTLP_HEADERS": otlp_headers(access.demo)} if access.demo else {}


def demo_folder() -> Path:
    """Return where the demo's files lie, without importing it."""
    found = importlib.util.find_spec("demo")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def demo_command(settings: Settings, *, through_proxy: bool = True, watch_stdin: bool = True) -> list[str]:
    """Return the command that runs the demo shop; its services call each other through fault proxies or directly."""
    endpoint = f"http://{settings.otlp_http.local}"
    options = ["--endpoint", endpoint, "--data", str(settings.data), "--base-port", str(settings.demo_port)]
    if through_proxy:
        options += ["--through-proxy"]
    if watch_stdin:
        options += ["--watch-stdin"]
    return [sys.executable, "-m", "demo", "run", *options]


def demo_ports(settings: Settings) -> list[int]:
    """Return the ports of the demo's services and of the fault proxies between them."""
    base = settings.demo_port
    return [*range(base, base + 5), *range(base + 100, base + 103)]


def write_demo_targets(settings: Settings) -> Path:
    """Write what the fault daemon may break in the demo, before the demo runs, and return the file."""
    options = ["--data", str(settings.data), "--base-port", str(settings.demo_port)]
    subprocess.run([sys.executable, "-m", "demo", "targets", *options], check=True, stdout=subprocess.DEVNULL)
    return settings.data / "demo" / "targets.yaml"


def fault_daemon_command(settings: Settings, targets: Path, *, watch_stdin: bool) -> list[str]:
    options = ["--faults", str(settings.faults), "--data", str(settings.data), "--targets", str(targets)]
    return [sys.executable, "-m", "ninelives", "chaos", "daemon", *options, *(["--watch-stdin"] if watch_stdin else [])]
