"""kill -9 and SIGTERM: what was acknowledged is stored, exactly once, and nothing is left running."""

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
from crash_run import Run, each, fleets, is_long, started
from crash_server import Embedded
from otlp_sender import HEADERS, Sender, request_of
from stack import Stack, processes_of, wait_for


@fleets(at_once=3)
def test_kill_9_at_any_point_loses_and_doubles_nothing(tmp_path: Path, seeds: Sequence[int]):
    servers = {}
    for seed in seeds:
        folder = tmp_path / f"seed-{seed}"
        folder.mkdir()
        servers[seed] = Embedded(folder, ["--no-dashboard"])

    def live_and_die(run: Run) -> None:
        for _ in range(4 if is_long(seeds) else 2):
            run.pause(0.1, 3.0)
            run.kill_and_restart()
        run.await_answers("acknowledged")

    with started(servers) as runs:
        each(runs, live_and_die)


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
