"""Every page against a real HTTP server that answers with the API's own models: with data, before data, and down."""

import json
import math
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from streamlit.testing.v1 import AppTest

import dashboard
from api import models as m
from dashboard.navigation import ENTRIES

APP = Path(dashboard.__file__).with_name("streamlit_app.py")
ATTACK = "<img src=x onerror=alert(1)>"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
GUILTY = "00f067aa0ba902b7"

# what a page about one entity is asked for
QUERIES = {
    "service": {"name": "checkout", "environment": "prod"},
    "trace": {"trace": TRACE_ID},
    "slo": {"id": "checkout-availability"},
    "alert": {"id": "a-1"},
    "run": {"id": "r-41"},
}


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _service(name: str, environment: str, requests: int, errors: int, p95: float | None) -> m.Service:
    return m.Service(
        name=name,
        environment=environment,
        versions=["1.8.2"],
        window_s=900,
        requests=requests,
        errors=errors,
        rate_per_s=requests / 900,
        error_ratio=errors / requests if requests else None,
        p50_ms=p95 / 4 if p95 else None,
        p95_ms=p95,
        p99_ms=p95 * 2 if p95 else None,
        last_seen=_now() - timedelta(seconds=4),
    )


SERVICES = [
    ("checkout", "prod", 395_100, 16_594, 413.0),
    ("payments", "prod", 120_000, 9_120, 812.5),
    ("inventory", "prod", 210_400, 12, 38.2),
    ("web-gateway", "prod", 801_000, 402, 92.0),
    ("recommendations-engine-v2", "staging", 0, 0, None),
]


def _slo(slo_id: str, service: str, kind: str, state: str, left: float | None, **changes: object) -> m.Slo:
    total = 0 if left is None else 1_000_000
    bad = 0 if left is None else round((1 - left) * 1000)
    values: dict[str, object] = {
        "id": slo_id,
        "service": service,
        "name": slo_id.removeprefix(f"{service}-"),
        "objective": 0.999 if kind == "availability" else 0.95,
        "window": "30d",
        "environment": "prod",
        "draft": False,
        "kind": kind,
        "threshold_ms": 300.0 if kind == "latency" else None,
        "percentile_ms": 412.7 if kind == "latency" else None,
        "coverage": 1.0,
        "state": state,
        "provisional": False,
        "low_confidence": False,
        "sli": 1 - bad / total if total else None,
        "good": total - bad,
        "bad": bad,
        "total": total,
        "error_budget_remaining": left,
        "burn_rates": {"6h": 3.1, "5m": 15.1, "1h": 14.24, "3d": 0.9} if total else {"1h": None, "5m": None},
        "hour": m.WindowCounts(
            window="1h",
            sli=0.958 if total else None,
            good=958 if total else 0,
            bad=42 if total else 0,
            total=1000 if total else 0,
            error_budget_remaining=-41.0 if total else None,
        ),
        "policy": "occurrences",
        "source": "slos/checkout.yaml",
        "as_of": _now(),
    }
    return m.Slo.model_validate(values | changes)


def slos() -> list[m.Slo]:
    calm = {"5m": 0.1, "1h": 0.02, "6h": 0.2, "3d": 0.3}
    return [
        _slo("inventory-availability", "inventory", "availability", "ok", 0.972, burn_rates=calm, draft=True),
        _slo("checkout-availability", "checkout", "availability", "burning", 0.024, description="Buying must work."),
        _slo("payments-availability", "payments", "availability", "exhausted", -0.109),
        _slo("checkout-p95", "checkout", "latency", "at_risk", 0.2, provisional=True, coverage=0.031, draft=True),
        _slo("web-gateway-availability", "web-gateway", "availability", "ok", 0.61, burn_rates=calm),
        _slo("recommendations-engine-v2-availability", "recommendations-engine-v2", "availability", "no_data", None),
    ]


def _span(span_id: str, parent: str, service: str, name: str, place: tuple[float, float, int]) -> m.Span:
    offset, length, depth = place
    failed = span_id == GUILTY
    return m.Span(
        span_id=span_id,
        parent_span_id=parent,
        service=service,
        environment="prod",
        version="1.8.2",
        name=name,
        kind="server",
        started_at=_now(),
        offset_ms=offset,
        duration_ms=length,
        depth=depth,
        status="error" if failed else "unset",
        status_message="card declined" if failed else "",
        error=failed,
        scope="opentelemetry.instrumentation.fastapi",
        attributes={"http.route": "/pay", "http.response.status_code": 500 if failed else 200, "note": ATTACK},
        resource={"service.name": service, "host.name": "node-1"},
        events=[
            m.SpanEvent(
                name="exception",
                offset_ms=12.0,
                attributes={"exception.type": "CardDeclined", "exception.stacktrace": "Traceback\n  line 1\n  line 2"},
            )
        ]
        if failed
        else [],
        links=[],
    )


def trace() -> m.Trace:
    spans = [
        _span("a000000000000001", "", "web-gateway", "GET /checkout", (0, 2400, 0)),
        _span("a000000000000002", "a000000000000001", "checkout", "POST /orders", (10, 2300, 1)),
        _span("a000000000000003", "a000000000000002", "inventory", ATTACK, (20, 0.7, 2)),
        _span("a000000000000004", "a000000000000002", "payments", "charge", (900, 976, 2)),
        _span(GUILTY, "a000000000000004", "payments", "INSERT payments", (950, 223, 3)),
        _span("a000000000000006", "a000000000000002", "checkout", "publish order.created", (2200, 80, 2)),
    ]
    return m.Trace(
        trace_id=TRACE_ID,
        started_at=_now(),
        duration_ms=2400,
        services=["web-gateway", "checkout", "inventory", "payments"],
        errors=1,
        spans=spans,
    )


def _alert(alert_id: str, slo_id: str, severity: str, state: str, minutes_ago: int) -> m.Alert:
    started = _now() - timedelta(minutes=minutes_ago)
    return m.Alert(
        id=alert_id,
        slo_id=slo_id,
        service="checkout",
        environment="prod",
        severity=severity,
        state=state,
        started_at=started,
        resolved_at=started + timedelta(minutes=9) if state == "resolved" else None,
        summary="checkout availability burns its 30-day budget 14.2 times too fast (1 h 14.2x, 5 m 15.1x, limit 14.4x)",
        exemplar_trace_ids=[TRACE_ID, "5bf92f3577b34da6a3ce929d0e0e4737"],
        details={
            "burn_rates": {"1h": 14.24, "5m": 15.1},
            "contributors": [{"http.route": "/pay", "bad": 812, "share": 0.93}, {"http.route": "/cart", "bad": 61}],
        },
        delivered=True,
    )


def alerts() -> list[m.Alert]:
    return [
        _alert("a-0", "payments-availability", "ticket", "resolved", 600),
        _alert("a-1", "checkout-availability", "page", "firing", 27),
        _alert("a-2", "checkout-p95", "ticket", "pending", 3),
    ]


def runs() -> list[m.Run]:
    start = _now() - timedelta(minutes=30)
    edges = [start + timedelta(seconds=offset) for offset in (0, 60, 180, 240)]
    finding = m.Finding(
        hypothesis="checkout stays available",
        service="checkout",
        sli="availability",
        verdict="deviated",
        control_bad=12,
        control_total=24_000,
        treatment_bad=990,
        treatment_total=24_010,
        difference=0.0407,
        interval_low=0.0381,
        interval_high=0.0434,
        margin=0.001,
        confidence=0.95,
        control_p95_ms=120.0,
        treatment_p95_ms=413.0,
        reason="the whole interval lies above the margin",
    )
    held = {"verdict": "held", "sli": "latency", "difference": 0.0, "interval_low": -0.0004, "interval_high": 0.0004}
    finished = m.Run(
        id="r-41",
        experiment="redis-latency",
        title="redis +300 ms",
        status="finished",
        verdict="deviated",
        started_at=start,
        ended_at=edges[-1],
        heartbeat_at=edges[-1],
        environment="prod",
        services=["checkout", "redis-cache"],
        fault={"kind": "latency", "latency_ms": 300},
        windows=[
            m.RunWindow(phase=phase, started_at=begin, ended_at=end)
            for phase, begin, end in zip(("baseline", "fault", "recovery"), edges, edges[1:], strict=False)
        ],
        findings=[finding, finding.model_copy(update=held)],
        summary="checkout did not stay available while redis was slow.",
    )
    running = {"id": "r-42", "status": "running", "verdict": None, "started_at": _now() - timedelta(seconds=40)}
    fresh = {"ended_at": None, "heartbeat_at": _now(), "title": "payments loses 20 %", "windows": [], "findings": []}
    return [finished, finished.model_copy(update=running | fresh)]


def caches() -> list[m.Cache]:
    start = _now() - timedelta(hours=1)
    points = [
        m.CachePoint(
            at=start + timedelta(minutes=i), hits=0 if 20 <= i < 25 else 900 - i, misses=0 if 20 <= i < 25 else 130
        )
        for i in range(60)
    ]
    spans = m.Cache(
        name="redis-cache",
        service="checkout",
        environment="prod",
        source="spans",
        window_s=3600,
        hits=52_100,
        misses=7_150,
        hit_ratio=52_100 / 59_250,
        hit_latency=m.LatencyGroup(requests=52_100, p50_ms=0.4, p95_ms=1.2),
        miss_latency=m.LatencyGroup(requests=7_150, p50_ms=18.0, p95_ms=41.0),
        series=points,
    )
    changes = {"name": "page-cache", "source": "metrics", "hit_latency": None, "miss_latency": None, "hit_ratio": None}
    return [spans, spans.model_copy(update=changes | {"hits": 0, "misses": 0, "series": []})]


def status(*, empty: bool) -> m.Status:
    return m.Status(
        version="0.1.0",
        started_at=_now() - timedelta(minutes=5),
        spans_stored=0 if empty else 1_234_567,
        services=0 if empty else 5,
        newest_span_at=None if empty else _now() - timedelta(seconds=3),
        last_tick_at=_now(),
        last_tick_error="",
        addresses={"otlp_http": "http://127.0.0.1:14318"},
        ingest=[
            m.IngestStatus(
                signal="traces",
                accepted_items=0 if empty else 1_234_567,
                spool_bytes=0,
                spool_segments=0,
                last_stored_at=None,
                dead_letters=0,
                last_error="",
            )
        ],
        slo_files=["slos/checkout.yaml"],
        slo_errors=[m.SloFileError(file="slos/broken.yaml", line=7, reason=f"target must be below 1 {ATTACK}")],
        notices=["The disk budget is not set."],
    )


def _red(window_s: int) -> list[m.RedPoint]:
    start = _now() - timedelta(seconds=window_s)
    step = max(window_s // 60, 15)
    points = []
    for i in range(60):
        requests = 0 if 30 <= i < 34 else 26_000 + round(4000 * math.sin(i / 6))
        slow = 413.0 if i > 40 else 120.0
        points.append(
            m.RedPoint(
                at=start + timedelta(seconds=i * step),
                requests=requests,
                errors=round(requests * (0.04 if i > 40 else 0.0005)),
                p50_ms=slow / 4 + i % 5 if requests else None,
                p95_ms=slow + 3 * (i % 7) if requests else None,
            )
        )
    return points


def _minutes(window_s: int, step_s: int) -> list[m.SloMinute]:
    amount = window_s // step_s
    start = _now() - timedelta(seconds=window_s)
    points = []
    for i in range(amount):
        quiet = amount // 3 < i < amount // 3 + 5
        total = 0 if quiet else 1000
        bad = 0 if quiet else 45 if i > amount * 0.7 else 1
        left = None if quiet else 0.9 - 0.2 * i / amount - (max(i - amount * 0.7, 0) / amount) * 3
        points.append(
            m.SloMinute(
                at=start + timedelta(seconds=i * step_s),
                good=total - bad,
                bad=bad,
                total=total,
                error_budget_remaining=left,
            )
        )
    return points


def _page(items: list[m.Model]) -> dict[str, object]:
    return {"items": [item.model_dump(mode="json") for item in items], "next_cursor": None}


def _one(items: list[m.Model], item_id: str) -> Response:
    for item in items:
        if item.id == item_id:
            return JSONResponse(item.model_dump(mode="json"))
    problem = m.Problem(title="Not found", status=404, detail=f"nothing is called {item_id!r}")
    return JSONResponse(problem.model_dump(mode="json"), status_code=404)


Kept = Callable[[list], list]


def build_api(*, empty: bool = False) -> FastAPI:
    """Return an API that answers from the data above, or as one that has seen nothing yet."""
    app = FastAPI()
    app.state.asked = []
    kept = (lambda items: []) if empty else (lambda items: items)

    @app.middleware("http")
    async def remember(request: Request, call_next):
        app.state.asked.append((request.url.path, dict(request.query_params)))
        return await call_next(request)

    @app.get("/api/v1/status")
    def get_status():
        return status(empty=empty)

    for routes in (_service_routes, _trace_routes, _slo_routes, _cache_and_run_routes, _signal_routes):
        routes(app, kept)
    return app


def _service_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/services")
    def get_services(window_s: int):
        return _page(kept([_service(*row) for row in SERVICES]))

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
        return m.ServiceDetail(service=_service(*found[0]), series=_red(window_s), operations=operations)


def _trace_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/traces")
    def get_traces():
        whole = trace()
        summaries = [
            m.TraceSummary(
                trace_id=TRACE_ID if i == 0 else f"{i:032x}",
                started_at=_now() - timedelta(seconds=7 * i + 3),
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
        return _page(_minutes(window_s, step_s))

    @app.get("/api/v1/alerts")
    def get_alerts(state: str = ""):
        return _page(kept([item for item in alerts() if state in ("", item.state)]))

    @app.get("/api/v1/alerts/{alert_id}")
    def get_alert(alert_id: str):
        return _one(kept(alerts()), alert_id)


def _cache_and_run_routes(app: FastAPI, kept: Kept) -> None:
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

    @app.get("/api/v1/runs")
    def get_runs():
        return _page(kept(runs()))

    @app.get("/api/v1/runs/{run_id}")
    def get_run(run_id: str):
        return _one(kept(runs()), run_id)


def _signal_routes(app: FastAPI, kept: Kept) -> None:
    @app.get("/api/v1/ingest")
    def get_ingest(window_s: int):
        return _ingest(window_s, kept)

    @app.get("/api/v1/checks")
    def get_checks(service: str = ""):
        return m.TelemetryChecks(as_of=_now(), window_s=3600, checks=["a", "orphan_spans"], items=kept([_finding()]))

    @app.get("/api/v1/metrics")
    def get_metrics():
        return _page(kept([_metric_name()]))

    @app.get("/api/v1/metrics/{name}")
    def get_metric(name: str, window_s: int):
        return _metric(window_s)

    @app.get("/api/v1/logs")
    def get_logs():
        return m.Page(items=kept([_log(i) for i in range(3)]), next_cursor=kept("7.1") or None)


def _ingest(window_s: int, kept: Kept) -> m.IngestHealth:
    counts = dict.fromkeys(
        ["received_items", "accepted_items", "rejected_items", "repeated_items", "refused_items", "found_items",
         "waiting_items", "stored_items", "put_aside_items", "unaccounted_items", "dead_letters", "damaged_requests",
         "spool_bytes", "shedding_level"], 3,
    )  # fmt: skip
    stage = m.IngestStage(
        collector="here:4318", signal="traces", at=_now(), started_at=_now() - timedelta(hours=1), refused_requests={},
        spool_fill=0.1, spool_oldest_s=2.0, breaker="closed", breaker_s=9.0, last_stored_at=_now(), last_error=ATTACK,
        final=False, **counts,
    )  # fmt: skip
    alarm = m.IngestAlarm(
        alarm="dead_letters", severity="warning", collector="here:4318", signal="traces", text=ATTACK, remedy="replay"
    )
    points = [
        m.IngestPoint(
            signal="traces", at=_now() - timedelta(minutes=9 - i), received=60, stored=60, rejected=0, refused=0,
            refused_requests=0,
        )
        for i in range(5)
    ]  # fmt: skip
    volumes = [
        m.ServiceVolume(service=ATTACK, environment="prod", signal=signal, items=60, last_at=_now())
        for signal in ("traces", "logs")
    ]
    letter = m.DeadLetter(signal="traces", at=_now(), items=None, size_bytes=10, reason=ATTACK, file="traces-1-0.pb")
    return m.IngestHealth(
        as_of=_now(), window_s=window_s, step_s=60, alarms=kept([alarm]), stages=kept([stage]), series=kept(points),
        services=kept(volumes), dead_letters=kept([letter]),
    )  # fmt: skip


def _finding() -> m.TelemetryFinding:
    return m.TelemetryFinding(
        check="orphan_spans", service="checkout", environment="prod", severity="critical", finding=ATTACK,
        remedy="set X=1", evidence={"orphans": 3.0}, examples=[TRACE_ID, ATTACK],
    )  # fmt: skip


def _metric_name() -> m.MetricName:
    return m.MetricName(
        metric="pay.duration", type="histogram", unit="ms", services=["checkout"], series=1, last_seen=_now()
    )


def _metric(window_s: int) -> m.Metric:
    steps = [m.MetricStep(at=_now() - timedelta(minutes=9 - i), value=1.0, quantiles={"0.95": 20.0}) for i in range(5)]
    exemplar = m.Exemplar(at=_now(), value=25.0, trace_id=TRACE_ID, span_id=GUILTY, attributes={"note": ATTACK})
    return m.Metric(
        kind=_metric_name(), kinds=[_metric_name()], start=_now() - timedelta(seconds=window_s), end=_now(), step_s=60,
        shown=1, total=1, warnings=["bounds do not fit"], items=[m.MetricSeries(labels={"route": ATTACK}, steps=steps)],
        exemplars=[exemplar],
    )  # fmt: skip


def _log(index: int) -> m.LogRecord:
    return m.LogRecord(
        at=_now() - timedelta(seconds=index), observed_at=None, service="checkout", environment="prod",
        severity_number=17, severity_text="ERROR", body=f"{ATTACK} {index}", event_name="", trace_id=TRACE_ID,
        span_id=GUILTY, attributes={"note": ATTACK}, dropped_attributes=0, resource={}, scope="",
    )  # fmt: skip


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


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    with serving(build_api()) as url:
        yield url


@pytest.fixture(scope="module")
def first_run() -> Iterator[str]:
    with serving(build_api(empty=True)) as url:
        yield url


@pytest.fixture(scope="module")
def down() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(autouse=True)
def closed_clients() -> Iterator[None]:
    """Give each test answers and connections of its own."""
    yield
    st.cache_resource.clear()


def open_page(monkeypatch: pytest.MonkeyPatch, api: str, path: str, **query: str) -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(APP), "--api", api])
    at = AppTest.from_file(str(APP), default_timeout=20)
    entry = next(entry for entry in ENTRIES if entry.path == path)
    at.run()
    for name, value in query.items():
        at.query_params[name] = value
    return at.switch_page(entry.script).run() if path else at


def drawn(at: AppTest) -> str:
    """Return the HTML of all panels and the text of the plain elements."""
    panels = [json.loads(element.proto.json)["html"] for element in at.get("bidi_component")]
    texts = [element.value for kind in ("markdown", "info", "warning", "error", "title") for element in at.get(kind)]
    return "\n".join([*panels, *texts])


PATHS = [entry.path for entry in ENTRIES]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_shows_its_data_without_an_error(path, filled, monkeypatch):
    at = open_page(monkeypatch, filled, path, **QUERIES.get(path, {}))
    assert not at.exception
    assert not at.error
    assert at.title
    assert at.get("bidi_component")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_before_the_first_span_says_what_to_do_next(path, first_run, monkeypatch):
    at = open_page(monkeypatch, first_run, path)
    assert not at.exception
    assert not at.error
    assert at.info, "no next step is shown"


@pytest.mark.parametrize("path", PATHS)
def test_a_page_without_its_api_shows_one_clear_error_and_retry(path, down, monkeypatch):
    at = open_page(monkeypatch, down, path, **QUERIES.get(path, {}))
    assert not at.exception
    assert len(at.error) == 1
    assert "The API cannot be read since" in at.error[0].value
    assert [button.label for button in at.button] == ["Retry"]


def test_the_overview_names_the_worst_first_and_links_to_its_trace(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, ""))
    assert (
        html.index("checkout availability burns") < html.index("payments · availability") < html.index("checkout · p95")
    )
    assert f"trace?trace={TRACE_ID}" in html
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in html


@pytest.mark.parametrize("path", ["", "slos"])
def test_a_broken_slo_file_is_named_with_its_line_and_reason(path, filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, path))
    assert "slos/broken.yaml, line 7" in html
    assert "target must be below 1" in html
    assert "<img" not in html


def test_the_first_run_guide_names_the_address_that_the_server_listens_on(first_run, monkeypatch):
    at = open_page(monkeypatch, first_run, "")
    code = "\n".join(block.value for block in at.code)
    assert "export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:14318" in code
    assert "Waiting for the first span" in at.info[0].value
    assert "host.docker.internal:14318" in code
    assert "--network host" in code


def test_a_span_named_like_an_attack_is_text(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "trace", trace=TRACE_ID))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html


def test_the_first_failed_span_is_open_when_no_span_is_named(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "trace", trace=TRACE_ID))
    assert "card declined" in html
    assert "CardDeclined" in html


def test_a_span_in_the_address_is_opened_instead_of_the_first_error(filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, "trace", trace=TRACE_ID, span="a000000000000001"))
    assert "card declined" not in html
    assert "node-1" in html


def test_an_unknown_entity_is_said_to_be_missing_not_broken(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "trace", trace="ffffffffffffffffffffffffffffffff")
    assert not at.error
    assert not at.exception
    assert "nothing is called" in at.warning[0].value


@pytest.mark.parametrize("path", ["service", "trace", "slo", "alert", "run"])
def test_an_entity_page_without_an_id_leads_to_the_list(path, filled, monkeypatch):
    at = open_page(monkeypatch, filled, path)
    assert not at.error
    assert at.page_link


def test_the_search_in_the_address_is_the_search_that_is_asked(monkeypatch):
    app = build_api()
    with serving(app) as url:
        monkeypatch.setattr(sys, "argv", [str(APP), "--api", url])
        at = AppTest.from_file(str(APP), default_timeout=20)
        at.run()
        for name, value in {"service": "payments", "errors": "true", "min_ms": "250", "operation": "charge"}.items():
            at.query_params[name] = value
        at.switch_page("pages_/traces_page.py").run()
    assert not at.exception
    asked = [query for path, query in app.state.asked if path == "/api/v1/traces"][-1]
    assert asked["service"] == "payments"
    assert asked["operation"] == "charge"
    assert asked["errors_only"] == "true"
    assert float(asked["min_duration_ms"]) == 250


def test_the_service_page_asks_for_the_environment_in_the_address(monkeypatch):
    app = build_api()
    with serving(app) as url:
        open_page(monkeypatch, url, "service", name="checkout", environment="prod")
    assert [query["environment"] for path, query in app.state.asked if path == "/api/v1/services/checkout"] == ["prod"]


def test_an_answer_is_read_once_in_a_few_seconds_however_many_pages_show_it(monkeypatch):
    app = build_api()
    with serving(app) as url:
        for path in ("", "slos", "slos"):
            open_page(monkeypatch, url, path)
    assert [path for path, _ in app.state.asked].count("/api/v1/slos") == 1


def test_a_page_recovers_with_retry_when_the_api_is_back(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    at = open_page(monkeypatch, f"http://127.0.0.1:{port}", "slos")
    assert at.error
    with serving(build_api(), port):
        at.button[0].click().run()
        assert not at.error
        assert "payments · availability" in drawn(at)


def test_an_api_of_another_version_is_an_error_that_says_so(monkeypatch):
    app = FastAPI()

    @app.get("/api/v1/status")
    def get_status():
        return {"version": "9"}

    with serving(app) as url:
        at = open_page(monkeypatch, url, "")
    assert not at.exception
    assert "same version" in at.error[0].value


def test_the_budget_chart_draws_the_chaos_run_as_a_band_and_the_alert_as_a_marker(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="checkout-availability")
    specs = [json.loads(chart.proto.spec) for chart in at.get("echarts_chart")]
    first = specs[0]["series"][0]
    assert "redis +300 ms" in [entry[0]["name"] for entry in first["markArea"]["data"]]
    assert [entry["name"] for entry in first["markLine"]["data"]] == ["Alert (page)"]
    assert all(spec["animation"] is False for spec in specs)
    assert all(chart.proto.alt for chart in at.get("echarts_chart"))


def test_a_draft_shows_the_command_that_adopts_it(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slo", id="inventory-availability")
    assert at.code[0].value == "ninelives slo adopt inventory-availability"


def test_live_off_stops_the_refresh_and_stays_off_on_the_next_page(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "slos")
    assert at.get("bidi_component")
    at.toggle(key="live").set_value(False).run()
    assert at.switch_page("pages_/alerts_page.py").run().toggle(key="live").value is False


def test_a_name_in_the_address_cannot_load_an_image(filled, monkeypatch):
    """Headings are Markdown, and an image in one would call an address of the attacker's choice."""
    at = open_page(monkeypatch, filled, "service", name="![x](http://attacker.example/x.png)")
    assert at.title[0].value == r"\!\[x\]\(http\://attacker.example/x.png\)"
    assert all("![" not in message.value for message in at.warning)


@pytest.mark.parametrize("path", ["ingest", "metrics", "logs"])
def test_what_was_sent_never_becomes_markup_on_the_pages_of_signals(path, filled, monkeypatch):
    html = drawn(open_page(monkeypatch, filled, path))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html


def test_the_choices_in_the_address_are_what_is_asked_of_a_metric(monkeypatch):
    app = build_api()
    with serving(app) as url:
        address = {"metric_service": "checkout", "show_histogram": "p50", "metric_group": "route", "metric_range": "6h"}
        at = open_page(monkeypatch, url, "metrics", **address)
    assert not at.exception
    asked = [query for path, query in app.state.asked if path == "/api/v1/metrics/pay.duration"][-1]
    assert (asked["service"], asked["group_by"], asked["window_s"]) == ("checkout", "route", "21600")
    assert at.selectbox(key="show_histogram").value == "p50"


def test_the_search_of_logs_in_the_address_is_the_search_that_is_asked(monkeypatch):
    app = build_api()
    with serving(app) as url:
        open_page(monkeypatch, url, "logs", log_text="declined", log_severity="Warn and above", log_cursor="9.1")
    asked = [query for path, query in app.state.asked if path == "/api/v1/logs"][-1]
    assert (asked["text"], asked["min_severity"], asked["cursor"]) == ("declined", "13", "9.1")


def test_older_records_are_a_click_away_and_the_newest_too(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "logs")
    at.button(key="logs-older").click().run()
    assert at.query_params["log_cursor"] == "7.1"
    at.button(key="logs-newest").click().run()
    assert "log_cursor" not in at.query_params


def test_dead_letters_and_alarms_say_what_to_do(filled, monkeypatch):
    at = open_page(monkeypatch, filled, "ingest")
    assert "To do: replay" in drawn(at)
    assert at.code[0].value == "ninelives collector replay"
