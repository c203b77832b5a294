"""Points, exemplars and log records as they are stored, in the words of client_items.py.

Run as a program it prints those of a data folder: only a process of its own may open the engine there.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Item = dict[str, Any]

SERIES_FIELDS = ("metric", "type", "unit", "description", "temporality", "monotonic")
NO_ID = {"trace_id": "0" * 32, "span_id": "0" * 16}
ATTRIBUTES = "mapApply((k, v) -> (k, hex(v)), {}) AS {}"
OF_SERIES = f"""
    s.metric AS metric, toString(s.type) AS type, s.unit AS unit, s.description AS description,
    toString(s.temporality) AS temporality, s.monotonic AS monotonic, s.service AS service,
    {ATTRIBUTES.format("s.attributes", "attributes")}
"""
OF_POINT = f"""{OF_SERIES}, toString(s.origin_id) AS origin,
    toUnixTimestamp64Nano(p.start_ts) AS start_ns, toUnixTimestamp64Nano(p.ts) AS time_ns"""
SERIES = "LEFT ANY JOIN metric_series AS s ON s.series_id = p.series_id"
VALUE = "p.value AS value, p.exact_int AS exact_int"
POINTS = [
    f"SELECT {OF_POINT}, {VALUE} FROM metric_points AS p {SERIES}",
    f"SELECT {OF_POINT}, count, sum, min, max, bounds, counts FROM metric_histograms AS p {SERIES}",
    f"""SELECT {OF_POINT}, count, sum, min, max, scale, zero_count, zero_threshold,
        positive_offset, positive_counts, negative_offset, negative_counts
    FROM metric_exponential_histograms AS p {SERIES}""",
]
EXEMPLARS = f"""
SELECT {OF_SERIES}, toUnixTimestamp64Nano(p.ts) AS time_ns, {VALUE}, lower(hex(p.trace_id)) AS trace_id,
    lower(hex(p.span_id)) AS span_id, {ATTRIBUTES.format("p.attributes", "filtered")}
FROM exemplars AS p {SERIES}
"""
LOGS = f"""
SELECT service, toString(origin_id) AS origin, toUnixTimestamp64Nano(ts) AS time_ns,
    toUnixTimestamp64Nano(observed_ts) AS observed_ns, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id,
    flags, severity_number, severity_text, event_name, hex(body) AS body, body_text,
    {ATTRIBUTES.format("attributes", "attributes")}, dropped_attributes
FROM logs
"""
ORIGINS = f"""
SELECT toString(origin_id) AS origin, schema_url, scope_name AS scope, scope_version, scope_schema_url,
    {ATTRIBUTES.format("attributes", "resource")}, {ATTRIBUTES.format("scope_attributes", "scope_attributes")}
FROM origins LIMIT 1 BY origin_id
"""


def stored(data: Path) -> dict[str, list[Item]]:
    """Return what is in the data folder of a stopped stack: points, exemplars and logs."""
    command = [sys.executable, str(Path(__file__)), str(data)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)


def main() -> None:
    from storage.client import Database

    with Database(f"chdb://{sys.argv[1]}/clickhouse").client() as client:

        def rows(sql: str) -> list[Item]:
            return list(client.query(sql).named_results())

        origins = {row.pop("origin"): _decoded(row, "resource", "scope_attributes") for row in rows(ORIGINS)}
        found = {
            "points": [_decoded(_point(row, origins), "attributes") for sql in POINTS for row in rows(sql)],
            "exemplars": [_exemplar(_decoded(_number(row), "attributes", "filtered")) for row in rows(EXEMPLARS)],
            "logs": [_log(row, origins) for row in rows(LOGS)],
        }
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # the engine's threads are still there


def _decoded(row: Item, *maps: str) -> Item:
    from storage.attributes import decode_map

    return row | {name: decode_map(row[name]) for name in maps}


def _number(row: Item) -> Item:
    exact = row.pop("exact_int", 0)
    return row | {"value": exact} if exact else row


def _point(row: Item, origins: Mapping[str, Item]) -> Item:
    found = _number(row) | origins[row["origin"]]
    found.pop("origin")
    for sign in ("positive", "negative"):
        if found["type"] == "exponential_histogram":
            found[sign] = [found.pop(f"{sign}_offset"), found.pop(f"{sign}_counts")]
    return found


def _exemplar(row: Item) -> Item:
    series = {name: row.pop(name) for name in (*SERIES_FIELDS, "attributes")}
    return row | {"series": series, "attributes": row.pop("filtered")} | _ids(row)


def _ids(row: Item) -> Item:
    return {name: "" if row[name] == none else row[name] for name, none in NO_ID.items()}


def _log(row: Item, origins: Mapping[str, Item]) -> Item:
    from storage.attributes import any_value, hidden_types

    body, text = bytes.fromhex(row.pop("body")), row.pop("body_text")
    found = row | origins[row["origin"]] | _ids(row)
    found.pop("origin")
    return _decoded(found, "attributes") | {
        "body": any_value(body) if body else text or None,
        "attribute_types": hidden_types(row["attributes"]),
    }


if __name__ == "__main__":
    main()
