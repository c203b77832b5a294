"""How many data points a CPU-second of the engine stores: decoding, series, points and merges.

`python -m benchmarks.metrics [--points 1000000] [--instances 200]`

Requests hold 1,000 points of 20 metrics, 50 series a metric, 8 attributes a point, from one instance of a service.
They are inserted as the collector does, in segments of its size, without HTTP and spool.
Each instance sends again and again, so the first round of an instance also pays for its series; `steady` leaves those
segments out. Times and values are fresh in every request. Disk is the live parts of all tables.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from benchmarks.cpu import wait_until_settled
from collector.spool.segment import frame
from collector.spool.spool import SEAL_BYTES
from ninelives.settings import Settings
from storage.client import Database
from storage.ingest import insert_segment
from storage.migrate import migrate

POINTS, SERIES = 1_000, 50
EXPORT_EVERY_NS = 10_000_000_000
KINDS = {"gauges": "gauge", "sums": "sum", "histograms": "histogram", "exponential": "exponential_histogram"}
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
CUMULATIVE = 2


def measure(name: str, points: int, instances: int) -> dict[str, float]:
    """Insert *points* of one kind into an empty database and return what that took."""
    with tempfile.TemporaryDirectory(prefix="ninelives-bench-") as folder:
        database = Database(f"chdb://{folder}/ch", memory_bytes=Settings.model_construct(memory=None).memory_bytes)
        migrate(database)
        cpu_s, steady_points, steady_s = _insert_all(database, KINDS[name], points // POINTS, instances)
        disk = int(database.rows("disk_total")[0]["bytes"])
        database.close()
    found = {"points_per_cpu_s": round(points / cpu_s), "disk_bytes_per_point": round(disk / points, 1)}
    if steady_s:
        found["steady_points_per_cpu_s"] = round(steady_points / steady_s)
    return {f"{name}_{key}": value for key, value in found.items()}


def fixed_ms(inserts: int = 25) -> float:
    """Return the median CPU milliseconds of an insert of 20 points: what an insert costs whatever is in it."""
    with tempfile.TemporaryDirectory(prefix="ninelives-bench-") as folder:
        database = Database(f"chdb://{folder}/ch")
        migrate(database)
        request = _template(0, "gauge", series=1)
        taken = []
        for number in range(inserts):
            data = frame(_fresh(request, time.time_ns(), number, random.Random(number)))
            before_s = time.process_time()
            insert_segment(database, "metrics", data, f"fixed:{number}")
            taken.append(time.process_time() - before_s)
        database.close()
    return round(1e3 * sorted(taken)[inserts // 2], 1)


def _insert_all(database: Database, kind: str, requests: int, instances: int) -> tuple[float, int, float]:
    """Return CPU seconds with merges; points and CPU seconds without merges of segments that brought no new series."""
    inserted_s, steady_points, steady_s = 0.0, 0, 0.0
    for number, (data, count, new) in enumerate(_segments(kind, requests, instances)):
        before_s = time.process_time()
        insert_segment(database, "metrics", data, f"bench:{number}")
        taken_s = time.process_time() - before_s
        inserted_s += taken_s
        if not new:
            steady_points, steady_s = steady_points + count * POINTS, steady_s + taken_s
    before_s = time.process_time()
    wait_until_settled(time.process_time)
    return inserted_s + time.process_time() - before_s, steady_points, steady_s


def _segments(kind: str, requests: int, instances: int) -> Iterator[tuple[bytes, int, bool]]:
    """Yield segments in the collector's layout and size, their number of requests, and whether a series is new."""
    templates = [_template(number, kind, series=SERIES) for number in range(min(instances, requests))]
    dice = random.Random(1)
    first_ns = time.time_ns() - (requests // len(templates) + 1) * EXPORT_EVERY_NS
    data, count, new = bytearray(), 0, False
    for number in range(requests):
        turn, place = divmod(number, len(templates))
        now_ns = first_ns + turn * EXPORT_EVERY_NS + dice.randrange(1_000_000_000)
        data += frame(_fresh(templates[place], now_ns, turn + 1, dice))
        count, new = count + 1, new or not turn
        if len(data) >= SEAL_BYTES or number == requests - 1:
            yield bytes(data), count, new
            data, count, new = bytearray(), 0, False


def _template(instance: int, kind: str, *, series: int) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    resource = {"service.name": f"shop-{instance % 8}", "service.version": "2.7.1", "telemetry.sdk.language": "python"}
    _put(group.resource.attributes, resource | {"service.instance.id": f"i-{instance:06d}"})
    scope = group.scope_metrics.add()
    scope.scope.name = "shop.meter"
    for number in range(POINTS // SERIES):
        metric = scope.metrics.add(name=f"shop.{kind}.{number:02d}", unit="s", description="What the shop measures")
        held = getattr(metric, kind)
        if kind != "gauge":
            held.aggregation_temporality = CUMULATIVE
        if kind == "sum":
            held.is_monotonic = True
        for place in range(series):
            _put(held.data_points.add().attributes, _attributes(place))
    return request


def _attributes(place: int) -> Mapping[str, str | int]:
    return {
        "http.request.method": METHODS[place % 5],
        "http.route": f"/api/v1/things{place // 5}/{{id}}",
        "http.response.status_code": 200 if place % 7 else 500,
        "server.address": f"shop-{place % 4}.internal",
        "server.port": 8080,
        "network.protocol.version": "1.1",
        "url.scheme": "https",
        "worker": place,
    }


def _fresh(request: ExportMetricsServiceRequest, now_ns: int, turn: int, dice: random.Random) -> bytes:
    """Return *request* with the points of one export; counters go on rising from turn to turn."""
    for metric in request.resource_metrics[0].scope_metrics[0].metrics:
        kind = metric.WhichOneof("data")
        assert kind is not None
        for point in getattr(metric, kind).data_points:
            point.time_unix_nano = now_ns
            if kind == "gauge":
                point.as_double = dice.random() * 100
            else:
                point.start_time_unix_nano = now_ns - turn * EXPORT_EVERY_NS - 3_600_000_000_000
                _count(kind, point, turn, dice)
    data: bytes = request.SerializeToString()
    return data


def _count(kind: str, point: Any, turn: int, dice: random.Random) -> None:
    if kind == "sum":
        point.as_int = turn * 1_000 + dice.randrange(1_000)
        return
    width = len(BOUNDS) + 1 if kind == "histogram" else 30
    counts = [turn * dice.randrange(5) for _ in range(width)]
    point.count, point.sum = sum(counts), dice.random() * sum(counts)
    if kind == "histogram":
        point.bucket_counts[:], point.explicit_bounds[:] = counts, BOUNDS
        point.min, point.max = 0.002, 9.5
    else:
        point.scale, point.positive.offset, point.positive.bucket_counts[:] = 3, -40, counts


def _put(attributes: Any, values: Mapping[str, str | int]) -> None:
    for key, value in values.items():
        pair = attributes.add(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1_000_000, help="data points of each kind")
    parser.add_argument("--instances", type=int, default=200, help="senders; each has 1,000 series")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    found: dict[str, float] = {"points": options.points, "series": options.instances * POINTS}
    spawn = multiprocessing.get_context("spawn")
    # a process each: the engine takes one folder a process
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        found["fixed_ms_per_insert"] = pool.submit(fixed_ms).result()
        for name in options.kinds:
            found |= pool.submit(measure, name, options.points, options.instances).result()
            print(json.dumps(found), file=sys.stderr)
    rates = [value for key, value in found.items() if key.endswith("_points_per_cpu_s") and "steady" not in key]
    found["metric_points_per_cpu_s"] = round(len(rates) / sum(1 / rate for rate in rates))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
