"""Load that behaves as exporters do: it sends again what was not acknowledged, the very same bytes."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

import grpc
import httpx
from crash_ledger import SIGNALS, Export, Ledger, make_export

HEADERS = {"Content-Type": "application/x-protobuf"}
SERVICES = {"traces": "trace.v1.TraceService", "metrics": "metrics.v1.MetricsService", "logs": "logs.v1.LogsService"}
RETRYABLE = {429, 502, 503, 504}
TIMEOUT_S = 10.0
AGAIN_S = 0.1
GIVES_UP = 0.3  # of refused requests: as an exporter whose queue is full
RECONNECT = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 300}


class Answer(Enum):
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNSENT = "unsent"
    FAULT = "fault"


Send = Callable[[Export], tuple[Answer, str]]


@dataclass
class Load:
    """Sends traces, metrics and logs from a few threads over both transports until the block ends.

    Args:
        run: Service name by which this run's rows are found.
        items: Range of items in a request.
        pause_s: Longest pause of a thread between two requests.
    """

    http: str
    grpc: str
    run: str
    chance: random.Random
    items: tuple[int, int] = (3, 60)
    pause_s: float = 0.15
    ledger: Ledger = field(default_factory=Ledger)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for transport in (over_http, over_http, over_grpc):
            target = self.grpc if transport is over_grpc else self.http
            chance = random.Random(self.chance.getrandbits(64))
            self._threads.append(threading.Thread(target=self._run, args=(transport, target, chance), daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def make(self, signal: str) -> Export:
        return make_export(signal, self.run, self.chance.randint(*self.items), self.chance)

    def _run(self, transport: Callable[[str], "contextmanager[Send]"], target: str, chance: random.Random) -> None:
        name = transport.__name__.removeprefix("over_")
        with transport(target) as send:
            while not self._stop.wait(chance.uniform(0, self.pause_s)):
                export = make_export(chance.choice(SIGNALS), self.run, chance.randint(*self.items), chance)
                try:
                    self._deliver(send, name, export, chance)
                except Exception as error:  # noqa: BLE001 -- a sender that dies silently would let the test pass
                    self.ledger.fault(f"{name}: the sender failed: {error!r}")
                    return

    def _deliver(self, send: Send, transport: str, export: Export, chance: random.Random) -> None:
        """Send *export* until it is acknowledged, or given up."""
        in_doubt = False
        while True:
            answer, text = send(export)
            self.ledger.count(answer.value, export.signal, transport)
            if answer is Answer.FAULT:
                self.ledger.fault(f"{transport} {export.signal}: {text}")
            if answer is Answer.ACKNOWLEDGED:
                self.ledger.settle("acknowledged", export)
                return
            in_doubt = in_doubt or answer is Answer.UNANSWERED
            if self._stop.is_set() or (answer is not Answer.UNSENT and chance.random() < GIVES_UP):
                self.ledger.settle("unanswered" if in_doubt else "refused", export)
                return
            self._stop.wait(AGAIN_S)


@contextmanager
def over_http(url: str) -> Iterator[Send]:
    """Lend a function that sends as OTLP/HTTP."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False, headers=HEADERS) as client:

        def send(export: Export) -> tuple[Answer, str]:
            try:
                response = client.post(f"/v1/{export.signal}", content=export.body)
            except httpx.ConnectError:
                return Answer.UNSENT, ""
            except httpx.HTTPError:
                return Answer.UNANSWERED, ""
            return _http_answer(response)

        yield send


def _http_answer(response: httpx.Response) -> tuple[Answer, str]:
    if response.status_code == 200 and not response.content:
        return Answer.ACKNOWLEDGED, ""
    if response.status_code in RETRYABLE and response.headers.get("retry-after", "").isdigit():
        return Answer.REFUSED, ""
    return Answer.FAULT, f"{response.status_code} {dict(response.headers)} {response.content[:300]!r}"


@contextmanager
def over_grpc(target: str) -> Iterator[Send]:
    """Lend a function that sends as OTLP/gRPC."""
    with ExitStack() as stack:
        channel = stack.enter_context(grpc.insecure_channel(target, options=list(RECONNECT.items())))
        calls = {
            signal: channel.unary_unary(f"/opentelemetry.proto.collector.{service}/Export")
            for signal, service in SERVICES.items()
        }

        def send(export: Export) -> tuple[Answer, str]:
            try:
                answer = calls[export.signal](export.body, timeout=TIMEOUT_S)
            except grpc.RpcError as error:
                return _grpc_answer(error)
            return (Answer.FAULT, f"partial success {answer!r}") if answer else (Answer.ACKNOWLEDGED, "")

        yield send


def _grpc_answer(error: grpc.RpcError) -> tuple[Answer, str]:
    """Tell a refusal, which says when to come back, from a connection that broke."""
    refused = "google.rpc.retryinfo-bin" in {key for key, _ in error.trailing_metadata() or ()}
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return (Answer.REFUSED if refused else Answer.UNANSWERED), ""
    if error.code() in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}:
        return Answer.UNANSWERED, ""
    return Answer.FAULT, f"{error.code()} {error.details()}"
