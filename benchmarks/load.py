"""OTLP/HTTP load: several keep-alive connections that send as fast as they are answered."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.payload import Plan

HEADERS = {"Content-Type": "application/x-protobuf"}
TIMEOUT_S = 60.0
LONGEST_RETRIES_S = 60.0


class RefusedError(Exception):
    """The server refused a request for good."""


@dataclass(slots=True)
class Outcome:
    """What the clients saw. `answer_s` has one value for each answered request, `busy` counts 429 and 503 answers."""

    spans: int = 0
    busy: int = 0
    answer_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        """Return the answer time that *share* (0..1) of the requests did not exceed."""
        ordered = sorted(self.answer_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def send_all(plan: Plan, port: int, *, clients: int) -> Outcome:
    """Send every request of *plan* over *clients* connections and return what happened.

    Raises:
        RefusedError: an answer that is not 200 and does not ask to come again, or one that asks for over a minute.
    """
    numbers, lock = itertools.count(), threading.Lock()

    def take() -> Iterator[int]:
        while True:
            with lock:
                number = next(numbers)
            if number >= plan.requests:
                return
            yield number

    started = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        parts = list(pool.map(lambda _: _send(plan, port, take()), range(clients)))
    return Outcome(
        spans=sum(part.spans for part in parts),
        busy=sum(part.busy for part in parts),
        answer_s=[seconds for part in parts for seconds in part.answer_s],
        wall_s=time.monotonic() - started,
    )


def _send(plan: Plan, port: int, numbers: Iterator[int]) -> Outcome:
    outcome = Outcome()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    for number in numbers:
        template = plan.template(number)
        _deliver(connection, template.fresh(time.time_ns()), outcome)
        outcome.spans += len(template.places)
    connection.close()
    return outcome


def _deliver(connection: http.client.HTTPConnection, body: bytes, outcome: Outcome) -> None:
    """Send *body* until it is accepted, the same bytes each time, as an exporter does."""
    deadline = time.monotonic() + LONGEST_RETRIES_S
    while time.monotonic() < deadline:
        started = time.perf_counter()
        connection.request("POST", "/v1/traces", body, HEADERS)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status == 200 and not text:
            outcome.answer_s.append(time.perf_counter() - started)
            return
        if answer.status not in {429, 503}:
            raise RefusedError(f"HTTP {answer.status} {text[:200]!r}: expected 200 and an empty body")
        outcome.busy += 1
        time.sleep(float(answer.headers.get("Retry-After", "1")))
    raise RefusedError(f"the server was too busy for one request for {LONGEST_RETRIES_S:.0f} s")
