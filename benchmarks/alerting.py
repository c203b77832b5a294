"""How soon and how surely alerts arrive: `python -m benchmarks.alerting [--alerts 1000]`.

As many objectives as alerts, four of each service, are all broken within one minute, twice, each time before a
`ninelives up` of its own and a real HTTP receiver. They are broken only after their first revisions are stored and
their past is counted: what a new objective costs is not what is measured.

- The first time the receiver is well: `crossing_to_delivery_p95_s` is from the moment when the deciding minute is final
  (its end and the lateness of spans) until the receiver has answered 200, the 95th percentile over all alerts. A tick
  is due at that moment; `tick_to_delivery_p95_s` tells the same from the beginning of the tick that decided, so the
  difference is how late that began. `tick_s` is the longest tick since that moment, `cpu_s` the CPU time of the server
  from then until all had arrived, and `load_average` how busy the machine was.
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

from api.client import ApiClient, ApiError
from benchmarks.alert_receiver import AlertReceiver
from benchmarks.alert_storm import send_bad_requests, write_objectives
from benchmarks.cpu import ProcessTree
from benchmarks.options import positive
from benchmarks.server import free_ports, local, ninelives, process

FAIL_SHARE: Final = 0.3
KILL_AT: Final = (0.15, 0.5)  # shares of the alerts that have arrived
WAIT_S: Final = 600.0
LOOK_S: Final = 1.0  # between two looks at how long the last tick took


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one storm of alerts; `alerts` are those that fire.

    `took_s` are the seconds from the crossing to the delivery of each alert, `told_s` those from the tick that decided,
    and `cpu_s` is the server's CPU time meanwhile, since its last start.
    """

    alerts: int
    lost: int
    duplicates: int
    duplicates_without_key: int
    failed_requests: int
    took_s: tuple[float, ...]
    told_s: tuple[float, ...]
    tick_s: float
    cpu_s: float
    kills: int


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.alerting", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--alerts", type=positive, default=1000, help="objectives that break at once")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ninelives-alerting-") as name:
        well = measure(Path(name) / "well", options.alerts)
        _tell(f"a receiver that is well: p95 {p95(well.took_s):.1f} s, tick {well.tick_s:.1f} s")
        hurt = measure(Path(name) / "hurt", options.alerts, fail_share=FAIL_SHARE, kill_at=KILL_AT)
    found = {
        "alerts": min(well.alerts, hurt.alerts),
        "lost": well.lost + hurt.lost,
        "duplicates_without_key": well.duplicates_without_key + hurt.duplicates_without_key,
        "crossing_to_delivery_p95_s": round(p95(well.took_s), 2),
        "tick_to_delivery_p95_s": round(p95(well.told_s), 2),
        "tick_s": round(max(well.tick_s, hurt.tick_s), 2),
        "cpu_s": round(well.cpu_s, 2),
        "load_average": round(os.getloadavg()[0], 1),
        "crossing_to_delivery_p95_under_faults_s": round(p95(hurt.took_s), 2),
        "tick_to_delivery_p95_under_faults_s": round(p95(hurt.told_s), 2),
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
        _await(server.has_ticked)
        _await(lambda: server.knows(alerts))
        final_at = send_bad_requests(server.otlp_url, alerts)
        time.sleep(max(final_at - time.time(), 0))
        kills, tick_s, look_at, cpu_s = list(kill_at), 0.0, 0.0, server.cpu_s()
        deadline = time.monotonic() + wait_s
        while (arrived := len(receiver.delivered())) < alerts and time.monotonic() < deadline:
            if kills and arrived >= kills[0] * alerts:
                kills.pop(0)
                _tell(f"kill -9 after {arrived} of {alerts}")
                server.kill()
                server.start()
                cpu_s = 0.0
            if time.monotonic() >= look_at:
                tick_s, look_at = max(tick_s, server.tick_s(final_at)), time.monotonic() + LOOK_S
            time.sleep(0.02)
        cpu_s = server.cpu_s() - cpu_s
        pages, delivered = server.pages(), receiver.delivered()
        arrived_pages = pages.keys() & delivered.keys()
        return Run(
            alerts=len(pages),
            lost=alerts - len(arrived_pages),
            duplicates=receiver.duplicates,
            duplicates_without_key=receiver.duplicates_without_key,
            failed_requests=receiver.failed,
            took_s=tuple(delivered[alert_id] - final_at for alert_id in arrived_pages),
            told_s=tuple(delivered[alert_id] - pages[alert_id] for alert_id in arrived_pages),
            tick_s=max(tick_s, server.tick_s(final_at)),
            cpu_s=cpu_s,
            kills=len(kill_at) - len(kills),
        )


def p95(seconds: Sequence[float]) -> float:
    """Return the 95th percentile, by nearest rank; infinite of nothing.

    >>> p95([float(number) for number in range(1, 101)])
    95.0
    """
    ordered = sorted(seconds)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else math.inf


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

    def cpu_s(self) -> float:
        """Return the CPU seconds since the last start."""
        return ProcessTree(self._pid).cpu_s()

    def pages(self) -> dict[str, float]:
        """Return the unix times of the ticks that decided on the pages that fire, by their ids."""
        with ApiClient(self._api_url, timeout_s=60) as api:
            return {
                alert.id: (alert.fired_at or alert.started_at).timestamp()
                for alert in api.alerts(state="firing")
                if alert.severity == "page"
            }

    def knows(self, count: int) -> bool:
        """Return whether revisions of *count* objectives are stored (they are one batch) and their past is counted."""
        try:
            with ApiClient(self._api_url, timeout_s=60) as api:
                noted = all(api.slo_revisions(f"objective-{number}") for number in (0, count - 1))
                return noted and all(part.finished_at for part in api.backfills())
        except ApiError:
            return False

    def tick_s(self, since: float) -> float:
        """Return how long the last tick took, 0 if nobody says or it began before *since*."""
        if self._metric("ninelives_tick_timestamp_seconds") < since:
            return 0.0
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


def _await(question: Callable[[], bool]) -> None:
    while not question():
        time.sleep(0.2)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
