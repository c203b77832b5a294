"""A service of your own: the real SDK exporters, no file written, true numbers within a minute."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stack import Stack, wait_for

SPANS = 100_000


def emit(script: Path, *words: str) -> None:
    subprocess.run([sys.executable, str(script), *words], check=True, timeout=240)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_sdk_exporters_deliver_100000_spans_exactly(make_stack: Callable[..., Stack], protocol: str):
    stack = make_stack("--no-dashboard")
    stack.start()
    target = f"127.0.0.1:{stack.ports['otlp-http' if protocol == 'http' else 'otlp-grpc']}"
    emit(Path(__file__).with_name("sdk_service.py"), protocol, target, str(SPANS))
    with stack.api() as api:
        wait_for(lambda: api.status().spans_stored >= SPANS, 60, "the spans to be stored")
    assert stack.stop() == 0
    assert stack.stored() == (SPANS, SPANS)


def test_a_service_of_your_own_has_draft_slos_with_true_numbers_within_a_minute(make_stack: Callable[..., Stack]):
    stack = make_stack("--no-dashboard")
    stack.start()
    # 1,000 requests of 2 minutes ago: 20 failed, 100 took 300 ms
    emit(Path(__file__).with_name("sdk_service.py"), "past", f"127.0.0.1:{stack.ports['otlp-http']}", "1000")
    with stack.api() as api:
        found = wait_for(lambda: {slo.id: slo for slo in api.slos() if slo.total}, 60, "the drafts")
        availability, latency = found["invoices-availability"], found["invoices-latency"]
        assert availability.draft
        assert availability.policy == "none"
        assert (availability.good, availability.bad, availability.total) == (980, 20, 1000)
        assert availability.objective == 0.999
        assert availability.hour.total == 1000
        assert (latency.good, latency.bad, latency.total) == (900, 100, 1000)
        assert (latency.threshold_ms, latency.objective) == (200.0, 0.95)
        assert latency.percentile_ms == pytest.approx(300, rel=0.022)
    assert stack.command("slo", "adopt", "invoices").returncode == 0
    with stack.api() as api:
        adopted = api.slo("invoices-availability")
    assert not adopted.draft
    assert adopted.policy != "none"
    assert (adopted.good, adopted.bad) == (980, 20)
