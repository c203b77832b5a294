"""Every route on a real server over a real database, read by the typed client."""

import http.client
import json
import re
import socket
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, Counter

from api import models as m
from api.app import build_app
from api.client import ApiClient, ApiError
from api.context import Context, TickStatus
from evaluator.minutes import MinuteCounter
from storage.annotations import Annotation, save_annotation
from storage.errors import DatabaseError
from storage.slo_catalog import SloCatalog

MINUTE = timedelta(minutes=1)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
SHORT = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-short}
spec:
  service: shop
  indicator:
    metadata: {name: shop-short}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: spans, spec: {service: shop, kind: server, good: not error}}}
        total: {metricSource: {type: spans, spec: {service: shop, kind: server}}}
  timeWindow: [{duration: 1h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: a, target: 0.9}]
"""


class Server:
    def __init__(self, port, folder, registry):
        self.port, self.folder, self.registry = port, folder, registry

    def get(self, path, method="GET", body=None):
        """Return (status, content type, text)."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type"), answer.read().decode()


@contextmanager
def serving(database, folder):
    registry = CollectorRegistry()
    context = Context(
        database,
        SloCatalog([folder]),
        registry,
        "1.2.3",
        {"api": "http://api", "otlp_http": "http://otlp"},
        ingest=lambda: [
            m.IngestStatus(
                signal="traces", accepted_items=5, spool_bytes=0, spool_segments=0, last_stored_at=None, dead_letters=2,
                last_error="",
            )
        ],
        tick=lambda: TickStatus(datetime.now(UTC), "it went wrong"),
    )  # fmt: skip
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(context), log_config=None, access_log=False, http="httptools"))
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield Server(listener.getsockname()[1], folder, registry)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture
def server(database, tmp_path):
    with serving(database, tmp_path) as found:
        yield found


@pytest.fixture
def api(server):
    with ApiClient(f"http://127.0.0.1:{server.port}", timeout_s=30) as found:
        yield found


def now_minute():
    return datetime.now(UTC).replace(second=0, microsecond=0)


EMPTY_LISTS = ("services", "traces", "slos", "alerts", "caches", "metrics", "annotations", "runs")


def test_every_list_is_empty_on_an_empty_database(server):
    for name in EMPTY_LISTS:
        status, kind, text = server.get(f"/api/v1/{name}")
        assert (status, kind, json.loads(text)) == (200, "application/json", {"items": [], "next_cursor": None}), name


def test_every_get_route_answers_with_data_or_a_problem_on_an_empty_database(server):
    paths = [path for path, methods in json.loads(server.get("/openapi.json")[2])["paths"].items() if "get" in methods]
    assert len([path for path in paths if path.startswith("/api/v1/")]) >= 16
    for path in paths:
        status, kind, text = server.get(re.sub(r"\{\w+\}", "0" * 32, path))
        assert status in {200, 404, 409, 422}, (path, text)
        if status != 200:
            assert kind == "application/problem+json", path
            problem = m.Problem.model_validate_json(text)
            assert problem.status == status
            assert problem.title
            assert problem.detail


PROBLEMS = [
    ("/api/v1/nothing", 404, "/api/v1/nothing"),
    ("/nothing", 404, "Not Found"),
    ("/api/v1/services/ghost", 404, "'ghost'"),
    ("/api/v1/slos/ghost", 404, "'ghost'"),
    ("/api/v1/slos/ghost/minutes", 404, "'ghost'"),
    ("/api/v1/alerts/ghost", 404, "'ghost'"),
    ("/api/v1/runs/ghost", 404, "'ghost'"),
    ("/api/v1/traces/xyz", 400, "32 hexadecimal digits"),
    ("/api/v1/traces/" + "0" * 32, 404, "0" * 32),
    ("/api/v1/alerts?state=burning", 422, "pending, firing or resolved"),
    ("/api/v1/services?window_s=1", 422, "window_s"),
    ("/api/v1/services?window_s=soon", 422, "'soon'"),
    ("/api/v1/traces?limit=0", 422, "limit"),
    ("/api/v1/traces?min_duration_ms=-1", 422, "min_duration_ms"),
    ("/api/v1/sli", 422, "query.service is missing"),
    ("/api/v1/sli?service=a&start=2026-01-31T12:00:00&end=2026-01-31T13:00:00Z", 422, "time zone"),
    ("/api/v1/sli?service=a&start=2026-01-31T13:00:00Z&end=2026-01-31T12:00:00Z", 422, "must be after"),
    ("/api/v1/edges?client=a&server=b&start=x&end=y", 422, "start"),
]


def test_every_error_is_a_problem_document_that_says_what_to_do(server):
    for path, wanted, hint in PROBLEMS:
        status, kind, text = server.get(path)
        assert (status, kind) == (wanted, "application/problem+json"), path
        assert hint in m.Problem.model_validate_json(text).detail, path
    status, kind, _ = server.get("/api/v1/services", "DELETE")
    assert (status, kind) == (405, "application/problem+json")
    status, kind, text = server.get("/api/v1/runs/a", "PUT", "{}")
    assert (status, kind) == (422, "application/problem+json")
    assert "body.experiment is missing" in m.Problem.model_validate_json(text).detail
    status, kind, text = server.get("/api/v1/runs/a", "PUT", '{"experiment":')
    assert (status, kind) == (422, "application/problem+json")
    assert "the body is no JSON, at character 14: Expecting value" in m.Problem.model_validate_json(text).detail


def test_a_database_that_does_not_answer_is_503_and_a_fault_of_ours_500_both_as_problems(server, database, monkeypatch):
    def refuse(*_args, **_options):
        raise DatabaseError("Code: 210. Connection refused")

    monkeypatch.setattr(type(database), "rows", refuse)
    status, kind, text = server.get("/api/v1/services")
    assert (status, kind) == (503, "application/problem+json")
    assert "Connection refused" in text

    def fail(*_args, **_options):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(database), "rows", fail)
    status, kind, text = server.get("/api/v1/services")
    assert (status, kind) == (500, "application/problem+json")
    assert "secret" not in text


def test_the_client_raises_what_the_problem_says(api):
    with pytest.raises(ApiError, match="no objective 'ghost'") as refusal:
        api.slo("ghost")
    assert refusal.value.status == 404


def test_probes_and_metrics(server):
    Counter("some_total", "Something.", registry=server.registry).inc(3)
    assert server.get("/healthz")[:1] == (200,)
    assert server.get("/readyz")[:1] == (200,)
    status, kind, text = server.get("/metrics")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert "some_total 3.0" in text


@pytest.fixture
def shop(database, store, otlp):
    """Two services: a gateway that calls orders ten times, twice in vain; three lookups of a cache."""
    start = now_minute() - 5 * MINUTE
    traces = []
    for n in range(10):
        at = otlp.ns(start) + n * 10**9
        bad = 2 if n < 2 else 0
        root = otlp.span("GET /pay", start_ns=at, duration_ns=(n + 1) * 10**8, status=bad)
        ids = {"trace_id": root.trace_id}
        call = otlp.span("POST", kind=3, start_ns=at + 10**6, duration_ns=5 * 10**7, parent=root.span_id, status=bad,
                         attributes={"server.address": "10.0.0.7", "server.port": 80}, **ids)  # fmt: skip
        store_spans = [root, call]
        if n < 3:
            hit = {"cache.hit": n > 0, "cache.name": "items"}
            store_spans.append(otlp.span("get", kind=3, start_ns=at, attributes=hit, parent=root.span_id, **ids))
        bodies = [otlp.traces(*store_spans, service="gateway", version="7")]
        if not bad:
            served = otlp.span(
                "POST /orders", start_ns=at + 2 * 10**6, duration_ns=4 * 10**7, parent=call.span_id, **ids
            )
            bodies.append(otlp.traces(served, service="orders"))
        traces.append((root, bodies))
    store(database, *(body for _, bodies in traces for body in bodies))
    return [root for root, _ in traces]


def start_of(shop):
    return datetime.fromtimestamp(shop[0].start_time_unix_nano / 1e9, UTC)


def test_services_with_rate_errors_and_durations(api, shop):
    gateway, orders = api.services()
    assert (gateway.name, gateway.environment, gateway.versions) == ("gateway", "prod", ["7"])
    assert (gateway.requests, gateway.errors, gateway.error_ratio) == (10, 2, 0.2)
    assert (orders.requests, orders.errors, orders.error_ratio) == (8, 0, 0.0)
    assert gateway.p95_ms == pytest.approx(1000, rel=0.03)
    assert gateway.rate_per_s == pytest.approx(10 / 360, rel=0.2)  # a minute may pass meanwhile
    detail = api.service("gateway", environment="prod")
    assert sum(point.requests for point in detail.series) == 10
    operations = {(item.name, item.kind): (item.requests, item.errors) for item in detail.operations}
    assert operations == {("GET /pay", "server"): (10, 2), ("POST", "client"): (10, 2), ("get", "client"): (3, 0)}
    with pytest.raises(ApiError) as refusal:
        api.service("gateway", environment="test")
    assert refusal.value.status == 404


def test_traces_are_found_by_everything_that_can_be_asked_for(api, shop):
    def ids(**query):
        return [item.trace_id for item in api.traces(**query)]

    newest_first = [root.trace_id.hex() for root in reversed(shop)]
    assert ids() == newest_first
    assert ids(limit=3) == newest_first[:3]
    assert ids(service="orders") == newest_first[:8]
    assert ids(errors_only=True) == newest_first[8:]
    assert ids(service="orders", errors_only=True) == []
    assert ids(operation="get") == newest_first[7:]
    assert ids(min_duration_ms=900) == newest_first[:2]
    assert ids(window_s=1) == []
    summary = api.traces(limit=1)[0]
    assert (summary.service, summary.name, summary.spans, summary.errors) == ("gateway", "GET /pay", 3, 0)
    assert (summary.duration_ms, summary.services) == (1000.0, ["gateway", "orders"])


def test_one_trace_is_a_tree(api, shop):
    root = shop[-1]
    trace = api.trace(root.trace_id.hex().upper())
    assert trace.trace_id == root.trace_id.hex()
    assert [(span.service, span.name, span.depth) for span in trace.spans] == [
        ("gateway", "GET /pay", 0), ("gateway", "POST", 1), ("orders", "POST /orders", 2),
    ]  # fmt: skip
    assert [span.offset_ms for span in trace.spans] == [0.0, 1.0, 2.0]
    assert trace.spans[0].resource["service.name"] == "gateway"


def test_exact_counts_of_requests_and_calls(api, shop):
    window = {"start": now_minute() - 10 * MINUTE, "end": now_minute()}
    count = api.sli("gateway", **window, threshold_ms=500)
    assert (count.total, count.errors, count.slow, count.threshold_ms) == (10, 2, 5, 500)
    assert (count.p50_ms, count.p95_ms) == (pytest.approx(500, abs=101), pytest.approx(1000, abs=101))
    assert count.newest_span_at is not None
    assert api.sli("gateway", environment="test", **window).total == 0
    nothing = api.sli("ghost", **window)
    assert (nothing.total, nothing.p50_ms, nothing.newest_span_at) == (0, None, None)
    edge = api.edge("gateway", "orders", **window)
    assert (edge.calls, edge.errors, edge.p50_ms) == (10, 2, 50.0)
    assert api.edge("orders", "gateway", **window).calls == 0
    half = {"start": start_of(shop), "end": start_of(shop) + timedelta(seconds=5)}
    assert api.sli("gateway", **half).total == 5


def test_caches_by_span_and_by_counter(api, database, store, otlp, shop):
    at = otlp.ns(now_minute() - 4 * MINUTE)
    for number, (hits, misses) in enumerate([(10, 10), (70, 30)]):
        for name, value in (("cache.hits", hits), ("cache.misses", misses)):
            body = otlp.counter(
                name, value, at_ns=at + number * 60 * 10**9, start_ns=at - 86_400 * 10**9, attributes={"cache": "pages"}
            )
            store(database, body, signal="metrics")
    found = {(cache.name, cache.source): cache for cache in api.caches()}
    by_span, by_counter = found["items", "spans"], found["pages", "metrics"]
    assert (by_span.hits, by_span.misses, by_span.hit_ratio) == (2, 1, pytest.approx(2 / 3))
    assert by_span.hit_latency.p50_ms == pytest.approx(10, rel=0.03)
    assert (by_counter.hits, by_counter.misses, by_counter.hit_ratio) == (60, 20, 0.75)
    assert by_counter.hit_latency is None
    assert sum(point.hits for point in by_counter.series) == 60
    assert {item.metric for item in api.metrics()} == {"cache.hits", "cache.misses"}


def test_objectives_stand_where_their_minutes_say(api, server, database, shop):
    (server.folder / "short.yaml").write_text(SHORT.replace("shop", "gateway"), "utf-8")
    now = datetime.now(UTC)
    slos = list(SloCatalog([server.folder]).load(database, now).slos.values())
    MinuteCounter(database, raw_retention=timedelta(days=14)).update(slos, now)
    found = {slo.id: slo for slo in api.slos()}
    assert set(found) == {"gateway-short", "gateway-prod-latency", "orders-prod-availability", "orders-prod-latency"}
    short = api.slo("gateway-short")
    assert (short.good, short.bad, short.total, short.sli) == (8, 2, 10, 0.8)
    assert (short.objective, short.window, short.state, short.draft) == (0.9, "1h", "exhausted", False)
    assert short.error_budget_remaining == pytest.approx(-1.0)
    assert (short.provisional, short.hour.total) == (True, 10)
    latency = found["gateway-prod-latency"]
    assert (latency.kind, latency.threshold_ms, latency.draft) == ("latency", 200.0, True)
    assert (latency.good, latency.total) == (2, 10)
    assert latency.percentile_ms == pytest.approx(1000, rel=0.03)
    assert found["orders-prod-availability"].error_budget_remaining == 1.0


def test_the_budget_is_known_at_the_end_of_every_step_also_of_steps_longer_than_the_window(api, server, database, shop):
    (server.folder / "short.yaml").write_text(SHORT.replace("shop", "gateway"), "utf-8")
    now = datetime.now(UTC)
    slos = list(SloCatalog([server.folder]).load(database, now).slos.values())
    MinuteCounter(database, raw_retention=timedelta(days=14)).update(slos, now)
    for step_s in (60, 300, 3600, 7200, 86400):
        minutes = api.slo_minutes("gateway-short", window_s=86400 * 2, step_s=step_s)
        assert [(item.good, item.bad, item.total) for item in minutes] == [(8, 2, 10)], step_s
        assert minutes[0].error_budget_remaining == pytest.approx(-1.0), step_s


def run(run_id, status="running", *, heartbeat, started=None, **fields):
    return m.Run(
        id=run_id, experiment="e", title="Orders is late", status=status, verdict=None, ended_at=None,
        started_at=started or heartbeat, heartbeat_at=heartbeat, services=["orders"], **fields,
    )  # fmt: skip


def test_runs_are_saved_replaced_and_aged(api):
    now = datetime.now(UTC)
    api.save_run(run("r1", heartbeat=now))
    api.save_run(run("r2", heartbeat=now - timedelta(minutes=2), started=now - timedelta(minutes=3)))
    finished = run("r1", "finished", heartbeat=now, summary="all well").model_copy(
        update={"verdict": "held", "ended_at": now}
    )
    api.save_run(finished)
    assert [(item.id, item.status) for item in api.runs()] == [("r1", "finished"), ("r2", "aborted")]
    assert api.run("r1") == finished
    silent = api.run("r2")
    assert silent.ended_at == silent.heartbeat_at
    assert "silent" in silent.summary
    with pytest.raises(ApiError, match="not that of the path"):
        api._send("PUT", "runs/other", content=finished.model_dump_json().encode())


def test_annotations_are_what_happened_and_runs_by_their_fault(api, database):
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(hours=2)
    save_annotation(database, Annotation("d1", "deployment", "v2", start, None, ["shop"], "http://x"), now=now)
    save_annotation(
        database,
        Annotation("old", "deployment", "v1", now - timedelta(days=9), now - timedelta(days=9), [], ""),
        now=now,
    )
    fault = m.RunWindow(phase="fault", started_at=now - timedelta(minutes=3), ended_at=now - timedelta(minutes=2))
    api.save_run(run("r1", heartbeat=now, started=now - timedelta(minutes=5), windows=[fault]))
    found = api.annotations()
    assert [(item.id, item.kind, item.started_at, item.ended_at) for item in found] == [
        ("d1", "deployment", start, None), ("r1", "chaos", fault.started_at, fault.ended_at),
    ]  # fmt: skip
    assert found[1].url == "/run?id=r1"
    assert [item.id for item in api.annotations(window_s=3600)] == ["d1", "r1"], "what goes on still counts"


def test_the_service_about_itself(api, server, shop):
    (server.folder / "broken.yaml").write_text("kind: SLO\nspec: [", "utf-8")
    (server.folder / "warned.yaml").write_text(SHORT, "utf-8")  # a warning: it is evaluated all the same
    found = api.status()
    assert (found.version, found.spans_stored, found.services) == ("1.2.3", 31, 2)
    assert found.newest_span_at == start_of(shop) + timedelta(seconds=9, milliseconds=2)
    assert found.addresses["otlp_http"] == "http://otlp"
    assert [problem.file.rpartition("/")[2] for problem in found.slo_errors] == ["broken.yaml"]
    assert found.last_tick_error == "it went wrong"
    text = "\n".join(found.notices)
    assert all(part in text for part in ("dead-letter", "it went wrong", "slo validate"))


def test_every_time_is_rfc_3339_in_utc_with_its_zone(server, shop):
    trace_id = shop[0].trace_id.hex()
    for path in ("services", "services/gateway", "traces", f"traces/{trace_id}", "slos", "status"):
        status, _, text = server.get(f"/api/v1/{path}")
        assert status == 200
        times = [
            value
            for key, value in pairs(json.loads(text))
            if key.endswith("_at") or key in {"at", "as_of", "last_seen"}
        ]
        assert [value for value in times if value is not None], path
        assert all(value is None or TIME.fullmatch(value) for value in times), path


def pairs(document):
    """Yield every (key, value) of a JSON document."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key, value
            yield from pairs(value)
    elif isinstance(document, list):
        for item in document:
            yield from pairs(item)


def test_hostile_text_is_found_and_shown_as_it_is(api, server, database, store, otlp):
    name = "<script>'; DROP TABLE spans --\\ 🐈"
    store(database, otlp.traces(otlp.span(name), service=name, environment=name))
    (service,) = api.services()
    (summary,) = api.traces(service=name, operation=name)
    assert (service.name, summary.name) == (name, name)
    assert api.trace(summary.trace_id).spans[0].environment == name
    assert {slo.service for slo in api.slos()} == {name}
    broken = otlp.traces(otlp.span("spanname"), service="theservice").replace(b"spanname", b"\xff\xfeanname")
    store(database, broken)
    assert [item.name for item in api.traces(service="theservice")] == ["�anname"]
