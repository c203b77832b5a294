"""An API for the pages: its routes, answered from the data of a small shop, on a real port."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from api import models as m
from tests.unit import dashboard_chaos
from tests.unit.dashboard_alerts import incident, incident_metrics, incident_record, record, silence
from tests.unit.dashboard_answers import (
    ATTACK,
    SERVICES,
    TRACE_ID,
    alerts,
    caches,
    now,
    runs,
    service,
    slos,
    status,
    trace,
)
from tests.unit.dashboard_explanations import backfill, backtest, correction, explanation, forecast
from tests.unit.dashboard_regressions import operation_change, regressions
from tests.unit.dashboard_signals import Kept, finding, ingest, log, metric, metric_name, minutes, red_points


def _page(items: list[m.Model]) -> dict[str, object]:
    return {"items": [item.model_dump(mode="json") for item in items], "next_cursor": None}


def _one(items: list[m.Model], item_id: str) -> Response:
    for item in items:
        if item.id == item_id:
            return JSONResponse(item.model_dump(mode="json"))
    problem = m.Problem(title="Not found", status=404, detail=f"nothing is called {item_id!r}")
    return JSONResponse(problem.model_dump(mode="json"), status_code=404)


def build_api(*, empty: bool = False) -> FastAPI:
    """Return an API that answers from the shop's data, or as one that has seen nothing yet."""
    app = FastAPI()
    app.state.asked = []
    app.state.may_operate = True
    app.state.channels = [m.AlertChannel(name="oncall/slack-1", receiver="oncall", kind="slack")]
    kept = (lambda items: []) if empty else (lambda items: items)

    @app.middleware("http")
    async def remember(request: Request, call_next):
        app.state.asked.append((request.url.path, dict(request.query_params)))
        return await call_next(request)

    @app.get("/api/v1/status")
    def get_status():
        return status(empty=empty).model_copy(update={"may_operate": app.state.may_operate})

    pages = (_service_routes, _trace_routes, _slo_routes, _cache_routes, _signal_routes, dashboard_chaos.routes)
    for routes in (*pages, _alert_routes, _silence_and_incident_routes):
        routes(app, kept)
    return app


def _service_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/services")
    def get_services(window_s: int):
        return _page(kept([service(*row) for row in SERVICES]))

    @app.get("/api/v1/services/{name}")
    def get_service(name: str, environment: str, window_s: int):
        found = [row for row in SERVICES if row[0] == name]
        if not kept(found):
            return _one([], name)
        operations = [
            m.Operation(
                name=operation,
                kind="server",
                requests=1000,
                errors=errors,
                rate_per_s=1.1,
                error_ratio=errors / 1000,
                p50_ms=12.0,
                p95_ms=420.5,
            )
            for operation, errors in (("GET /cart", 0), ("POST /orders", 42))
        ]
        return m.ServiceDetail(service=service(*found[0]), series=red_points(window_s), operations=operations)

    @app.get("/api/v1/services/{name}/regressions")
    def get_regressions(name: str, environment: str, against: str):
        items = kept([operation_change(), operation_change(measure="errors", verdict="same")])
        return regressions(service=name, environment=environment, against=against, items=items)


def _trace_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/traces")
    def get_traces():
        whole = trace()
        summaries = [
            m.TraceSummary(
                trace_id=TRACE_ID if i == 0 else f"{i:032x}",
                started_at=now() - timedelta(seconds=7 * i + 3),
                duration_ms=whole.duration_ms / (i + 1),
                service="web-gateway",
                name="GET /checkout" if i != 1 else ATTACK,
                spans=6 * (i + 1),
                errors=1 if i % 3 == 0 else 0,
                services=whole.services,
            )
            for i in range(12)
        ]
        return _page(kept(summaries))

    @app.get("/api/v1/traces/{trace_id}")
    def get_trace(trace_id: str):
        return trace() if kept([1]) and trace_id == TRACE_ID else _one([], trace_id)


def _slo_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/slos")
    def get_slos():
        return _page(kept(slos()))

    @app.get("/api/v1/slos/{slo_id}")
    def get_slo(slo_id: str):
        return _one(kept(slos()), slo_id)

    @app.get("/api/v1/slos/{slo_id}/minutes")
    def get_minutes(slo_id: str, window_s: int, step_s: int):
        return _page(minutes(window_s, step_s))

    @app.get("/api/v1/slos/{slo_id}/forecast")
    def get_forecast(slo_id: str):
        return _page(kept([forecast("last 1 h", 1, 2.0), forecast("last 24 h", 24, None)]))

    @app.get("/api/v1/slos/{slo_id}/explanation")
    def get_explanation(slo_id: str, window_s: int):
        return explanation(window_s)

    @app.get("/api/v1/slos/{slo_id}/corrections")
    def get_corrections(slo_id: str, window_s: int):
        return _page(kept([correction()]))

    @app.get("/api/v1/backfills")
    def get_backfills():
        return _page(kept([backfill()]))

    @app.post("/api/v1/slos/backtest")
    def post_backtest(asked: m.BacktestRequest):
        return _page([backtest(asked)])

    @app.post("/api/v1/slos/{slo_id}/adopt", status_code=201)
    def adopt(slo_id: str):
        return m.AdoptedSlo(slo_id=slo_id, path=f"slos/{slo_id}.yaml", text="kind: SLO")


def _alert_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/alerts")
    def get_alerts(state: str = ""):
        return _page(kept([item for item in alerts() if state in ("", item.state)]))

    @app.get("/api/v1/alerts/channels")
    def get_channels():
        return _page(app.state.channels)

    @app.get("/api/v1/alerts/{alert_id}")
    def get_alert(alert_id: str):
        return _one(kept([record(item) for item in alerts()]), alert_id)

    @app.post("/api/v1/alerts/{alert_id}/acknowledge")
    def acknowledge(alert_id: str, asked: m.NewAcknowledgement):
        if not asked.author:
            problem = m.Problem(title="Refused", status=422, detail="author is empty; write who has it")
            return JSONResponse(problem.model_dump(mode="json"), status_code=422)
        app.state.acknowledged = (alert_id, asked)
        return _one([record(item) for item in alerts()], alert_id)


def _silence_and_incident_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/silences")
    def get_silences():
        return _page(kept([silence()]))

    @app.post("/api/v1/silences")
    def add_silence(asked: m.NewSilence):
        app.state.silenced = asked
        return silence().model_copy(update={"matchers": asked.matchers, "ends_at": asked.ends_at})

    @app.post("/api/v1/silences/{silence_id}/expire")
    def expire_silence(silence_id: str):
        app.state.expired = silence_id
        return silence().model_copy(update={"state": "expired"})

    @app.get("/api/v1/incidents")
    def get_incidents():
        return _page(kept([incident()]))

    @app.get("/api/v1/incidents/metrics")
    def get_incident_metrics():
        return _page(kept([incident_metrics()]))

    @app.get("/api/v1/incidents/{incident_id}")
    def get_incident(incident_id: str):
        return _one(kept([incident_record()]), incident_id)

    @app.post("/api/v1/incidents/{incident_id}/notes")
    def add_note(incident_id: str, note: m.NewIncidentNote):
        app.state.noted = (incident_id, note)
        return m.IncidentNote(at=now(), author=note.author, text=note.text)


def _cache_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/caches")
    def get_caches():
        return _page(kept(caches()))

    @app.get("/api/v1/annotations")
    def get_annotations():
        bands = [
            m.Annotation(
                id=run.id,
                kind="chaos",
                title=run.title,
                started_at=run.started_at,
                ended_at=run.ended_at,
                services=run.services,
            )
            for run in runs()
        ]
        return _page(kept(bands))


def _signal_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/ingest")
    def get_ingest(window_s: int):
        return ingest(window_s, kept)

    @app.get("/api/v1/checks")
    def get_checks(service: str = ""):
        return m.TelemetryChecks(as_of=now(), window_s=3600, checks=["a", "orphan_spans"], items=kept([finding()]))

    @app.get("/api/v1/metrics")
    def get_metrics():
        return _page(kept([metric_name()]))

    @app.get("/api/v1/metrics/{name}")
    def get_metric(name: str, window_s: int):
        return metric(window_s)

    @app.get("/api/v1/logs")
    def get_logs():
        return m.Page(items=kept([log(i) for i in range(3)]), next_cursor=kept("7.1") or None)


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve *app* on this machine (0: on a free port) and yield its address."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)
