"""A rate that the whole of Ninelives accepts and stores without a growing backlog.

`python -m benchmarks.sustained [--rate 100000] [--seconds 60] [--signal metrics]`

Requests are sent by the clock. The rate is held when none was sent more than 2 s late, everything accepted was stored,
and the bytes that wait in the spool were, on the average of the last third of the time, no more than two seconds of
load above those of the first third. Every answer comes after the request was synced to the disk.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cpu import ProcessTree
from benchmarks.load import RefusedError
from benchmarks.options import positive
from benchmarks.server import Server, ServerError, spool_bytes
from benchmarks.side import MismatchError
from benchmarks.steady import ITEMS, Steady, first_and_last, run_steady

MIB = 1 << 20
LOAD_S = 2.0  # what waits swings by so much: a second in the open segment, and a sealed one until it is inserted


@dataclass(frozen=True, slots=True)
class Look:
    spool_bytes: int
    rss_bytes: int
    cpu_s: float


def look(server: Server, folder: Path) -> Look:
    """Return what waits in the spool and what the server uses, without asking it anything."""
    tree = ProcessTree(server.pid)
    return Look(spool_bytes(folder), tree.rss_bytes(), tree.cpu_s())


def grows(backlog: Sequence[float], second_bytes: float) -> bool:
    """Return whether the *backlog* is higher in its last third than in its first, by two seconds of load or more."""
    first, last = first_and_last(backlog)
    return last > first + LOAD_S * second_bytes


def report(run: Steady[Look], rate: int, signal: str) -> dict[str, object]:
    """Return the figures: memory in MiB, times in ms, rates a second."""
    spool = [seen.spool_bytes for seen in run.seen]
    first, last = first_and_last(spool)
    cpu_s = run.seen[-1].cpu_s - run.seen[0].cpu_s
    return {
        "signal": signal,
        "held": run.on_time and not grows(spool, rate * run.item_bytes),
        "offered_per_s": rate,
        f"{ITEMS[signal]}_accepted_per_s": round(run.sent.items / run.sent.wall_s),
        f"{ITEMS[signal]}_stored": run.sent.items,
        "cores": round(cpu_s / max(1, len(run.seen) - 1), 2),
        "p50_ms": round(run.sent.percentile_ms(0.50), 2),
        "p99_ms": round(run.sent.percentile_ms(0.99), 2),
        "late_s": round(run.sent.late_s, 2),
        "busy_answers": run.sent.busy,
        "spool_first_third_mb": round(first / MIB, 1),
        "spool_last_third_mb": round(last / MIB, 1),
        "spool_peak_mb": round(max(spool) / MIB, 1),
        "rss_peak_mb": round(max(seen.rss_bytes for seen in run.seen) / MIB),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        run = run_steady(
            options.signal,
            rate=options.rate,
            seconds=options.seconds,
            batch=options.batch,
            clients=options.clients,
            look=look,
        )
    except (MismatchError, RefusedError, ServerError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    figures = report(run, options.rate, options.signal)
    for name, value in figures.items():
        print(f"{name:28} {value}")
    print(json.dumps(figures))
    return 0 if figures["held"] else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sustained", description=__doc__.partition("\n")[0])
    parser.add_argument("--signal", choices=sorted(ITEMS), default="traces")
    parser.add_argument("--rate", type=positive, default=100_000, help="spans or points a second")
    parser.add_argument("--seconds", type=seconds, default=60)
    parser.add_argument("--batch", type=positive, default=512, help="spans or points a request")
    parser.add_argument("--clients", type=positive, default=16, help="connections")
    return parser.parse_args(arguments)


def seconds(text: str) -> int:
    """Return *text* as a time that has thirds.

    Raises:
        argparse.ArgumentTypeError: it is below 5 s.
    """
    if positive(text) < 5:
        raise argparse.ArgumentTypeError(f"{text} s are too few to say anything: at least 5")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
