"""The benchmarks run, and what each prints last is one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)


def figures_of(*words):
    done = run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.long
def test_a_small_run_stores_what_it_sent_and_compares_itself_with_the_peer_and_the_engine():
    figures = figures_of("benchmarks.ingest", "--peer", "rotel", "--rate", "5000", "--seconds", "2", "--clients", "2")
    assert figures["spans"] == 10_000
    for side in ("ours", "peer"):
        for name in ("spans_per_cpu_s", "accepted_spans_per_s", "p99_ms", "rss_mb", "disk_bytes_per_span"):
            assert figures[f"{side}_{name}"] > 0, name
    assert figures["ratio"] <= figures["ratio_to_default"]
    assert figures["ratio_to_engine"] > 0
    assert figures["collector_us_per_span"] > 0


@pytest.mark.long
@pytest.mark.parametrize(("signal", "items"), [("traces", "spans"), ("metrics", "points")])
def test_a_small_rate_is_held(signal, items):
    figures = figures_of("benchmarks.sustained", "--signal", signal, "--rate", "2000", "--seconds", "9")
    assert figures["held"] is True
    assert figures[f"{items}_stored"] == 18_000
    assert figures["rss_peak_mb"] > 50


@pytest.mark.long
def test_a_short_soak_looks_at_every_process():
    done = run("benchmarks.soak", "--rate", "1000", "--seconds", "15", "--warm-up", "3")
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["stored"] == 15_000
    assert figures["processes"]
    for process in figures["processes"]:
        assert all(value > 0 for name in ("rss_mb", "threads", "files") for value in process[name])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("benchmarks.ingest", "--spans", "0"), "not a positive number"),
        (("benchmarks.sustained", "--seconds", "2"), "at least 5"),
        (("benchmarks.soak", "--seconds", "60", "--warm-up", "60"), "at least 10 more"),
    ],
)
def test_options_that_make_no_sense_are_refused(words, reason):
    done = run(*words)
    assert done.returncode == 2
    assert reason in done.stderr
