"""What clients sent beside what a stack made of it."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from client_api import Api, Item, expected_log, expected_spans
from client_stored import stored
from stack import Stack, wait_for

from api import models as m

HERE = Path(__file__).parent
SIGNALS = {"traces": "spans", "metrics": "points", "logs": "logs"}
METRIC_FIELDS = ("metric", "type", "unit", "description", "temporality", "monotonic")
LONGEST = 2000
SHOWN = 2  # differing items in a failure: more hide the first


@dataclass(frozen=True)
class Delivery:
    """One run of clients against one stack.

    Attributes:
        sent: Ledger of each client.
        traces: Every trace that was sent, as the API shows it.
        logs: All log records, as the API shows them.
        metrics: The API's answers on metrics, by path; '' is the list.
        stored: Points, exemplars and logs of the whole stack.
    """

    sent: dict[str, dict[str, Any]]
    status: m.Status
    services: dict[str, m.ServiceDetail]
    traces: dict[str, Item]
    logs: list[Item]
    metrics: dict[str, Item]
    stored: dict[str, list[Item]]

    def count(self, kind: str) -> int:
        return sum(len(ledger[kind]) for ledger in self.sent.values())

    def assert_nothing_refused(self) -> None:
        """Fail unless the collector counted exactly what was sent, and neither refused, rejected nor repeated any."""
        assert {client: ledger["failures"] for client, ledger in self.sent.items()} == dict.fromkeys(self.sent, 0)
        for lane in self.status.ingest:
            sent = self.count(SIGNALS[lane.signal])
            assert (lane.signal, lane.received_items, lane.accepted_items, lane.stored_items) == (
                lane.signal,
                *[sent] * 3,
            )
            assert lane.rejected_items == lane.refused_items == lane.repeated_items == 0, lane
            assert lane.damaged_requests == lane.dead_letters == lane.spool_bytes == 0, lane
            assert not any(lane.refused_requests.values()), lane
            assert not lane.last_error
        assert self.status.spans_stored == self.count("spans")
        assert self.status.notices == []

    def assert_requests(self, client: str) -> None:
        """Fail unless the API counts as requests exactly the server and consumer spans of *client*."""
        requests = [span for span in self.sent[client]["spans"] if span["kind"] in {"server", "consumer"}]
        failed = sum(span["status"] == "error" for span in requests)
        service = self.services[client].service
        assert (service.requests, service.errors) == (len(requests), failed)

    def assert_spans(self, clients: Iterable[str] | None = None) -> None:
        """Fail unless the API shows every span that *clients* sent, and no other in their traces, value by value."""
        spans = [span for client in clients or self.sent for span in self.sent[client]["spans"]]
        by_trace: dict[str, list[Item]] = {}
        for span in spans:
            by_trace.setdefault(span["trace_id"], []).append(span)
        for trace_id, of_trace in by_trace.items():
            expected = expected_spans(of_trace)
            shown = self.traces[trace_id]["spans"]
            fields = next(iter(expected.values())).keys()
            assert_same(expected.values(), [{name: span[name] for name in fields} for span in shown])

    def assert_items(self, kind: str, client: str, service: str) -> None:
        """Fail unless exactly the points, exemplars or logs are stored that *client* sent as *service*."""
        sent = [{"service": service} | item for item in self.sent[client][kind]]
        assert sent
        assert_same(sent, [item for item in self.stored[kind] if item["service"] == service])

    def assert_listed(self) -> None:
        """Fail unless the API lists every metric with type, unit, description and senders, and all log records."""
        sent = [
            {name: point[name] for name in METRIC_FIELDS} | {"services": point["resource"]["service.name"]}
            for ledger in self.sent.values()
            for point in ledger["points"]
        ]
        listed = [
            {name: item[name] for name in METRIC_FIELDS} | {"services": service}
            for item in self.metrics[""]["items"]
            for service in item["services"]
        ]
        assert_same({json.dumps(item): item for item in sent}.values(), listed)
        assert_same([expected_log(log) for ledger in self.sent.values() for log in ledger["logs"]], self.logs)


def assert_same(sent: Iterable[Item], found: Iterable[Item]) -> None:
    """Fail unless both hold the same items, in any order; 1, 1.0 and true differ."""
    left, right = (Counter(json.dumps(item, sort_keys=True) for item in items) for items in (sent, found))
    missing, unexpected = left - right, right - left
    if missing or unexpected:
        shown = [f"- {item[:LONGEST]}" for item in sorted(missing)[:SHOWN]]
        shown += [f"+ {item[:LONGEST]}" for item in sorted(unexpected)[:SHOWN]]
        counts = f"{missing.total()} of {left.total()} missing, {unexpected.total()} not sent"
        pytest.fail("\n".join((counts, *shown)), pytrace=False)


def run_all(commands: Mapping[str, Sequence[str]], *, timeout_s: float = 120) -> None:
    """Run Python scripts of this folder side by side; each must succeed."""
    children = {
        name: subprocess.Popen(
            [sys.executable, str(HERE / script), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, (script, *words) in commands.items()
    }
    try:
        for name, child in children.items():
            output, _ = child.communicate(timeout=timeout_s)
            assert child.returncode == 0, f"{name}: {output}"
    finally:
        for child in children.values():
            child.kill()
            child.wait()


def collect(
    stack: Stack, ledgers: Mapping[str, Path], *, metrics: Iterable[str] = (), timeout_s: float = 60
) -> Delivery:
    """Wait until everything of *ledgers* is stored, ask the API, also of *metrics*, stop *stack*, read its folder."""
    sent = {client: json.loads(path.read_text()) for client, path in ledgers.items()}
    totals = {signal: sum(len(ledger[kind]) for ledger in sent.values()) for signal, kind in SIGNALS.items()}
    with stack.api() as api:

        def status() -> m.Status | None:
            found = api.status()
            done = all(lane.stored_items >= totals[lane.signal] for lane in found.ingest)
            return found if done and not any(lane.spool_bytes for lane in found.ingest) else None

        found = wait_for(status, timeout_s, f"{totals} to be stored:\n{stack.log}")
        services = {service.name: api.service(service.name) for service in api.services()}
    ids = {span["trace_id"] for ledger in sent.values() for span in ledger["spans"]}
    with Api(stack.url("api")) as answers:
        traces = {trace_id: answers.get(f"traces/{trace_id}") for trace_id in ids}
        found_metrics = {path: answers.get(f"metrics/{path}") for path in metrics} | {"": answers.get("metrics")}
        logs = answers.logs()
    assert stack.stop() == 0, stack.log
    return Delivery(sent, found, services, traces, logs, found_metrics, stored(stack.data))
