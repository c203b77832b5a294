"""The instrumented services of client_app.py with the Redis that they need, and requests to them."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from client_api import Item
from client_delivery import Delivery
from client_process import wait_until_up
from stack import Stack, free_port

APP = Path(__file__).with_name("client_app.py")
QUICK = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}  # logfire's, which is not wanted here, takes a second to import
STOP_S = 30.0


@dataclass(frozen=True)
class Shop:
    """What the services of both modes answered, and what became of their telemetry."""

    statuses: dict[str, Counter[int]]
    delivery: Delivery

    def traces(self, mode: str) -> list[Item]:
        """Return the traces of the orders of one mode."""
        return [trace for trace in self.delivery.traces.values() if f"shop-{mode}" in trace["services"]]

    def spans(self, mode: str, scope: str) -> list[Item]:
        found = [span for trace in self.traces(mode) for span in trace["spans"]]
        return [span for span in found if span["scope"] == f"opentelemetry.instrumentation.{scope}"]


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis that keeps nothing, and yield its URL without the database's number."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until_up(f"127.0.0.1:{port}")
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def service(folder: Path, name: str, words: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Run one service, its log in *folder*, and yield its host:port. Leaving it exports all that it holds."""
    kind, *others = words
    port = str(free_port())
    command = [sys.executable, "-W", "ignore", str(APP), kind, name, port, *others]
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)
    try:
        yield f"127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) in {0, -signal.SIGTERM}, log.read_text()
    finally:
        process.kill()
        process.wait()


def run_services(
    stack: Stack, folder: Path, modes: Mapping[str, str], count: int
) -> tuple[dict[str, Counter], dict[str, Path]]:
    """Run both services once for each of *modes* (names by OTEL_SEMCONV_STABILITY_OPT_IN) and order *count* times.

    Returns how often each mode answered with which status, and the ledger of each service.
    """
    over_http, over_grpc = (f"127.0.0.1:{stack.ports[f'otlp-{way}']}" for way in ("http", "grpc"))
    names = [f"{kind}-{mode}" for mode in modes for kind in ("shop", "stock")]
    ledgers = {name: folder / f"{name}.json" for name in names}
    with ExitStack() as running:
        redis = running.enter_context(redis_server(folder))
        targets = {}
        for database, (mode, names_of) in enumerate(modes.items()):
            environment = QUICK | {"OTEL_SEMCONV_STABILITY_OPT_IN": names_of}
            name = f"stock-{mode}"
            words = ["stock", f"{redis}/{database}", "grpc", over_grpc, str(ledgers[name])]
            targets[name] = running.enter_context(service(folder, name, words, environment))
            upstream, name = f"http://{targets[name]}", f"shop-{mode}"
            words = ["shop", upstream, "http-gzip", over_http, str(ledgers[name])]
            targets[name] = running.enter_context(service(folder, name, words, environment))
        for target in targets.values():
            wait_until_up(target)
        statuses = {mode: order(f"http://{targets[f'shop-{mode}']}", count) for mode in modes}
    return statuses, ledgers


def order(address: str, count: int) -> Counter[int]:
    """Ask for orders 0 to *count* - 1, and return how often each status came."""
    headers = {"Connection": "close"}  # after an unhandled exception uvicorn resets it
    with httpx.Client(base_url=address, trust_env=False, timeout=30, headers=headers) as client:
        return Counter(client.get(f"/orders/{number}").status_code for number in range(count))
