"""A database of many objectives and many stored spans, as the benchmark of SLOs needs it.

What was stored long ago is made by the engine and goes straight into its tables: a month of it would take hours through
the way in. Spans are made in a table of their own, whose parts `spans` takes over, several times where many are wanted,
so that no view sees them: `arrivals` knows the live spans only, and the rollup gets a row a minute and service. What
arrives while the benchmark runs comes as OTLP through all views.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.spool.segment import frame
from slo.openslo import read_openslo_files
from storage.client import Database
from storage.ingest import insert_segment
from storage.sli_minutes import sum_newest_hours

SERVICES: Final = 250
MINUTE_DAYS: Final = 30
SPAN_DAYS: Final = 13  # spans are kept for 14 days
LIVE_RATE: Final = 1_000  # spans a second
SERVER, ERROR = 2, 2
SLOW_SHARE, ERROR_SHARE = 0.002, 0.0005
GOALS: Final = ("not error", "duration_ms <= 100", "duration_ms <= 300", 'http.route != "/health"')
TARGETS: Final = (0.999, 0.95, 0.99, 0.995)

SPANS = """INSERT INTO stored_spans (ts, trace_id, ids, service, environment, version, name, kind, duration_ns, status,
        error, weight, http_route, cache_hit)
    SELECT
        fromUnixTimestamp64Nano(toInt64(({end} - (number + 0.5) / {count} * {seconds}) * 1000000000)) AS ts,
        sipHash128(intDiv(number, 8), {seed}) AS trace_id, sipHash128(number, {seed}) AS ids,
        {service} AS service, 'prod' AS environment, '1' AS version, 'GET /items' AS name, 'server' AS kind,
        1000000 + cityHash64(number) % 400000000 AS duration_ns, 'unset' AS status,
        cityHash64(number, 2) % 1000 = 0 AS error, 1 AS weight, '/items' AS http_route, -1 AS cache_hit
    FROM numbers({count})
    SETTINGS max_insert_block_size = 1048576"""
ROLLUP = """INSERT INTO red_1m (t, service, environment, version, kind, name, http_route, http_class, requests, hist)
    SELECT
        toStartOfMinute(toDateTime({end} - intDiv(number, {services}) * {step_s}, 'UTC')) AS t, {service} AS service,
        'prod' AS environment, '1' AS version, 'server' AS kind, 'GET /items' AS name, '/items' AS http_route,
        2 AS http_class, 10 AS requests, map(toInt16(700), toUInt64(6), toInt16(720), toUInt64(4)) AS hist
    FROM numbers({rows})"""
MINUTES = """INSERT INTO sli_minutes (series, grp, minute, good, bad, seen, source, revision)
    SELECT [{ids}][number % {series} + 1] AS series, '' AS grp,
        toDateTime({end}, 'UTC') - 60 * (intDiv(number, {series}) + 1) AS minute,
        50 + cityHash64(number) % 20 AS good, cityHash64(number, 2) % 40 = 0 AS bad, good + bad AS seen,
        'spans' AS source, {revision} AS revision
    FROM numbers({start}, {count})
    SETTINGS max_partitions_per_insert_block = 0, max_insert_block_size = 1048576"""


def write_objectives(folder: Path, count: int) -> list[int]:
    """Write *count* objectives over 30 days, four for each of 250 services, into *folder* and return their series.

    Raises:
        ValueError: they cannot be read as they are meant.
    """
    folder.mkdir(parents=True)
    text = yaml.dump_all([_document(number) for number in range(count)], Dumper=yaml.CSafeDumper)
    (folder / "objectives.yaml").write_text(text, encoding="utf-8")
    slos, problems = read_openslo_files({"objectives.yaml": text})
    series = {slo.indicator.series_id for slo in slos}
    if len(series) != count or problems:
        raise ValueError(f"{len(series)} of {count} objectives can be read as such: {problems[:3]}")
    return sorted(series)


def store_minutes(database: Database, series: Sequence[int], now: datetime) -> None:
    """Store 30 days of minutes of each of *series* up to *now*, their hours, and that their past was counted."""
    end, ids = now.replace(second=0, microsecond=0), ", ".join(map(str, series))
    day = 1440 * len(series)
    for number in range(MINUTE_DAYS):
        values = {"end": int(end.timestamp()), "revision": int(end.timestamp() * 1000)}
        database.command(MINUTES.format(ids=ids, series=len(series), start=number * day, count=day, **values))
    sum_newest_hours(database)
    counted = [(one, "", end - timedelta(days=14), now) for one in series]
    database.insert("sli_series", counted, ["series", "slo_id", "counted_from", "backfilled_at"])


def store_spans(database: Database, count: int, *, before: datetime, times: int = 1, service: str = "") -> None:
    """Store *count* request spans *times* times, evenly over 13 days *before*, of *service* or of all in turn."""
    named = _service(service)
    values = {"end": int(before.timestamp()), "seconds": SPAN_DAYS * 86_400}
    database.command("CREATE OR REPLACE TABLE stored_spans AS spans")
    database.command(SPANS.format(count=count, service=named, seed=len(service), **values))
    with database.client() as client:
        days = client.query("SELECT DISTINCT toString(toDate(ts)) FROM stored_spans").result_rows
    for (day,) in days * times:
        database.command(f"ALTER TABLE spans ATTACH PARTITION '{day}' FROM stored_spans")
    database.command("DROP TABLE stored_spans SYNC")


def store_rollup(database: Database, spans: int, *, before: datetime, service: str = "") -> None:
    """Store the rollup of *spans* spans that `store_spans` stored: a row a minute and service, or a row a span."""
    services = 1 if service else SERVICES
    rows = min(spans, (SPAN_DAYS * 1440 + 1) * services)
    step_s = max(60, SPAN_DAYS * 86_400 * services // rows)
    end, named = int(before.timestamp()), _service(service)
    database.command(ROLLUP.format(rows=rows, services=services, service=named, step_s=step_s, end=end))


def store_live(database: Database, seconds: int, *, end: datetime, seed: int) -> int:
    """Store *seconds* of live traffic up to *end* as the collector would, and return how many spans that are."""
    dice, end_ns = random.Random(seed), int(end.timestamp()) * 1_000_000_000
    each = seconds * LIVE_RATE // SERVICES
    requests = (_request(f"service-{number}", each, dice, end_ns, seconds) for number in range(SERVICES))
    insert_segment(database, "traces", b"".join(map(frame, requests)), f"live:{seed}:{end_ns}")
    return each * SERVICES


def _service(name: str) -> str:
    return f"'{name}'" if name else f"concat('service-', toString(number % {SERVICES}))"


def _request(service: str, spans: int, dice: random.Random, end_ns: int, seconds: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (("service.name", service), ("deployment.environment.name", "prod"), ("service.version", "1")):
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_spans.add()
    for _ in range(spans):
        start = end_ns - dice.randrange(seconds * 1_000_000_000)
        took = 350_000_000 if dice.random() < SLOW_SHARE else dice.randrange(90_000_000)
        ids = {"trace_id": dice.randbytes(16), "span_id": dice.randbytes(8)}
        times = {"start_time_unix_nano": start, "end_time_unix_nano": start + took}
        span = scope.spans.add(name="GET /items", kind=SERVER, **ids, **times)
        span.attributes.add(key="http.route").value.string_value = "/items"
        span.attributes.add(key="http.response.status_code").value.int_value = 200
        if dice.random() < ERROR_SHARE:
            span.status.code = ERROR
    data: bytes = request.SerializeToString()
    return data


def _document(number: int) -> dict[str, object]:
    service, kind, name = f"service-{number % SERVICES}", number // SERVICES, f"objective-{number}"
    goal = GOALS[kind] if kind < len(GOALS) else f"duration_ms <= {400 + kind}"

    def metric(**more: str) -> dict[str, object]:
        return {"metricSource": {"type": "spans", "spec": {"service": service, "kind": "server", **more}}}

    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name, "annotations": {"ninelives/alert-policy": "burn-rate"}},
        "spec": {
            "service": service,
            "indicator": {
                "metadata": {"name": name},
                "spec": {"ratioMetric": {"counter": False, "good": metric(good=goal), "total": metric()}},
            },
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": "all", "target": TARGETS[kind % len(TARGETS)]}],
        },
    }
