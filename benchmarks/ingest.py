"""How many spans a CPU-second of Ninelives stores, beside the bare engine and beside a peer in the same run.

`python -m benchmarks.ingest [--peer rotel] [--rate 60000 --seconds 60] [--repeat 3]`

CPU seconds of every process of a side, user and system, count from the first byte sent until every span can be
queried and the merges have settled: the side used less than 3 % of a core for 2 s. For us that is `ninelives up`, with
evaluator and API; for the peer its collector and the engine behind it. The clients patch ids while they send; their CPU
is not counted, but they share the machine, so times of the wall say less than times of the CPU. Disk is the live parts
of all tables. Accepted and stored spans must be equal, or the run fails.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.comparison import Comparison
from benchmarks.cpu import NotSettledError
from benchmarks.engine import EngineRun, measure_engine
from benchmarks.load import RefusedError
from benchmarks.options import positive
from benchmarks.ours import measure_collector, measure_ours
from benchmarks.payload import Plan, plan
from benchmarks.rotel import SETTINGS, PeerError, measure_rotel
from benchmarks.server import ServerError
from benchmarks.side import MismatchError, require_equal

PEER_RATE = 40_000
SPANS = 1_000_000
ATTEMPTS = 3
FAILURES = (MismatchError, NotSettledError, PeerError, RefusedError, ServerError)

T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    requests = plan(options.spans, options.batch)
    speed = f"{options.rate:,} spans a second" if options.rate else "as fast as they are answered"
    print(f"{options.spans:,} spans, {options.batch} a request, {requests.item_bytes:.0f} bytes a span, {speed}")
    try:
        figures = _compare(requests, options).figures()
    except FAILURES as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    _print(figures)
    print(json.dumps(figures))
    return 0


def _compare(requests: Plan, options: argparse.Namespace) -> Comparison:
    """Run every side in turn, as often as asked, so that a busy hour of the machine meets them all."""
    paced = {"clients": options.clients, "rate": options.rate}
    found = Comparison(peer={setting: [] for setting in SETTINGS} if options.peer else {})
    for _ in range(options.repeat):
        found.ours.append(measure_ours(requests, **paced))
        found.engine.append(_engine(options))
        found.collector_us_per_span.append(measure_collector(requests, **paced))
        for setting, runs in found.peer.items():
            runs.append(_again(partial(measure_rotel, requests, setting, **paced)))
    return found


def _engine(options: argparse.Namespace) -> EngineRun:
    with tempfile.TemporaryDirectory(prefix="ninelives-bench-") as name:
        found = measure_engine(Path(name) / "clickhouse", options.spans, options.batch)
    require_equal("the bare engine stored", found.spans, options.spans)
    return found


def _again(run: Callable[[], T]) -> T:
    """Return what *run* returns; a peer that a busy machine made fail gets another chance, which is said."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return run()
        except (MismatchError, PeerError) as error:
            if attempt == ATTEMPTS:
                raise
            print(f"the peer's run is repeated: {error}", file=sys.stderr)
    raise AssertionError("not reached")


def _print(figures: Mapping[str, Any]) -> None:
    for side, name in (("ours", "Ninelives"), ("peer", f"rotel, {figures.get('peer_setting')}")):
        if f"{side}_cpu_s" in figures:
            _print_side(name, {key.removeprefix(f"{side}_"): figures[key] for key in figures if key.startswith(side)})
    others = {
        "bare engine": "engine_spans_per_cpu_s",
        **{f"rotel, {setting}": f"peer_{setting}_spans_per_cpu_s" for setting in SETTINGS},
    }
    for name, key in others.items():
        if key in figures:
            print(f"{name:16} {figures[key]:>8,} spans per CPU-second")
    for key in ("ratio", "ratio_to_default", "ratio_to_engine", "collector_us_per_span", "busy_answers"):
        if key in figures:
            print(f"{key:24} {figures[key]}")


def _print_side(name: str, side: Mapping[str, Any]) -> None:
    print(
        f"{name:16} {side['spans_per_cpu_s']:>8,} spans per CPU-second {side['runs_spans_per_cpu_s']};"
        f" accepted = stored, {side['accepted_spans_per_s']:,} a second\n"
        f"{'':16} p50 {side['p50_ms']} ms, p99 {side['p99_ms']} ms; {side['rss_mb']} MiB;"
        f" {side['disk_bytes_per_span']} bytes a span on disk\n"
        f"{'':16} at most {side['backlog_peak_spans']:,} spans not stored yet, all of them {side['drain_s']} s after"
        " the last answer"
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", choices=["rotel"], help="measure this collector as well, before the same engine")
    parser.add_argument("--rate", type=positive, help=f"spans a second; with a peer {PEER_RATE:,}, else no limit")
    parser.add_argument("--seconds", type=positive, default=20, help="with a rate: for how long")
    parser.add_argument("--spans", type=positive, help=f"in all; {SPANS:,} without a rate")
    parser.add_argument("--batch", type=positive, default=512, help="spans a request")
    parser.add_argument("--clients", type=positive, default=4, help="connections")
    parser.add_argument("--repeat", type=positive, default=1, help="runs of each side, of which the median counts")
    options = parser.parse_args(arguments)
    options.rate = options.rate or (PEER_RATE if options.peer else None)
    options.spans = options.spans or (options.rate * options.seconds if options.rate else SPANS)
    return options


if __name__ == "__main__":
    sys.exit(main())
