"""All benchmarks in their short form: `python -m benchmarks.report [--write docs/benchmarks.md]`, or `make bench`.

The last line is one JSON object with the figures of all of them. `--write` puts them, with the machine, the versions
and the commands, between the marks of a page, whose other text stays.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
MARKS = ("<!-- figures: written by python -m benchmarks.report -->\n", "<!-- end of the figures -->\n")
PACKAGES = ("chdb", "clickhouse-connect", "protobuf", "rotel", "uvicorn")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A command and what goes before the names of its figures."""

    words: tuple[str, ...]
    prefix: str = ""

    @property
    def command(self) -> str:
        return f"python -m {' '.join(self.words)}"


BENCHMARKS = (
    Benchmark(("benchmarks.ingest", "--peer", "rotel", "--rate", "60000", "--seconds", "60")),
    Benchmark(("benchmarks.metrics",), "metrics_"),
    Benchmark(("benchmarks.otlp_json",)),
    Benchmark(("benchmarks.check",), "check_"),
    Benchmark(("benchmarks.slo", "--short"), "slo_"),
    Benchmark(("benchmarks.judge",), "judge_"),
    Benchmark(("benchmarks.alerting", "--alerts", "200"), "alerting_"),
    Benchmark(("benchmarks.sustained", "--seconds", "60"), "sustained_"),
    Benchmark(("benchmarks.sustained", "--seconds", "60", "--signal", "metrics"), "sustained_metrics_"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark printed; `figures` is empty when it said nothing that can be used."""

    benchmark: Benchmark
    exit_code: int
    text: str
    figures: Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    before, results = os.getloadavg()[0], []
    for benchmark in BENCHMARKS:
        if benchmark.words[0].removeprefix("benchmarks.") not in options.skip:
            results.append(run(benchmark))
            print(f"$ {benchmark.command}\n{results[-1].text}", flush=True)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(between_marks(page, section(results, before, datetime.now(UTC))), encoding="utf-8")
    print(json.dumps(merged(results)))
    return max(result.exit_code for result in results)


def run(benchmark: Benchmark) -> Result:
    """Run *benchmark* and return what it printed, what it complained about included."""
    done = subprocess.run(
        [sys.executable, "-m", *benchmark.words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return read(benchmark, done.returncode, done.stdout, done.stderr)


def read(benchmark: Benchmark, exit_code: int, output: str, complaints: str) -> Result:
    """Return the result in the last line of *output*, and the lines before it for people."""
    *lines, last = output.rstrip().split("\n")
    try:
        figures = json.loads(last)
    except json.JSONDecodeError:
        return Result(benchmark, exit_code or 1, f"{output}{complaints}".rstrip(), {})
    text = [*lines, *(complaints.strip().splitlines()[-3:] if exit_code else [])]
    return Result(benchmark, exit_code, "\n".join(text or [last]), figures)


def merged(results: Sequence[Result]) -> dict[str, Any]:
    """Return the figures of all *results* under names of their own."""
    return {f"{result.benchmark.prefix}{name}": value for result in results for name, value in result.figures.items()}


def section(results: Sequence[Result], load_before: float, now: datetime) -> str:
    """Return the page's part with the machine and the *results*."""
    memory_gib = psutil.virtual_memory().total / (1 << 30)
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = f"{_processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}"
    moment = f"{now:%Y-%m-%d %H:%M} UTC; load average before the first benchmark {load_before:.1f}"
    parts = [f"Measured {moment}.\n{machine}.\nPython {platform.python_version()}, {versions}.\n"]
    parts += [f"```console\n$ {result.benchmark.command}\n{result.text}\n```\n" for result in results]
    return "\n".join(parts)


def between_marks(page: str, text: str) -> str:
    """Return *page* with *text* between its marks.

    Raises:
        ValueError: it has no marks.
    """
    begin, end = MARKS
    if begin not in page or end not in page:
        raise ValueError(f"the page has no place for figures: it needs the lines {begin!r} and {end!r}")
    return f"{page.partition(begin)[0]}{begin}\n{text}\n{end}{page.partition(end)[2]}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = sorted({benchmark.words[0].removeprefix("benchmarks.") for benchmark in BENCHMARKS})
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the figures into this page as well")
    parser.add_argument("--skip", nargs="+", choices=names, default=[], help="benchmarks to leave out")
    options = parser.parse_args(arguments)
    if set(options.skip) == set(names):
        parser.error("nothing is left to run")
    return options


if __name__ == "__main__":
    sys.exit(main())
