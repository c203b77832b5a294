"""The HTTP API: `/api/v1`, the probes, and OpenAPI at `/docs`."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import problem
from api.auth import DOCUMENTED, Authentication
from api.body_limit import BodyLimit
from api.context import Context
from api.routes import (
    alerts,
    annotations,
    counts,
    evidence,
    experiments,
    incidents,
    ingest,
    logs,
    maintenance,
    metrics,
    regressions,
    run_effects,
    runs,
    services,
    silences,
    slo_backfills,
    slo_double_entry,
    slo_explanations,
    slo_history,
    slo_suggestion,
    slos,
    status,
    traces,
)


def build_app(context: Context) -> FastAPI:
    """Return the API over *context*. Every error is an RFC 9457 problem document."""
    # FastAPI's own /docs loads its scripts from another host
    app = FastAPIOffline(title="Ninelives", version=context.version, redoc_url=None)
    app.state.context = context
    # regressions first: the name of a service may hold slashes, and would take in what follows it
    signals = (regressions, services, traces, counts, metrics, logs)
    objectives = (
        slo_history,
        slos,
        slo_backfills,
        slo_double_entry,
        slo_explanations,
        slo_suggestion,
        maintenance,
        alerts,
        silences,
        incidents,
        evidence,
    )
    for module in (*signals, *objectives, runs, run_effects, experiments, annotations, ingest, status):
        app.include_router(module.router, prefix="/api/v1", dependencies=[DOCUMENTED])
    app.include_router(status.probes)
    problem.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Authentication, tokens=context.tokens, links=context.links)
    return app
