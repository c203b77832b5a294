"""The real shop as real processes, against a small OTLP sink."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import psutil
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from demo.history import batches
from demo.history_plan import DAY_S, Window
from demo.ports import Ports
from demo.shop import INSTANCES, SERVICES


@dataclass
class Sink:
    """Everything that was sent, decoded."""

    traces: list = field(default_factory=list)
    metrics: list = field(default_factory=list)

    def spans(self):
        """Return (service, span) of everything that was received so far."""
        return [found for request in list(self.traces) for found in spans_of(request)]

    def totals(self, metric):
        """Return the newest value of each data point of a cumulative sum."""
        return [
            point.as_int
            for request in list(self.metrics)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for each in scope.metrics
            if each.name == metric
            for point in each.sum.data_points
        ]


def spans_of(request):
    for resource in request.resource_spans:
        service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield service, span


@pytest.fixture
def sink():
    received = Sink()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                received.traces.append(ExportTraceServiceRequest.FromString(body))
            else:
                received.metrics.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    received.url = f"http://127.0.0.1:{server.server_port}"
    yield received
    server.shutdown()
    server.server_close()
    thread.join()


def free_base_port():
    """Return the first of as many neighbouring free ports as the shop has processes that listen."""
    for _ in range(100):
        base = random.randrange(20_000, 32_000)
        try:
            for port in range(base, base + len(INSTANCES)):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise AssertionError("no neighbouring ports are free")


@dataclass
class Shop:
    process: subprocess.Popen
    data: object
    base_port: int
    family: list

    def command(self, *arguments):
        subprocess.run([sys.executable, "-m", "demo", *arguments, "--data", str(self.data)], check=True, timeout=5)

    def pid(self, instance):
        return json.loads((self.data / "demo" / "run" / f"{instance}.json").read_text())["pid"]


@pytest.fixture
def shop(sink, tmp_path):
    base_port = free_base_port()
    arguments = ["run", "--endpoint", sink.url, "--data", str(tmp_path), "--base-port", str(base_port)]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "demo",
            *arguments,
            "--rate",
            "60",
            "--ramp",
            "0",
            "--history-days",
            "0.01",
            "--watch-stdin",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert "History: " in process.stdout.readline()
        assert process.stdout.readline().startswith(f"The shop is up: http://127.0.0.1:{base_port}")
        yield Shop(process, tmp_path, base_port, psutil.Process(process.pid).children())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def wait_for(what, timeout_s=15.0):
    """Return the first true answer of `what`, or fail."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing within {timeout_s} s: {what}")


def services_by_trace(spans):
    traces = defaultdict(set)
    for service, span in spans:
        traces[span.trace_id].add(service)
    return traces


def failures(spans, since_ns):
    return [
        (service, span)
        for service, span in spans
        if span.start_time_unix_nano > since_ns and span.status.code == Status.STATUS_CODE_ERROR
    ]


def caches(spans):
    return {a.value.bool_value for _, span in spans for a in span.attributes if a.key == "cache.hit"}


def signature(service, span):
    keys = frozenset(each.key for each in span.attributes)
    return service, span.name, span.kind, span.flags, keys


def test_the_shop_is_traced_broken_healed_and_ended_by_kill_9(shop, sink):
    """One life of the shop: traces across the services, the cache, errors on demand, a respawn, no orphans."""
    started_ns = time.time_ns()
    wait_for(lambda: [t for t in services_by_trace(sink.spans()).values() if t == set(SERVICES)])
    wait_for(
        lambda: caches([found for found in sink.spans() if found[1].start_time_unix_nano > started_ns]) == {True, False}
    )

    broken_ns = time.time_ns()
    shop.command("break", "errors", "--for", "30s")
    wait_for(lambda: {"orders", "gateway"} <= {service for service, _ in failures(sink.spans(), broken_ns)})
    recorded = [span for service, span in failures(sink.spans(), broken_ns) if service == "orders" and span.events]
    assert recorded
    assert all(span.events[0].name == "exception" for span in recorded)
    shop.command("heal")
    healed_ns = time.time_ns() + 1_000_000_000

    victim = shop.pid("orders")
    psutil.Process(victim).kill()
    killed = time.monotonic()
    wait_for(lambda: shop.pid("orders") != victim, timeout_s=2)
    assert time.monotonic() - killed < 2
    wait_for(lambda: [service for service, span in sink.spans() if service == "gateway" and _is_unavailable(span)])
    wait_for(
        lambda: len([s for s, span in sink.spans() if s == "orders" and span.start_time_unix_nano > healed_ns]) > 50
    )
    late = [span for service, span in failures(sink.spans(), healed_ns) if service == "orders" and span.events]
    assert late == [], "the healed shop fails as it did when it was broken"

    children = [*shop.family, psutil.Process(shop.pid("orders"))]
    assert len(children) == len(INSTANCES) + 2, "every instance, the load, and orders a second time"
    shop.process.kill()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []


def _is_unavailable(span):
    return any(a.key == "http.response.status_code" and a.value.int_value == 503 for a in span.attributes)


def test_the_resilient_shop_takes_the_second_instance_and_the_database_instead(shop, sink):
    """Switched while it runs: a dead instance costs retries and a dead cache fallbacks, which the spans tell."""
    wait_for(lambda: instances_of_orders(sink) == {"orders-1"})
    shop.command("configure", "resilient")
    wait_for(lambda: instances_of_orders(sink) == {"orders-1", "orders-2"})
    psutil.Process(shop.pid("orders")).kill()
    retried = wait_for(lambda: spans_with(sink, "gateway", "retry.count"))
    assert {event.name for span in retried for event in span.events} >= {"retry"}
    psutil.Process(shop.pid("item-cache")).kill()
    spared = wait_for(lambda: spans_with(sink, "catalog", "fallback.used"))
    assert {span.name for span in spared} == {"cache get"}
    assert all(not value_of(span, "cache.hit").bool_value for span in spared)


def test_a_flushed_cache_is_empty_and_fills_again(shop, sink):
    flushed = httpx.post(f"http://127.0.0.1:{shop.base_port + 4}/flush", trust_env=False)
    assert flushed.json()["flushed"] > 700
    flushed_ns = time.time_ns()

    def lookups():
        spans = [span for service, span in sink.spans() if service == "catalog" and span.name == "cache get"]
        found = sorted((span for span in spans if span.start_time_unix_nano > flushed_ns), key=_started)
        return found if len(found) > 200 else None

    found = [value_of(span, "cache.hit").bool_value for span in wait_for(lookups, timeout_s=30)]
    assert found[:10].count(False) > 5
    assert found[100:200].count(True) > found[:100].count(True)


def _started(span):
    return span.start_time_unix_nano


def instances_of_orders(sink):
    described = [resource.resource for request in list(sink.traces) for resource in request.resource_spans]
    names = {a.value.string_value for each in described for a in each.attributes if a.key == "service.instance.id"}
    return {name for name in names if name.startswith("orders-")}


def spans_with(sink, service, attribute):
    return [span for name, span in sink.spans() if name == service and value_of(span, attribute) is not None]


def value_of(span, attribute):
    return next((a.value for a in span.attributes if a.key == attribute), None)


def test_the_past_looks_like_the_present_and_sigterm_ends_the_shop_in_time(shop, sink):
    """Names, kinds, flags and attribute keys of the history are the live services' own; the end flushes."""
    started_ns = time.time_ns()
    healthy = {
        signature(service, span)
        for batch in batches(Window(1e9, 1e9 + 0.2 * DAY_S), "demo", Ports(8090))
        for service, span in spans_of(ExportTraceServiceRequest.FromString(batch.body))
        if span.status.code == Status.STATUS_CODE_UNSET
    }

    def live():
        return [(service, span) for service, span in sink.spans() if span.start_time_unix_nano > started_ns]

    wait_for(lambda: {signature(*found) for found in live() if not found[1].status.code} >= healthy)
    assert {signature(*found) for found in live() if not found[1].status.code} == healthy

    assert caches(live()) == {True, False}
    stopping_ns = time.time_ns()
    shop.process.terminate()
    assert shop.process.wait(5) == 0
    _, alive = psutil.wait_procs(shop.family, timeout=0.5)
    assert alive == []
    assert not list((shop.data / "demo" / "run").iterdir())
    latest = max(span.end_time_unix_nano for _, span in sink.spans())
    # visitors come every 17 ms and spans are sent once a second: only a flush brings the last ones
    assert latest > stopping_ns - 200_000_000, "what was queued at the end was not sent"
    assert max(sink.totals("cache.hits")) > max(sink.totals("cache.misses")) > 0
    roots = [span for service, span in live() if service == "gateway" and span.kind == Span.SPAN_KIND_SERVER]
    assert not [span for span in roots if span.end_time_unix_nano > stopping_ns and span.status.code]


def test_the_end_of_standard_input_ends_the_supervisor(sink, tmp_path):
    started = time.monotonic()
    arguments = ["run", "--endpoint", sink.url, "--data", str(tmp_path), "--base-port", str(free_base_port())]
    ended = subprocess.run(
        [sys.executable, "-m", "demo", *arguments, "--watch-stdin"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "is up" not in ended.stdout
    assert time.monotonic() - started < 5


def test_a_service_that_cannot_start_is_named_with_its_log(sink, tmp_path):
    (tmp_path / "demo" / "catalog.sqlite").mkdir(parents=True)
    arguments = ["run", "--endpoint", sink.url, "--data", str(tmp_path), "--base-port", str(free_base_port())]
    ended = subprocess.run(
        [sys.executable, "-m", "demo", *arguments, "--no-history"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == f"catalog ended at its start: see {tmp_path}/demo/logs/catalog.log.\n"
    assert "unable to open database file" in (tmp_path / "demo" / "logs" / "catalog.log").read_text()
