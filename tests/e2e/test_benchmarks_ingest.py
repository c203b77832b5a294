"""The benchmark runs, and what it prints last is one line of JSON."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_run_stores_what_it_sent_and_reports_a_ratio_to_the_engine():
    command = [sys.executable, "-m", "benchmarks.ingest", "--spans", "2000", "--clients", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["spans"] == 2000
    assert figures["ratio_to_engine"] > 0
    for name in ("ours_spans_per_cpu_s", "accepted_spans_per_s", "p99_ms", "rss_mb", "disk_bytes_per_span"):
        assert figures[name] > 0, name


def test_a_number_of_spans_that_is_not_positive_is_refused():
    command = [sys.executable, "-m", "benchmarks.ingest", "--spans", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "not a positive number" in done.stderr
