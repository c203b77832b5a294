"""The real shop as real processes, against a small OTLP sink that decodes what it gets."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo.shop import INSTANCES


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


@contextmanager
def receiving():
    """Yield a sink that listens."""
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


@contextmanager
def selling(sink, data):
    """Yield a shop that is up and sends its telemetry to *sink*."""
    base_port = free_base_port()
    arguments = ["run", "--endpoint", sink.url, "--data", str(data), "--base-port", str(base_port)]
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
        yield Shop(process, data, base_port, psutil.Process(process.pid).children())
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
