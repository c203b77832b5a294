"""Sends the shop's past, so that its budgets have something to speak of."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_HEADERS
from opentelemetry.util.re import parse_env_headers

from demo.errors import HistoryError
from demo.history_plan import DAY_S, Window, plan
from demo.history_shapes import Shapes
from demo.history_visit import VisitWriter
from demo.history_wire import RequestBuilder
from demo.ports import Ports

SEED = 9
SPANS_PER_REQUEST = 4000
RETRY_S = 30.0
"""How long a collector that does not accept data is waited for."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 4.0
TIMEOUT_S = 10.0
RETRYABLE = frozenset({429, 502, 503, 504})
"""OTLP specification, "Failures": every other status is final."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One serialised ExportTraceServiceRequest."""

    body: bytes
    traces: int
    spans: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, and how long that took."""

    days: float
    traces: int
    spans: int
    seconds: float

    def summary(self) -> str:
        return f"History: {self.spans:,} spans in {self.traces:,} traces of {self.days:g} days, {self.seconds:.1f} s."


def batches(window: Window, environment: str, ports: Ports, seed: int = SEED) -> Iterator[Batch]:
    """Yield the history of `window`, oldest first. Everything but the ids depends on the arguments alone."""
    shapes, builder, traces = Shapes(ports), RequestBuilder(environment), 0
    for planned in plan(window, seed):
        VisitWriter(shapes, planned, builder.trace()).write()
        traces += 1
        if builder.spans >= SPANS_PER_REQUEST:
            spans = builder.spans
            yield Batch(builder.take(), traces, spans)
            traces = 0
    if traces:
        spans = builder.spans
        yield Batch(builder.take(), traces, spans)


@dataclass(frozen=True, slots=True)
class Sender:
    """Posts batches, and waits for a collector that is not ready or overloaded."""

    client: httpx.Client
    url: str
    retry_s: float = RETRY_S
    first_wait_s: float = FIRST_WAIT_S

    def send(self, batch: Batch) -> None:
        """Post one batch.

        Raises:
            HistoryError: The collector refused it, or did not accept it within `retry_s`.
        """
        deadline = time.monotonic() + self.retry_s
        wait_s = self.first_wait_s
        while (problem := self._post(batch)) is not None:
            if time.monotonic() + wait_s > deadline:
                raise HistoryError(f"The history was not accepted within {self.retry_s:g} s: {problem}.")
            time.sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    def _post(self, batch: Batch) -> str | None:
        """Return None if the collector took the batch, else why it is worth trying again."""
        try:
            response = self.client.post(
                self.url, content=batch.body, headers={"content-type": "application/x-protobuf"}
            )
        except httpx.TransportError as error:
            return f"{self.url}: {error}"
        if response.status_code in RETRYABLE:
            return f"{self.url} answered {response.status_code}"
        if response.status_code != 200:
            raise HistoryError(f"The history was refused: {self.url} answered {response.status_code}.")
        return None


def _up_to_now(past: Window, environment: str, ports: Ports) -> Iterator[Batch]:
    yield from batches(past, environment, ports)
    # What came to pass while the past was being sent follows it, so that no gap is left.
    yield from batches(Window(past.end_s, time.time()), environment, ports)


def send_history(endpoint: str, environment: str, days: float, ports: Ports) -> Sent:
    """Send `days` of history up to the moment at which the last of it is sent.

    Raises:
        HistoryError: The collector did not take it.
    """
    started_at, started = time.time(), time.monotonic()
    traces = spans = 0
    headers = parse_env_headers(os.environ.get(OTEL_EXPORTER_OTLP_HEADERS, ""), liberal=True)  # as the exporters do
    with httpx.Client(timeout=TIMEOUT_S, trust_env=False, headers=headers) as client:
        sender = Sender(client, f"{endpoint}/v1/traces")
        for batch in _up_to_now(Window(started_at - days * DAY_S, started_at), environment, ports):
            sender.send(batch)
            traces, spans = traces + batch.traces, spans + batch.spans
    return Sent(days, traces, spans, time.monotonic() - started)
