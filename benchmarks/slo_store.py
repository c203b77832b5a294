"""A database of many objectives and many stored spans, as the benchmark of SLOs needs it.

Stored spans and minutes are made by the engine (INSERT SELECT) and go straight into their tables: a month of them would
take hours through the way in. What arrives while the benchmark runs takes that way: OTLP, views, arrivals, rollups.
"""

import random
from dataclasses import dataclass
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
DAYS: Final = 30
RAW_DAYS: Final = 13  # spans older than 14 days would be dropped
LIVE_RATE: Final = 1_000  # spans a second
BIG: Final = "big"  # one service with as many spans as a backfill counts
GOALS: Final = ("not error", "duration_ms <= 100", "duration_ms <= 300", 'http.route != "/health"')
TARGETS: Final = (0.999, 0.95, 0.99, 0.995)
SERVER, ERROR = 2, 2

SPANS = """INSERT INTO spans (ts, trace_id, ids, service, environment, version, name, kind, duration_ns, status, error,
        weight, http_route, cache_hit)
    SELECT
        fromUnixTimestamp64Nano(toInt64({end} - ({first} + number + 0.5) / {all} * {seconds}) * 1000000000) AS ts,
        sipHash128(intDiv(number, 8), {first}) AS trace_id,
        sipHash128(number, {first}, 1) AS ids,
        {service},
        'prod', '1.0.0', 'GET /items', 'server', 1000000 + cityHash64(number) % 400000000, 'unset',
        cityHash64(number, 2) % 1000 = 0, 1, '/items', -1
    FROM numbers({count})
    SETTINGS max_insert_block_size = 1048576, min_insert_block_size_rows = 1048576, max_threads = 2"""
MINUTES = """INSERT INTO sli_minutes (series, grp, minute, good, bad, seen, source, revision)
    SELECT s, '', toDateTime({end}, 'UTC') - 60 * (intDiv(number, {series}) + 1) AS minute, 50 + rand(1) % 20 AS good,
        rand(2) % 40 = 0 AS bad, good + bad, 'spans', {revision}
    FROM (SELECT number, [{ids}][number % {series} + 1] AS s FROM numbers({start}, {count}))
    SETTINGS max_partitions_per_insert_block = 0, max_insert_block_size = 1048576"""
COUNTED = "INSERT INTO sli_series (series, slo_id, counted_from, backfilled_at) VALUES "


@dataclass(frozen=True, slots=True)
class Objectives:
    """A folder with one file of many objectives, and their series."""

    folder: Path
    series: list[int]


def write_objectives(folder: Path, count: int) -> Objectives:
    """Write *count* objectives over 30 days, four kinds of them for each service, into *folder*."""
    folder.mkdir(parents=True)
    text = yaml.dump_all([_document(number) for number in range(count)])
    (folder / "objectives.yaml").write_text(text, encoding="utf-8")
    slos, problems = read_openslo_files({"objectives.yaml": text})
    if len(slos) != count or problems:
        raise ValueError(f"{len(slos)} of {count} objectives can be read: {problems[:3]}")
    return Objectives(folder, [slo.indicator.series_id for slo in slos])


def store_minutes(database: Database, series: list[int], now: datetime) -> None:
    """Store 30 days of minutes of each of *series* up to *now*, their hours, and that their past is counted."""
    end, whole = now.replace(second=0, microsecond=0), ", ".join(map(str, series))
    minutes, step = DAYS * 1440, 1440
    for first in range(0, minutes, step):
        database.command(
            MINUTES.format(
                end=int(end.timestamp()),
                series=len(series),
                ids=whole,
                start=first * len(series),
                count=step * len(series),
                revision=int(end.timestamp() * 1000),
            )
        )
    sum_newest_hours(database)
    counted = (end - timedelta(days=14), now)
    database.insert(
        "sli_series",
        [(one, "", *counted) for one in series],
        ["series", "slo_id", "counted_from", "backfilled_at"],
    )


def store_spans(database: Database, count: int, *, before: datetime, service: str | None = None) -> None:
    """Store *count* request spans, spread evenly over 13 days *before*, of *service*, by default of all in turn."""
    block = 5_000_000
    named = f"'{service}'" if service else f"concat('service-', toString(number % {SERVICES}))"
    for first in range(0, count, block):
        database.command(
            SPANS.format(
                end=int(before.timestamp()),
                seconds=RAW_DAYS * 86_400,
                first=first,
                all=count,
                service=named,
                count=min(block, count - first),
            )
        )


def store_live(database: Database, seconds: int, *, end: datetime, seed: int) -> int:
    """Store *seconds* of live traffic up to *end* as the collector would, and return how many spans that are."""
    dice, end_ns = random.Random(seed), int(end.timestamp()) * 1_000_000_000
    spans = seconds * LIVE_RATE
    data = b"".join(
        frame(_request(f"service-{number}", spans // SERVICES, dice, end_ns, seconds)) for number in range(SERVICES)
    )
    insert_segment(database, "traces", data, f"live:{seed}:{end_ns}")
    return spans // SERVICES * SERVICES


def _request(service: str, spans: int, dice: random.Random, end_ns: int, seconds: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (("service.name", service), ("deployment.environment.name", "prod"), ("service.version", "1")):
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_spans.add()
    for _ in range(spans):
        start = end_ns - dice.randrange(seconds * 1_000_000_000)
        span = scope.spans.add(
            trace_id=dice.randbytes(16), span_id=dice.randbytes(8), name="GET /items", kind=SERVER,
            start_time_unix_nano=start, end_time_unix_nano=start + dice.randrange(400_000_000),
        )  # fmt: skip
        span.attributes.add(key="http.route").value.string_value = "/items"
        span.attributes.add(key="http.response.status_code").value.int_value = 200
        if dice.random() < 0.001:
            span.status.code = ERROR
    return request.SerializeToString()


def _document(number: int) -> dict[str, object]:
    service, kind = f"service-{number % SERVICES}", number // SERVICES
    goal = GOALS[kind % len(GOALS)]
    if kind >= len(GOALS):
        goal = f"duration_ms <= {400 + kind}"
    source = {"service": service, "kind": "server", "environment": "prod"}
    name = f"objective-{number}"

    def metric(**more: str) -> dict[str, object]:
        return {"metricSource": {"type": "spans", "spec": source | more}}

    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name},
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
