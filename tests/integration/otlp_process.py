"""`ninelives collector` in a process of its own before a server, to see what requests cost it and what it survives."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import psutil

from collector.transport.otlp_grpc import SERVICES
from storage.tokens import Token, digest, write_tokens
from tests.receivers import HttpReceiver, stored, wait_until

SECRET = "nl_process_0123456789abcdefghijklmnopqrstuvw"
BEARER = f"Bearer {SECRET}"
READY_S = 60.0


def _free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class CollectorProcess:
    """The process, and how to talk to it. Its database is that of *database*, which is a server's.

    Args:
        timeout_s: For a request to arrive.
        connections: Of each listener.
    """

    folder: Path
    database: object
    url: str
    timeout_s: float = 1.0
    connections: int = 60
    log_name: str = "collector.log"
    http_port: int = field(default_factory=_free_port)
    grpc_port: int = field(default_factory=_free_port)
    health_port: int = field(default_factory=_free_port)
    process: subprocess.Popen | None = None

    def start(self):
        tokens = self.folder / "tokens.yaml"
        write_tokens(tokens, [Token("sender", frozenset({"ingest", "read"}), digest(SECRET))])
        names = {"otlp-http": self.http_port, "otlp-grpc": self.grpc_port, "collector-health": self.health_port}
        flags = [f"--{name}=127.0.0.1:{port}" for name, port in names.items()]
        flags += [f"--data={self.data}", f"--clickhouse={self.url}", f"--tokens-file={tokens}"]
        flags += [f"--otlp-timeout-s={self.timeout_s}", f"--otlp-connections={self.connections}"]
        # an instrumentation of the tests brings a plugin, at half a start's time
        environment = os.environ | {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
        with (self.folder / self.log_name).open("ab") as log:
            command = [sys.executable, "-m", "ninelives", "collector", *flags]
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        wait_until(self.is_ready, READY_S)

    def is_ready(self):
        assert self.process.poll() is None, self.log
        try:
            return httpx.get(f"http://127.0.0.1:{self.health_port}/readyz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def stop(self, number=signal.SIGTERM):
        """Send the signal *number* and return the exit code."""
        process, self.process = self.process, None
        process.send_signal(number)
        return process.wait(READY_S)

    @property
    def data(self):
        return self.folder / "data"

    @property
    def log(self):
        return (self.folder / self.log_name).read_text(errors="replace")

    @property
    def receiver(self):
        return HttpReceiver(self.http_port, None, None, None)

    def rss(self):
        return psutil.Process(self.process.pid).memory_info().rss

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.http_port), timeout=20)

    def post(self, body, signal_="traces", **headers):
        """Return the status of the answer."""
        wanted = {"Authorization": BEARER} | headers
        return self.receiver.send(body, path=f"/v1/{signal_}", **wanted)[0]

    def call(self, body, signal_="traces", **options):
        """Return the code of the answer over gRPC."""
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            export = channel.unary_unary(f"/{SERVICES[signal_]}/Export")
            try:
                export(body, timeout=20, metadata=[("authorization", BEARER)], **options)
            except grpc.RpcError as refusal:
                return refusal.code()
            return grpc.StatusCode.OK

    def sample(self, name, signal_="traces"):
        """Return a number of /metrics."""
        address = f"http://127.0.0.1:{self.health_port}/metrics"
        lines = httpx.get(address, headers={"Authorization": BEARER}, trust_env=False).raise_for_status().text
        wanted = f'{name}{{signal="{signal_}"}} '
        return next(float(line.removeprefix(wanted)) for line in lines.splitlines() if line.startswith(wanted))

    def accepted(self, signal_="traces"):
        return int(self.sample("ninelives_accepted_items_total", signal_))

    def settle(self):
        """Wait until the spools are empty."""
        for name in SERVICES:
            wait_until(lambda name=name: not self.sample("ninelives_spool_bytes", name), 60)

    def dead_letters(self):
        return sorted((self.data / "dead-letter").glob("*.pb"))

    def stored_spans(self):
        return stored(self.database)


class Resident:
    """The highest resident memory of *process* while this is open, sampled each 10 ms by a thread."""

    def __init__(self, collector):
        self._collector = collector
        self._read = collector.rss
        self.before = self.most = 0

    def __enter__(self):
        self._collector.settle()  # the insert of what was sent before takes memory of its own
        self.before = self.most = self._read()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.01):
            self.most = max(self.most, self._read())

    @property
    def grown(self):
        return self.most - self.before
