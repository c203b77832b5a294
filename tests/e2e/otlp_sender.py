"""Sends spans as OTLP/HTTP and remembers which of them were acknowledged."""

import os
import threading
import time
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HEADERS = {"Content-Type": "application/x-protobuf"}


def request_of(count: int, service: str = "sender", *, ago_s: int = 0) -> tuple[bytes, set[bytes]]:
    """Return one request of *count* spans with fresh ids that began *ago_s* ago, and the ids."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope, now, ids = resource.scope_spans.add(), time.time_ns() - ago_s * 10**9, set()
    for index in range(count):
        span = scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="GET /", kind=2)
        span.start_time_unix_nano, span.end_time_unix_nano = now, now + index * 1000
        span.attributes.add(key="http.response.status_code").value.int_value = 200
        ids.add(span.span_id)
    return request.SerializeToString(), ids


@dataclass
class Sender:
    """Sends from several threads until told to stop; each request is sent once, and answered or not."""

    url: str
    threads: int = 4
    spans: int = 200
    acknowledged: set[bytes] = field(default_factory=set)
    unanswered: set[bytes] = field(default_factory=set)
    refused: set[bytes] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._running = [threading.Thread(target=self._run) for _ in range(self.threads)]

    def start(self) -> None:
        for thread in self._running:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._running:
            thread.join()

    def _run(self) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not self._stop.is_set():
                body, ids = request_of(self.spans)
                try:
                    answer = client.post(f"{self.url}/v1/traces", content=body, headers=HEADERS)
                except httpx.ConnectError:
                    return  # the server is gone; nothing was sent
                except httpx.HTTPError:
                    with self._lock:
                        self.unanswered |= ids
                    continue
                with self._lock:
                    (self.acknowledged if answer.status_code == 200 else self.refused).update(ids)
