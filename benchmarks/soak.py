"""Whether memory, threads and open files stay where they are: a moderate rate for 10 minutes.

`python -m benchmarks.soak [--seconds 600] [--rate 10000] [--warm-up 300]`

Every process of `ninelives up` is looked at once a second. After the warm-up, in which caches and the engine's pool of
threads fill, the last third of the time is compared with the first: flat is a mean within 5 %, or within 2 threads and
20 files, which come and go with merges. The peaks of every minute, warm-up included, show how it got there.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.load import RefusedError
from benchmarks.options import positive
from benchmarks.server import Server, ServerError
from benchmarks.side import MismatchError
from benchmarks.steady import ITEMS, first_and_last, run_steady

MIB = 1 << 20
FLAT_SHARE = 0.05
SLACK = {"rss_mb": 0.0, "threads": 2.0, "files": 20.0}


@dataclass(frozen=True, slots=True)
class Usage:
    rss_mb: float
    threads: int
    files: int


def look(server: Server, _folder: Path) -> dict[int, Usage]:
    """Return what each process of the server uses, by pid."""
    root = psutil.Process(server.pid)
    found = {}
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            found[process.pid] = Usage(process.memory_info().rss / MIB, process.num_threads(), process.num_fds())
    return found


def judge(seen: Sequence[Mapping[int, Usage]], warm_up: int) -> list[dict[str, object]]:
    """Return for each process that was there all the time the means of its first and last third, and if it is flat.

    The first *warm_up* looks do not count. The peaks of all minutes show how it got there.
    """
    lasting = set(seen[0]).intersection(*seen)
    found = []
    for number, pid in enumerate(sorted(lasting)):
        process: dict[str, object] = {"process": number, "flat": True}
        for measure, slack in SLACK.items():
            values = [getattr(sample[pid], measure) for sample in seen]
            first, last = first_and_last(values[warm_up:])
            process[measure] = [round(first, 1), round(last, 1)]
            process[f"{measure}_by_minute"] = [
                round(max(values[start : start + 60]), 1) for start in range(0, len(values), 60)
            ]
            process["flat"] = bool(process["flat"]) and last <= first + max(FLAT_SHARE * first, slack)
        found.append(process)
    return found


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
    processes = judge(run.seen, options.warm_up)
    figures = {
        "soak_seconds": options.seconds,
        "offered_per_s": options.rate,
        "stored": run.sent.items,
        "flat": all(process["flat"] for process in processes),
        "processes": processes,
        "p99_ms": round(run.sent.percentile_ms(0.99), 2),
    }
    for process in processes:
        print(", ".join(f"{name} {value}" for name, value in process.items()))
    print(f"flat: {figures['flat']}; accepted = stored = {run.sent.items:,}")
    print(json.dumps(figures))
    return 0 if figures["flat"] else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--signal", choices=sorted(ITEMS), default="traces")
    parser.add_argument("--rate", type=positive, default=10_000, help="spans or points a second")
    parser.add_argument("--seconds", type=positive, default=600)
    parser.add_argument("--warm-up", type=int, default=300, help="seconds at the start that do not count")
    parser.add_argument("--batch", type=positive, default=512, help="spans or points a request")
    parser.add_argument("--clients", type=positive, default=4, help="connections")
    options = parser.parse_args(arguments)
    if options.warm_up < 0 or options.seconds < options.warm_up + 10:
        parser.error(f"--seconds {options.seconds}: needs at least 10 more than the warm-up of {options.warm_up}")
    return options


if __name__ == "__main__":
    sys.exit(main())
