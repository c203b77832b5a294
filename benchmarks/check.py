"""Microseconds a span of the one look that Python takes at a request: `python -m benchmarks.check`."""

import argparse
import json
import time
from collections.abc import Callable

from benchmarks.payload import build_templates
from collector.check.check import check
from collector.check.check_traces import check_traces
from collector.check.item_limit import DEFAULT_ITEM_LIMIT, count_items
from collector.check.parse import parse


def measure(spans: int, rounds: int) -> dict[str, float]:
    """Return microseconds a span, each the best of *rounds* (a busy machine only adds), for batches of *spans*.

    `check` is all that a valid request pays; `serialise` is paid in addition by a request that had to be changed, and
    `count_items` by a body above 300 KB.
    """
    body = build_templates(spans, count=1)[0].fresh(time.time_ns())
    request = parse("traces", body)
    parts: dict[str, Callable[[], object]] = {
        "parse": lambda: parse("traces", body),
        "look": lambda: check_traces(request, body),
        "check": lambda: check("traces", body),
        "serialise": request.SerializeToString,
        "count_items": lambda: count_items("traces", body, DEFAULT_ITEM_LIMIT),
    }
    return {name: round(_best_s(part, rounds) * 1e6 / spans, 3) for name, part in parts.items()}


def _best_s(part: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        part()
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=512, help="spans in a request (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=200, help="repetitions of each part (default: %(default)s)")
    options = parser.parse_args()
    found = measure(options.spans, options.rounds)
    for name, microseconds in found.items():
        print(f"{name:12} {microseconds:7.3f} us a span")
    print(json.dumps({"spans": options.spans, "us_a_span": found}))


if __name__ == "__main__":
    main()
