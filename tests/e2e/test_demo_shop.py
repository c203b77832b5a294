"""The real shop as real processes, against a small OTLP sink."""

import subprocess
import sys
import time
from collections import defaultdict

import psutil
import pytest
from demo_shop import free_base_port, receiving, selling, spans_of, wait_for
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from demo.history import batches
from demo.history_plan import DAY_S, Window
from demo.ports import Ports
from demo.shop import INSTANCES, SERVICES


@pytest.fixture
def sink():
    with receiving() as received:
        yield received


@pytest.fixture
def shop(sink, tmp_path):
    with selling(sink, tmp_path) as opened:
        yield opened


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
