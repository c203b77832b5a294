"""OTLP/HTTP load over several keep-alive connections: as fast as it is answered, or at a fixed rate."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from benchmarks.payload import Plan

HEADERS = {"Content-Type": "application/x-protobuf"}
TIMEOUT_S = 60.0
LONGEST_RETRIES_S = 60.0


class RefusedError(Exception):
    """The server refused a request for good."""


@dataclass(slots=True)
class Outcome:
    """What the clients saw.

    Attributes:
        items: In answered requests.
        busy: Answers 429 and 503.
        answer_s: One value for each answered request, from the first byte sent.
        late_s: The most that a request was sent after its time; 0 where no rate was asked for.
    """

    items: int = 0
    busy: int = 0
    answer_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    late_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        """Return the answer time that *share* (0..1) of the requests did not exceed."""
        ordered = sorted(self.answer_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


class Load:
    """The requests of *plan*, sent once to *port*.

    Args:
        clients: Connections, each with one request under way.
        rate: Items a second; None: as fast as they are answered.
    """

    def __init__(self, plan: Plan, port: int, *, clients: int, rate: float | None = None) -> None:
        self._plan = plan
        self._port = port
        self._parts = [Outcome() for _ in range(clients)]
        self._interval_s = plan.templates[0].items / rate if rate else 0.0
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._started = 0.0

    @property
    def accepted(self) -> int:
        """Items answered so far."""
        return sum(part.items for part in self._parts)

    def run(self) -> Outcome:
        """Send everything and return what happened.

        Raises:
            RefusedError: an answer that is not 200 and does not ask to come again, or one that asks for over a minute.
        """
        self._started = time.monotonic()
        with ThreadPoolExecutor(len(self._parts)) as pool:
            list(pool.map(self._send, self._parts))
        return Outcome(
            items=self.accepted,
            busy=sum(part.busy for part in self._parts),
            answer_s=[seconds for part in self._parts for seconds in part.answer_s],
            wall_s=time.monotonic() - self._started,
            late_s=max(part.late_s for part in self._parts),
        )

    def _send(self, outcome: Outcome) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)) as connection:
            for number in self._take():
                template = self._plan.template(number)
                body = template.fresh(time.time_ns())
                if self._interval_s:
                    outcome.late_s = max(outcome.late_s, self._await_turn(number))
                _deliver(connection, f"/v1/{self._plan.signal}", body, outcome)
                outcome.items += template.items

    def _take(self) -> Iterator[int]:
        while True:
            with self._lock:
                number = next(self._numbers)
            if number >= self._plan.requests:
                return
            yield number

    def _await_turn(self, number: int) -> float:
        """Sleep until the time of request *number*, and return by how much it is late already."""
        early_s = self._started + number * self._interval_s - time.monotonic()
        time.sleep(max(0.0, early_s))
        return max(0.0, -early_s)


def _deliver(connection: http.client.HTTPConnection, path: str, body: bytes, outcome: Outcome) -> None:
    """Send *body* until it is accepted, the same bytes each time, as an exporter does."""
    deadline = time.monotonic() + LONGEST_RETRIES_S
    while time.monotonic() < deadline:
        started = time.perf_counter()
        connection.request("POST", path, body, HEADERS)
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
