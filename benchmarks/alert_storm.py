"""Objectives, and requests that break all of them within one minute."""

import math
import os
import time
from pathlib import Path
from typing import Final

import httpx
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from storage.slo_windows import LATENESS

EACH: Final = 4  # objectives of a service
SPANS: Final = 20  # bad requests of each service


def write_objectives(folder: Path, count: int) -> None:
    """Write *count* objectives that a minute of slow, failed requests breaks."""
    folder.mkdir(parents=True)
    documents = [_objective(number) for number in range(count)]
    text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper)
    (folder / "objectives.yaml").write_text(text, encoding="utf-8")


def send_bad_requests(url: str, alerts: int) -> float:
    """Send bad requests of this minute to every service, and return the unix time at which the minute is final."""
    while not 5 <= time.time() % 60 <= 40:  # late enough to have passed seconds, early enough to send them all
        time.sleep(0.2)
    minute = int(time.time() // 60) * 60
    with httpx.Client(timeout=30, trust_env=False) as http:
        for number in range(math.ceil(alerts / EACH)):
            headers = {"Content-Type": "application/x-protobuf"}
            http.post(url, content=_request(number, minute), headers=headers).raise_for_status()
    if time.time() >= minute + 60:
        raise TimeoutError("the bad requests were not sent within their minute; run it on a machine that has time")
    return minute + 60 + LATENESS["spans"].total_seconds()


def _request(service: int, minute: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (("service.name", f"service-{service}"), ("deployment.environment.name", "prod")):
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_spans.add()
    for number in range(SPANS):
        start = (minute * 1000 + number * 50) * 1_000_000
        span = scope.spans.add(name="GET /items", kind=2, trace_id=os.urandom(16), span_id=os.urandom(8))
        span.start_time_unix_nano, span.end_time_unix_nano = start, start + 2_000_000_000
        span.status.code = 2
    data: bytes = request.SerializeToString()
    return data


def _objective(number: int) -> dict[str, object]:
    service, name = f"service-{number // EACH}", f"objective-{number}"

    def metric(**more: str) -> dict[str, object]:
        return {"metricSource": {"type": "spans", "spec": {"service": service, "kind": "server", **more}}}

    good = "not error" if number % EACH == 0 else f"duration_ms <= {100 * (number % EACH)}"
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": name,
            "annotations": {"ninelives/alert-policy": "objective-breach", "ninelives/alert-windows": "5m/1m page"},
        },
        "spec": {
            "service": service,
            "indicator": {
                "metadata": {"name": name},
                "spec": {"ratioMetric": {"counter": False, "good": metric(good=good), "total": metric()}},
            },
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": "all", "target": 0.99}],
        },
    }
