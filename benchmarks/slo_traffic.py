"""A month of a service's requests, minute by minute, in two forms: spans for us, samples for Prometheus.

The month has what breaks the arithmetic of others: two instances with very different traffic, nights and days, minutes
and hours without any request, weeks without any error, bursts of errors and a total outage.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from benchmarks.payload import as_bytes, noise, text
from collector.spool.segment import frame

SERVICE: Final = "truth"
DAYS: Final = 31
MINUTES: Final = DAYS * 1440
INSTANCES: Final = ("busy", "quiet")
HEAVY: Final = 16  # requests that a sampled span stands for
HEAVY_STATE: Final = "ot=th:f"  # 15 of 16 were dropped
FIRST_ERROR: Final = 12 * 1440  # until then there is no error series
OUTAGE: Final = (20 * 1440 + 600, 20 * 1440 + 690)
IDLE: Final = ((5 * 1440, 5 * 1440 + 90), (14 * 1440 + 60, 14 * 1440 + 540), (25 * 1440 + 17, 25 * 1440 + 24))

_SPANS_A_REQUEST: Final = 4096
_MINUTE_NS: Final = 60_000_000_000
_SAMPLE_S: Final = 30

Counts: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """Spans of one sort: `spans[minute]` of them, each standing for `weight` requests."""

    instance: str
    good: bool
    weight: int
    spans: Counts


@dataclass(frozen=True, slots=True)
class Traffic:
    """What happened in each minute from `start` on."""

    start: datetime
    kinds: tuple[Kind, ...]

    @property
    def spans(self) -> int:
        return int(sum(kind.spans.sum() for kind in self.kinds))

    def requests(self, *, good: bool, instance: str | None = None) -> Counts:
        """Return the good or the bad requests of each minute, of one instance or of all."""
        found = np.zeros(MINUTES, np.int64)
        for kind in self.kinds:
            if kind.good == good and instance in {None, kind.instance}:
                found += kind.spans * kind.weight
        return found

    def between(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Return the good and all requests of [*start*, *end*), which are whole minutes."""
        first, last = (max(0, (moment - self.start) // timedelta(minutes=1)) for moment in (start, end))
        good, bad = (int(self.requests(good=good)[first:last].sum()) for good in (True, False))
        return good, good + bad

    def instants(self, count: int, *, seed: int = 1) -> list[datetime]:
        """Return *count* whole minutes, in order: those where something begins or ends, and others, mostly with errors.

        The first one knows a single minute of history.
        """
        edges = [1, FIRST_ERROR, IDLE[1][1], IDLE[2][1], OUTAGE[0] + 5, OUTAGE[1], OUTAGE[1] + 1, MINUTES]
        dice = np.random.default_rng(seed)
        failing = dice.choice(np.flatnonzero(self.requests(good=False)) + 1, (count - len(edges)) * 3 // 4)
        others = dice.integers(1440, MINUTES, count - len(edges) - failing.size)
        return [self.start + int(minute) * timedelta(minutes=1) for minute in sorted([*edges, *failing, *others])]


def make_traffic(start: datetime, *, spans: int, seed: int = 1) -> Traffic:
    """Return about *spans* spans' worth of 31 days from *start* on, a whole minute; equal seeds make equal traffic."""
    dice = np.random.default_rng(seed)
    minute = np.arange(MINUTES)
    day = 1.0 + 0.7 * np.sin(minute * 2 * np.pi / 1440) + 0.25 * np.sin(minute * 2 * np.pi / (7 * 1440))
    idle = np.zeros(MINUTES, bool)
    for first, last in IDLE:
        idle[first:last] = True
    kinds: list[Kind] = []
    for instance, share in zip(INSTANCES, (0.95, 0.05), strict=True):
        expected = np.where(idle, 0.0, day * share * spans / MINUTES)
        total = dice.poisson(expected)
        bad = dice.binomial(total, _error_ratio(dice))
        for good, events in ((True, total - bad), (False, bad)):
            heavy = dice.binomial(events, 0.5)
            kinds += [Kind(instance, good, 1, events - heavy), Kind(instance, good, HEAVY, heavy)]
    return Traffic(start, tuple(kinds))


def otlp_segments(traffic: Traffic, days: int = 2) -> Iterator[bytes]:
    """Yield the spans in the collector's segment layout, *days* days a segment, oldest first."""
    for first in range(0, MINUTES, days * 1440):
        minutes = np.arange(first, min(first + days * 1440, MINUTES))
        yield b"".join(
            frame(body)
            for kind in traffic.kinds
            for body in _requests(kind, _starts(traffic.start, minutes, kind.spans[minutes]))
        )


def write_openmetrics(traffic: Traffic, path: Path) -> int:
    """Write the requests of each minute as a sample in its middle, none where there were none, and return how many.

    Each sample is an increment, so that a sum over time is exact where `increase` would extrapolate. In the middle of
    its minute a sample lies in the same windows for PromQL, whose windows exclude their start, as for us, whose
    windows exclude their end.
    """
    first = int(traffic.start.timestamp()) + _SAMPLE_S
    samples = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("# TYPE requests_1m gauge\n")
        for instance in INSTANCES:
            for good in (True, False):
                labels = f'{{instance="{instance}",result="{"good" if good else "bad"}"}}'
                counts = traffic.requests(good=good, instance=instance)
                for minute in np.flatnonzero(counts):
                    file.write(f"requests_1m{labels} {counts[minute]} {first + 60 * int(minute)}\n")
                samples += int(np.count_nonzero(counts))
        file.write("# EOF\n")
    return samples


def _error_ratio(dice: np.random.Generator) -> NDArray[np.float64]:
    ratio = np.full(MINUTES, 0.0005)
    for first in dice.integers(FIRST_ERROR, MINUTES - 120, 12):
        ratio[first : first + dice.integers(2, 120)] = dice.choice([0.02, 0.15])
    ratio[:FIRST_ERROR] = 0
    ratio[slice(*OUTAGE)] = 1
    return ratio


def _starts(start: datetime, minutes: Counts, spans: Counts) -> NDArray[np.uint64]:
    """Return a start for each span: anywhere in its minute, and often at its very first or last nanosecond."""
    noisy = noise(int(spans.sum()), 8).view(np.uint64).ravel() % np.uint64(_MINUTE_NS)
    edges = noise(noisy.size, 1).ravel()
    noisy[edges < 8] = 0
    noisy[edges > 247] = _MINUTE_NS - 1
    begins = np.repeat(minutes, spans).astype(np.uint64) * np.uint64(_MINUTE_NS)
    return begins + noisy + np.uint64(int(start.timestamp()) * 10**9)


def _requests(kind: Kind, starts: NDArray[np.uint64]) -> Iterator[bytes]:
    """Yield OTLP requests with a span of *kind* at each of *starts*."""
    row = _row(kind)
    head = _field(1, _resource(kind.instance).SerializeToString())
    for first in range(0, starts.size, _SPANS_A_REQUEST):
        chunk = starts[first : first + _SPANS_A_REQUEST]
        spans = np.tile(np.frombuffer(row.data, np.uint8), (chunk.size, 1))
        spans[:, row.trace_id] = noise(chunk.size, 16)
        spans[:, row.span_id] = noise(chunk.size, 8)
        spans[:, row.start] = as_bytes(chunk)
        spans[:, row.end] = as_bytes(chunk + np.uint64(5_000_000))
        yield _field(1, head + _field(2, spans.tobytes()))


@dataclass(frozen=True, slots=True)
class _Row:
    """One span as a field of its scope, and where the bytes lie that differ from span to span."""

    data: bytes
    trace_id: slice
    span_id: slice
    start: slice
    end: slice


def _row(kind: Kind) -> _Row:
    span = Span(
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        trace_state=HEAVY_STATE if kind.weight == HEAVY else "",
        name="POST /pay",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=0x1122334455667788,
        end_time_unix_nano=0x2233445566778899,
    )
    if not kind.good:
        span.status.code = Status.STATUS_CODE_ERROR
    data = _field(2, span.SerializeToString())

    def place(value: bytes) -> slice:
        return slice(data.index(value), data.index(value) + len(value))

    times = [moment.to_bytes(8, "little") for moment in (span.start_time_unix_nano, span.end_time_unix_nano)]
    return _Row(data, place(span.trace_id), place(span.span_id), place(times[0]), place(times[1]))


def _resource(instance: str) -> Resource:
    attributes = [text("service.name", SERVICE), text("service.instance.id", instance)]
    return Resource(attributes=attributes)


def _field(number: int, payload: bytes) -> bytes:
    """Return *payload* as the length-delimited field *number* (1 to 15) of a protobuf message."""
    return bytes([number << 3 | 2]) + frame(payload)
