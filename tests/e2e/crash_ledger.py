"""The ledger of a crash test: every request that was sent, what was answered to it, and what has to be stored."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from struct import pack

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

SIGNALS = ("traces", "metrics", "logs")
MOST_ITEMS = 1000
SHOWN = 5

# rows and distinct items of each request of a run, by its key
STORED = {
    "traces": "SELECT hex(trace_id), count(), uniqExact(span_id) FROM spans WHERE service = '{run}' GROUP BY 1",
    "metrics": "SELECT toString(intDiv(toInt64(value), 1000)), count(), uniqExact(value) FROM metric_points"
    " WHERE metric IN ('{run}.gauge', '{run}.sum') GROUP BY 1",
    "logs": "SELECT hex(trace_id), count(), uniqExact(span_id) FROM logs WHERE service = '{run}' GROUP BY 1",
}
# what a view behind the spans counts of a run: it is fed by the same inserts
ROLLED_UP = "SELECT sum(requests) FROM red_1m WHERE service = '{run}'"

Stored = Mapping[str, Mapping[str, tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Export:
    """One request.

    Attributes:
        key: By which its rows are found.
        marks: Byte strings of which its body holds at least one, also when some of its bytes were damaged.
    """

    signal: str
    key: str
    items: int
    body: bytes
    marks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """A dead letter: what is left of a request's bytes."""

    signal: str
    items: int | None
    reason: str
    body: bytes
    file: str


def make_export(signal: str, run: str, items: int, chance: random.Random) -> Export:
    """Return a request of *items* spans, log records, or points, half of them of a gauge and half of a sum."""
    return {"traces": _traces, "metrics": _metrics, "logs": _logs}[signal](run, items, chance)


@dataclass
class Ledger:
    """What became of every request. Thread-safe.

    Attributes:
        acknowledged: Stored exactly once, whatever happens.
        unanswered: Stored once or not at all: the client never learned which.
        refused: Not stored: each answer said so.
        faults: Answers that no exporter may get.
        counts: Answers by their kind and their signal or transport.
    """

    acknowledged: list[Export] = field(default_factory=list)
    unanswered: list[Export] = field(default_factory=list)
    refused: list[Export] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, kind: str, export: Export) -> None:
        """Enter *export* under *kind*: "acknowledged", "unanswered" or "refused"."""
        with self._lock:
            getattr(self, kind).append(export)

    def count(self, kind: str, *about: str) -> None:
        with self._lock:
            self.counts.update((kind, name) for name in about)

    def fault(self, text: str) -> None:
        with self._lock:
            self.faults.append(text)

    def answers(self, kind: str) -> dict[str, int]:
        """Return how many answers of *kind* each signal and each transport had."""
        with self._lock:
            return {name: number for (of, name), number in self.counts.items() if of == kind}

    def problems(self, stored: Stored, letters: Iterable[Aside] = ()) -> list[str]:
        """Return what is not as it was promised; only damage excuses, and only what is listed as damaged."""
        found = [f"an answer that makes exporters drop data: {text}" for text in self.faults[:SHOWN]]
        found += [f"no {signal} were acknowledged" for signal in SIGNALS if not self._has(signal)]
        missing = []
        for export in self.acknowledged:
            rows = stored[export.signal].get(export.key)
            if rows is None:
                missing.append(export)
            elif rows != (export.items, export.items):
                found.append(f"acknowledged {export.signal} {export.key}: {export.items} items sent, stored {rows}")
        for export in _unlisted(missing, letters):
            found.append(f"acknowledged {export.signal} {export.key}: {export.items} items are lost")
        for export in self.unanswered:
            rows = stored[export.signal].get(export.key)
            if rows not in {None, (export.items, export.items)}:
                found.append(f"unanswered {export.signal} {export.key}: {export.items} items sent, stored {rows}")
        for export in self.refused:
            if (rows := stored[export.signal].get(export.key)) is not None:
                found.append(f"refused {export.signal} {export.key}: stored {rows}")
        return found + self._strangers(stored)

    def _has(self, signal: str) -> bool:
        return any(export.signal == signal for export in self.acknowledged)

    def _strangers(self, stored: Stored) -> list[str]:
        sent = {(export.signal, export.key) for export in (*self.acknowledged, *self.unanswered, *self.refused)}
        found = [(signal, key) for signal, rows in stored.items() for key in rows if (signal, key) not in sent]
        return [f"stored {signal} {key}, which nobody sent" for signal, key in found]


def _unlisted(missing: Iterable[Export], letters: Iterable[Aside]) -> list[Export]:
    """Return those of *missing* that no letter stands for: it holds what is left of them, or counts them as gone."""
    letters = list(letters)
    used: set[str] = set()
    unknown = []
    for export in missing:
        holders = {letter.file for letter in letters if any(mark in letter.body for mark in export.marks)}
        used |= holders
        if not holders:
            unknown.append(export)
    gone = Counter(dict.fromkeys(SIGNALS, 0))
    for letter in letters:
        if letter.file not in used:
            gone[letter.signal] += letter.items or 0
    found = []
    for export in unknown:
        gone[export.signal] -= export.items
        if gone[export.signal] < 0:
            found.append(export)
    return found


def _resource(run: str) -> Resource:
    found = Resource()
    found.attributes.add(key="service.name").value.string_value = run
    return found


def _traces(run: str, items: int, _chance: random.Random) -> Export:
    request, trace_id, now = ExportTraceServiceRequest(), os.urandom(16), time.time_ns()
    scope = request.resource_spans.add(resource=_resource(run)).scope_spans.add()
    for index in range(items):
        span = scope.spans.add(trace_id=trace_id, span_id=os.urandom(8), name="GET /", kind=2)
        span.start_time_unix_nano, span.end_time_unix_nano = now, now + index * 1000
        span.attributes.add(key="http.response.status_code").value.int_value = 200
    return Export("traces", trace_id.hex().upper(), items, request.SerializeToString(), (trace_id,))


def _logs(run: str, items: int, _chance: random.Random) -> Export:
    request, trace_id, now = ExportLogsServiceRequest(), os.urandom(16), time.time_ns()
    scope = request.resource_logs.add(resource=_resource(run)).scope_logs.add()
    for index in range(items):
        record = scope.log_records.add(trace_id=trace_id, span_id=os.urandom(8), time_unix_nano=now + index)
        record.severity_number, record.body.string_value = 9, f"record {index} of a crash test"
    return Export("logs", trace_id.hex().upper(), items, request.SerializeToString(), (trace_id,))


def _metrics(run: str, items: int, chance: random.Random) -> Export:
    assert items <= MOST_ITEMS
    request, number, now = ExportMetricsServiceRequest(), chance.getrandbits(40), time.time_ns()
    metrics = request.resource_metrics.add(resource=_resource(run)).scope_metrics.add().metrics
    gauge = metrics.add(name=f"{run}.gauge").gauge
    counter = metrics.add(name=f"{run}.sum").sum
    counter.aggregation_temporality, counter.is_monotonic = 2, True
    values = [number * 1000 + index for index in range(items)]
    for value in values:
        kind = gauge if value % 2 else counter
        kind.data_points.add(time_unix_nano=now + value % 1000, start_time_unix_nano=now - 10**9, as_int=value)
    marks = tuple(pack("<q", value) for value in values)
    return Export("metrics", str(number), items, request.SerializeToString(), marks)
