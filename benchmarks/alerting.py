"""How soon and how surely alerts arrive: `python -m benchmarks.alerting [--alerts 1000]`.

As many objectives as alerts, four of each service, are all broken within one minute, twice, each time before a
`ninelives up` of its own and a real HTTP receiver.

- The first time the receiver is well: `crossing_to_delivery_p95_s` is from the moment when the deciding minute is final
  (its end and the lateness of spans) until the receiver has answered 200, the 95th percentile over all alerts;
  `tick_s` is the longest tick.
- The second time it fails 30 % of the requests (500, 429 with Retry-After, no answer, half an answer), and the process
  is killed with kill -9 twice in the middle: `lost` are the alerts that were never answered 200,
  `duplicates_without_key` those messages that came again under another idempotency key.

The last line is one JSON object.
"""

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from api.client import ApiClient, ApiError
from benchmarks.alert_receiver import AlertReceiver
from benchmarks.options import positive
from benchmarks.server import free_ports, local, ninelives, process
from storage.slo_windows import LATENESS

EACH: Final = 4  # objectives of a service
SPANS: Final = 20  # bad requests of each service
FAIL_SHARE: Final = 0.3
KILL_AT: Final = (0.15, 0.5)  # shares of the alerts that have arrived
WAIT_S: Final = 600.0
LOOK_S: Final = 1.0  # between two looks at how long the last tick took


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one storm of alerts. Seconds from the crossing to the delivery of each alert."""

    alerts: int
    lost: int
    duplicates: int
    duplicates_without_key: int
    failed_requests: int
    took_s: tuple[float, ...]
    tick_s: float
    kills: int

    @property
    def p95_s(self) -> float:
        """Return the 95th percentile, by nearest rank."""
        ordered = sorted(self.took_s)
        return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else math.inf


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.alerting", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--alerts", type=positive, default=1000, help="objectives that break at once")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ninelives-alerting-") as name:
        well = measure(Path(name) / "well", options.alerts)
        _tell(f"a receiver that is well: p95 {well.p95_s:.1f} s, tick {well.tick_s:.1f} s")
        hurt = measure(Path(name) / "hurt", options.alerts, fail_share=FAIL_SHARE, kill_at=KILL_AT)
    found = {
        "alerts": min(well.alerts, hurt.alerts),
        "lost": well.lost + hurt.lost,
        "duplicates_without_key": well.duplicates_without_key + hurt.duplicates_without_key,
        "crossing_to_delivery_p95_s": round(well.p95_s, 2),
        "tick_s": round(max(well.tick_s, hurt.tick_s), 2),
        "crossing_to_delivery_p95_under_faults_s": round(hurt.p95_s, 2),
        "duplicates": hurt.duplicates,
        "failed_requests": hurt.failed_requests,
        "kills": hurt.kills,
    }
    print(json.dumps(found))
    return 0


def measure(
    folder: Path, alerts: int, *, fail_share: float = 0.0, kill_at: Sequence[float] = (), wait_s: float = WAIT_S
) -> Run:
    """Break *alerts* objectives at once and return what the receiver saw, at the latest after *wait_s*.

    Args:
        folder: of the data, made here.
        alerts: how many.
        fail_share: how often the receiver fails.
        kill_at: shares of the alerts after whose arrival the process is killed, and started again.
        wait_s: how long to wait for all of them.
    """
    write_objectives(folder / "slos", alerts)
    with AlertReceiver(fail_share) as receiver, _Server(folder, receiver.url) as server:
        _await(server.has_ticked)  # a new store notes a revision of each objective, which is not what is measured
        final_at = send_bad_requests(server.otlp_url, alerts)
        kills, tick_s, look_at = list(kill_at), 0.0, 0.0
        deadline = time.monotonic() + wait_s
        while (arrived := len(receiver.delivered())) < alerts and time.monotonic() < deadline:
            if kills and arrived >= kills[0] * alerts:
                kills.pop(0)
                _tell(f"kill -9 after {arrived} of {alerts}")
                server.kill()
                server.start()
            if time.monotonic() >= look_at:
                tick_s, look_at = max(tick_s, server.tick_s()), time.monotonic() + LOOK_S
            time.sleep(0.02)
        stored = server.pages()
        delivered = receiver.delivered()
        return Run(
            alerts=len(stored),
            lost=len(stored - delivered.keys()),
            duplicates=receiver.duplicates,
            duplicates_without_key=receiver.duplicates_without_key,
            failed_requests=receiver.failed,
            took_s=tuple(delivered[alert_id] - final_at for alert_id in stored & delivered.keys()),
            tick_s=max(tick_s, server.tick_s()),
            kills=len(kill_at) - len(kills),
        )


def write_objectives(folder: Path, count: int) -> None:
    """Write *count* objectives that a minute of slow, failed requests breaks."""
    folder.mkdir(parents=True)
    documents = [_objective(number) for number in range(count)]
    text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper)
    (folder / "objectives.yaml").write_text(text, encoding="utf-8")


def send_bad_requests(url: str, alerts: int) -> float:
    """Send bad requests of this minute to every service, and return the unix time at which the minute is final."""
    _await(lambda: 5 <= time.time() % 60 <= 40)  # late enough to have passed seconds, early enough to send them all
    minute = int(time.time() // 60) * 60
    with httpx.Client(timeout=30, trust_env=False) as http:
        for number in range(math.ceil(alerts / EACH)):
            headers = {"Content-Type": "application/x-protobuf"}
            http.post(url, content=_request(number, minute), headers=headers).raise_for_status()
    if time.time() >= minute + 60:
        raise TimeoutError("the bad requests were not sent within their minute; run it on a machine that has time")
    return minute + 60 + LATENESS["spans"].total_seconds()


class _Server:
    """`ninelives up` without its dashboard, which may be killed and started again."""

    def __init__(self, folder: Path, webhook: str) -> None:
        self._folder = folder
        otlp_http, otlp_grpc, api = free_ports(3)
        self.otlp_url = f"http://{local(otlp_http)}/v1/traces"
        self._api_url = f"http://{local(api)}"
        listeners = {"otlp-http": local(otlp_http), "otlp-grpc": local(otlp_grpc), "api": local(api)}
        self._command = ninelives(
            "up", "--no-dashboard", data=folder / "data", slos=folder / "slos", webhooks=webhook, **listeners
        )
        self._running = ExitStack()
        self._starts = 0
        self._pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def start(self) -> None:
        self._starts += 1
        log = self._folder / f"server-{self._starts}.log"
        self._pid = self._running.enter_context(process(self._command, log, self._answers))

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._running.close()

    def pages(self) -> set[str]:
        """Return the ids of the pages that fire."""
        with ApiClient(self._api_url, timeout_s=60) as api:
            return {alert.id for alert in api.alerts(state="firing") if alert.severity == "page"}

    def tick_s(self) -> float:
        """Return how long the last tick took, 0 if nobody says."""
        return self._metric("ninelives_tick_seconds")

    def has_ticked(self) -> bool:
        return self._metric("ninelives_tick_timestamp_seconds") > 0

    def _metric(self, name: str) -> float:
        try:
            text = httpx.get(f"{self._api_url}/metrics", timeout=5, trust_env=False).text
        except httpx.HTTPError:
            return 0.0
        values = [line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(values[0]) if values else 0.0

    def _answers(self) -> bool:
        try:
            with ApiClient(self._api_url, timeout_s=5) as api:
                return bool(api.status())
        except ApiError:
            return False


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


def _await(question: Callable[[], bool]) -> None:
    while not question():
        time.sleep(0.2)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
