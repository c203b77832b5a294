"""kill -9 and SIGTERM: what was acknowledged is stored, exactly once, and nothing is left running."""

import random
import signal
import time
from collections.abc import Callable

import httpx
import pytest
from otlp_sender import HEADERS, Sender, request_of
from stack import Stack, processes_of, wait_for


def crash_and_restart(stack: Stack, seed: int) -> None:
    """Kill the stack under load after a random time, start it again at once, and compare."""
    chance = random.Random(seed)
    stack.start()
    sender = Sender(stack.url("otlp-http"), threads=3, spans=chance.choice((20, 200, 1000)))
    sender.start()
    time.sleep(chance.uniform(0.5, 4.0))
    stack.stop(signal.SIGKILL)
    sender.stop()
    assert sender.acknowledged, "the load did not reach the collector"
    stack.start()  # at once, on the same ports: no child survived its parent
    with stack.api() as api:
        wait_for(lambda: not any(lane.spool_bytes for lane in api.status().ingest), 60, "the spool to be written")
    assert stack.stop() == 0
    rows, distinct = stack.stored()
    assert rows == distinct, "some span was stored twice"
    at_least = len(sender.acknowledged)
    assert at_least <= rows <= at_least + len(sender.unanswered)
    assert stored_ids(stack) >= sender.acknowledged


def stored_ids(stack: Stack) -> set[bytes]:
    """Return the span ids in the data folder of a stopped stack."""
    import subprocess
    import sys

    script = (
        "import os, sys; from storage.client import Database\n"
        "with Database(sys.argv[1]).client() as c:\n"
        "    sys.stdout.write(chr(10).join(r[0] for r in c.query('SELECT hex(span_id) FROM spans').result_rows))\n"
        "sys.stdout.flush(); os._exit(0)"
    )
    command = [sys.executable, "-c", script, f"chdb://{stack.data}/clickhouse"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.split()
    return {bytes.fromhex(text) for text in found}


@pytest.mark.parametrize("seed", range(3))
def test_every_acknowledged_span_is_stored_exactly_once_after_kill_9(make_stack: Callable[..., Stack], seed: int):
    crash_and_restart(make_stack(), seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_twenty_kill_points_lose_and_double_nothing(make_stack: Callable[..., Stack], seed: int):
    crash_and_restart(make_stack(), seed)


def test_kill_9_leaves_no_child(make_stack: Callable[..., Stack]):
    stack = make_stack("--demo")
    stack.start()
    wait_for(lambda: len(processes_of(stack.folder)) >= 6, 60, "the demo's processes")
    stack.stop(signal.SIGKILL)
    wait_for(lambda: not processes_of(stack.folder), 5, f"all children to end: {processes_of(stack.folder)}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_stops_everything_within_10_s_and_loses_nothing(
    make_stack: Callable[..., Stack], number: int
):
    stack = make_stack()
    stack.start()
    sender = Sender(stack.url("otlp-http"), threads=4, spans=500)
    sender.start()
    time.sleep(3)
    began = time.monotonic()
    code = stack.stop(number)
    took_s = time.monotonic() - began
    sender.stop()
    assert code == 0, stack.log
    assert took_s < 10
    assert not processes_of(stack.folder)
    rows, distinct = stack.stored()
    assert rows == distinct
    assert len(sender.acknowledged) <= rows <= len(sender.acknowledged) + len(sender.unanswered)


def test_a_malformed_request_is_refused_and_the_next_one_is_fine(make_stack: Callable[..., Stack]):
    from google.rpc import status_pb2

    stack = make_stack("--no-dashboard")
    stack.start()
    bad = httpx.post(f"{stack.url('otlp-http')}/v1/traces", content=b"\x0a\xff\xff", headers=HEADERS, trust_env=False)
    assert bad.status_code == 400
    assert "ExportTraceServiceRequest" in status_pb2.Status.FromString(bad.content).message
    body, _ = request_of(10)
    good = httpx.post(f"{stack.url('otlp-http')}/v1/traces", content=body, headers=HEADERS, trust_env=False)
    assert good.status_code == 200
    assert stack.stop() == 0
    assert stack.stored() == (10, 10)
