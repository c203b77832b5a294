"""How many spans a CPU-second of Ninelives stores, beside the bare engine in the same run.

`python -m benchmarks.ingest [--spans 1000000] [--batch 512] [--clients 4]`

CPU seconds of every process of the server, user and system, count from the first byte sent until every span can be
queried and the merges have settled: the server used less than 3 % of a core for 2 s. The evaluator and the API run
in the same process and are counted too. The clients patch ids while they send; their CPU is not counted, but they
share the machine, so times of the wall say less than times of the CPU. Disk is the live parts of all tables.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.client import ApiClient
from benchmarks.cpu import NotSettledError, PeakMemory, ProcessTree, wait_until_settled
from benchmarks.engine import EngineRun, measure_engine, stored_bytes
from benchmarks.load import Outcome, RefusedError, send_all
from benchmarks.payload import Plan, plan
from benchmarks.server import Server, ServerError, running

QUERYABLE_S = 120.0
POLL_S = 0.25
MIB = 1 << 20


class MismatchError(Exception):
    """Accepted and stored differ: a lost or doubled span, the one thing that no speed makes good."""


@dataclass(frozen=True, slots=True)
class OursRun:
    """`queryable_s` and `cpu_s` count from the first byte."""

    sent: Outcome
    cpu_s: float
    queryable_s: float
    rss_bytes: int
    disk_bytes: int


def measure_ours(requests: Plan, *, clients: int) -> OursRun:
    """Send *requests* to a server of its own and return what that cost it.

    Raises:
        MismatchError: accepted and stored spans differ.
    """
    with tempfile.TemporaryDirectory(prefix="ninelives-bench-") as name:
        folder = Path(name)
        with running(folder) as server:
            sent, cpu_s, queryable_s, rss_bytes = _load(server, requests, clients)
        return OursRun(sent, cpu_s, queryable_s, rss_bytes, stored_bytes(folder / "data" / "clickhouse"))


def report(ours: OursRun, engine: EngineRun) -> dict[str, float]:
    """Return the figures of a run: rates a second, times in ms, memory in MiB."""
    spans = ours.sent.spans
    ours_rate, engine_rate = spans / ours.cpu_s, engine.spans / engine.cpu_s
    return {
        "spans": spans,
        "ours_spans_per_cpu_s": round(ours_rate),
        "engine_spans_per_cpu_s": round(engine_rate),
        "ratio_to_engine": round(ours_rate / engine_rate, 3),
        "ours_cpu_s": round(ours.cpu_s, 2),
        "engine_cpu_s": round(engine.cpu_s, 2),
        "accepted_spans_per_s": round(spans / ours.sent.wall_s),
        "queryable_s": round(ours.queryable_s, 2),
        "p50_ms": round(ours.sent.percentile_ms(0.50), 2),
        "p99_ms": round(ours.sent.percentile_ms(0.99), 2),
        "busy_answers": ours.sent.busy,
        "rss_mb": round(ours.rss_bytes / MIB),
        "disk_bytes_per_span": round(ours.disk_bytes / spans, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    requests = plan(options.spans, options.batch)
    body_bytes = len(requests.templates[0].data)
    print(f"{options.spans:,} spans in {requests.requests:,} requests of {body_bytes / options.batch:.0f} bytes a span")
    try:
        ours = measure_ours(requests, clients=options.clients)
        with tempfile.TemporaryDirectory(prefix="ninelives-bench-") as name:
            engine = measure_engine(Path(name) / "clickhouse", options.spans, options.batch)
        require_equal("the bare engine stored", engine.spans, options.spans)
    except (MismatchError, NotSettledError, RefusedError, ServerError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    figures = report(ours, engine)
    _print(figures)
    print(json.dumps(figures))
    return 0


def _load(server: Server, requests: Plan, clients: int) -> tuple[Outcome, float, float, int]:
    """Return what the clients saw, the server's CPU seconds, seconds until queryable, and its peak of memory."""
    tree = ProcessTree(server.pid)
    wait_until_settled(tree.cpu_s)
    memory = PeakMemory(tree)
    before_s, started = tree.cpu_s(), time.monotonic()
    sent = send_all(requests, server.otlp_port, clients=clients)
    _await_stored(server.api, sent.spans)
    queryable_s = time.monotonic() - started
    wait_until_settled(tree.cpu_s)
    cpu_s = tree.cpu_s() - before_s
    memory.close()
    status = server.api.status()
    require_equal("after the merges the server had", status.spans_stored, sent.spans)
    require_equal("the collector counted", sum(lane.accepted_items for lane in status.ingest), sent.spans)
    require_equal("dead letters", sum(lane.dead_letters for lane in status.ingest), 0)
    return sent, cpu_s, queryable_s, memory.bytes


def _await_stored(api: ApiClient, spans: int) -> None:
    deadline = time.monotonic() + QUERYABLE_S
    stored = api.status().spans_stored
    while stored < spans and time.monotonic() < deadline:
        time.sleep(POLL_S)
        stored = api.status().spans_stored
    require_equal("the server stored", stored, spans)


def require_equal(what: str, found: int, expected: int) -> None:
    """Raise MismatchError unless *found* is exactly *expected*."""
    if found != expected:
        raise MismatchError(f"{what} {found:,}, expected {expected:,}")


def _print(figures: dict[str, float]) -> None:
    print(
        f"Ninelives    {figures['ours_spans_per_cpu_s']:>9,.0f} spans per CPU-second ({figures['ours_cpu_s']} s),"
        f" {figures['ratio_to_engine']:.2f} of the bare engine\n"
        f"bare engine  {figures['engine_spans_per_cpu_s']:>9,.0f} spans per CPU-second ({figures['engine_cpu_s']} s)\n"
        f"accepted     {figures['accepted_spans_per_s']:>9,.0f} spans a second, all queryable after"
        f" {figures['queryable_s']} s; accepted = stored\n"
        f"answers      p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms,"
        f" {figures['busy_answers']} asked to come again\n"
        f"memory       {figures['rss_mb']} MiB at its peak\n"
        f"disk         {figures['disk_bytes_per_span']} bytes a span, all tables"
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.partition("\n")[0])
    parser.add_argument("--spans", type=_positive, default=1_000_000)
    parser.add_argument("--batch", type=_positive, default=512, help="spans a request")
    parser.add_argument("--clients", type=_positive, default=4, help="connections")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
