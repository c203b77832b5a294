"""OTLP metrics requests: gauges, counters and histograms of services with several instances, with fresh values."""

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)

from benchmarks.payload import METHODS, ROUTES, SERVICES, TEMPLATES, Indices, Plan, as_bytes, noise, rows, text

INSTANCES = 32
POINTS_A_METRIC = 16
GAUGES = ("process.memory.usage", "jvm.threads.count", "queue.length")
COUNTERS = ("http.server.requests", "cache.lookups", "db.client.calls")
HISTOGRAMS = ("http.server.request.duration", "db.client.operation.duration")
STARTED_NS = 1_760_000_000_000_000_000  # of every counter, as in processes that have run for long
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TIME_TAG = b"\x19"  # field 3, 64 bit: time_unix_nano, in points of every type
DOUBLE_TAGS = {NumberDataPoint: b"\x21", HistogramDataPoint: b"\x29"}  # as_double, sum


@dataclass(frozen=True, slots=True)
class MetricTemplate:
    """A request and where its points' times and values, and the number of its instance, lie."""

    data: bytes
    items: int
    times: Indices
    values: Indices
    instance: Indices

    def fresh(self, now_ns: int) -> bytes:
        """Return a request of one of INSTANCES instances, whose points were taken at *now_ns*."""
        body = np.frombuffer(self.data, np.uint8).copy()
        random_bytes = noise(self.items + 1, 8)
        body[self.instance] = np.frombuffer(f"{random_bytes[-1, 0] % INSTANCES:02d}".encode(), np.uint8)
        body[self.times] = as_bytes(np.full(self.items, now_ns, np.uint64))
        hundredths = random_bytes[: self.items, :2].copy().view(np.uint16)[:, 0]
        body[self.values] = as_bytes(hundredths / 100.0)
        return body.tobytes()


def build_metric_templates(points: int, *, count: int = TEMPLATES, seed: int = 1) -> list[MetricTemplate]:
    """Return templates of *points* points: of every 8 metrics 3 are gauges, 3 counters, 2 histograms of 12 buckets.

    A series has three attributes of its own. All templates together have count * points * INSTANCES series.
    """
    dice = random.Random(seed)
    return [_template(index, points, dice) for index in range(count)]


def metric_plan(points: int, batch: int) -> Plan:
    """Return the requests of *batch* points, and one of the rest, that carry *points* points."""
    requests, rest = -(-points // batch), points % batch
    templates = tuple(build_metric_templates(batch))
    last = build_metric_templates(rest, count=1)[0] if rest else templates[(requests - 1) % TEMPLATES]
    return Plan("metrics", templates, requests, last)


def _template(number: int, points: int, dice: random.Random) -> MetricTemplate:
    service = SERVICES[number % len(SERVICES)]
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(
        [
            text("service.name", service),
            text("service.instance.id", f"{service}-{number}-00"),
            text("deployment.environment.name", "bench"),
        ]
    )
    scope = group.scope_metrics.add()
    scope.scope.name = f"{service}.meter"
    filled: list[NumberDataPoint | HistogramDataPoint] = []
    names = (*GAUGES, *COUNTERS, *HISTOGRAMS)
    while len(filled) < points:
        name = names[len(scope.metrics) % len(names)]
        metric = scope.metrics.add(name=name, unit="s" if name in HISTOGRAMS else "1")
        for _ in range(min(POINTS_A_METRIC, points - len(filled))):
            filled.append(_point(metric, len(filled), dice))
    return _located(request.SerializeToString(), f"{service}-{number}-00", filled)


def _point(metric: Metric, number: int, dice: random.Random) -> NumberDataPoint | HistogramDataPoint:
    """Add a point. Its time and value are random, by which `_located` finds them."""
    point: NumberDataPoint | HistogramDataPoint
    if metric.name in HISTOGRAMS:
        point = metric.histogram.data_points.add(explicit_bounds=BOUNDS, sum=dice.random())
        metric.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        point.bucket_counts.extend(dice.randrange(100) for _ in range(len(BOUNDS) + 1))
        point.count = sum(point.bucket_counts)
    elif metric.name in COUNTERS:
        point = metric.sum.data_points.add(as_double=dice.random())
        metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.sum.is_monotonic = True
    else:
        point = metric.gauge.data_points.add(as_double=dice.random())
    point.start_time_unix_nano = STARTED_NS
    point.time_unix_nano = dice.getrandbits(62)
    point.attributes.extend(_attributes(number))
    return point


def _attributes(number: int) -> list[KeyValue]:
    return [
        text("http.request.method", METHODS[-1 - number % 3]),
        text("http.route", ROUTES[number // 3 % len(ROUTES)]),
        text("worker", f"worker-{number}"),
    ]


def _located(data: bytes, instance: str, points: Sequence[NumberDataPoint | HistogramDataPoint]) -> MetricTemplate:
    times, values, start = [], [], 0
    for point in points:
        start = data.index(TIME_TAG + struct.pack("<Q", point.time_unix_nano), start) + 1
        value = point.sum if isinstance(point, HistogramDataPoint) else point.as_double
        times.append(start)
        values.append(data.index(DOUBLE_TAGS[type(point)] + struct.pack("<d", value), start) + 1)
    digits = data.index(instance.encode()) + len(instance) - 2
    return MetricTemplate(data, len(points), rows(times, 8), rows(values, 8), np.arange(digits, digits + 2))
