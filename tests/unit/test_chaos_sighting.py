"""A fault counts only where the victim's own spans show it."""

import pytest

from api.models import EdgeCount, SliCount
from chaos.judge.sighting import Injected, Sighting, Traces, all_seen, sight


def traces(calls=900, errors=0, p50_ms=4.0, *, requests=900, slow=45, just_after=None, seconds=30.0):
    edge = EdgeCount(client="gateway", server="orders", calls=calls, errors=errors, p50_ms=p50_ms, p95_ms=None)
    server = SliCount(
        service="orders", environment="", total=requests, errors=0, slow=slow, threshold_ms=20, p50_ms=None,
        p95_ms=20.0 if requests else None, newest_span_at=None,
    )  # fmt: skip
    return Traces(edge, server, seconds, just_after, 1.0)


HEALTHY = traces()
SILENT = traces(calls=0, p50_ms=None, requests=0, slow=0)


@pytest.mark.parametrize(
    ("healthy", "broken", "seen"),
    [
        (HEALTHY, traces(p50_ms=154.0), True),
        (HEALTHY, traces(p50_ms=153.9), False),
        (HEALTHY, traces(p50_ms=54.0, errors=300), True),  # the caller gives up long before, and asks somebody else
        (HEALTHY, traces(calls=0, p50_ms=None), False),
        (SILENT, SILENT, False),
    ],
)
def test_latency_is_seen_when_half_of_it_arrives_or_calls_fail_for_it(healthy, broken, seen):
    assert sight(Injected("latency", delay_ms=300), healthy, broken).seen is seen


@pytest.mark.parametrize("kind", ["partition", "http"])
@pytest.mark.parametrize(
    ("healthy", "broken", "seen"),
    [
        (HEALTHY, traces(errors=880), True),
        (traces(errors=9), traces(errors=9), False),
        (HEALTHY, traces(errors=2), False),  # chance does that
        (HEALTHY, traces(calls=0, requests=10), True),
        (traces(calls=0, requests=3), traces(calls=0, requests=0, slow=0), False),
        (SILENT, SILENT, False),
    ],
)
def test_a_cut_is_seen_by_failing_calls_or_by_silence_behind_the_edge(kind, healthy, broken, seen):
    """Errors that were there before do not count, nor does the silence of a service that was silent anyway."""
    assert sight(Injected(kind), healthy, broken).seen is seen


@pytest.mark.parametrize(
    ("kills", "broken", "seen"),
    [
        (1, traces(calls=0, just_after=2), True),
        (1, traces(errors=12, just_after=30), True),
        (1, traces(just_after=30), False),
        (0, traces(errors=400, just_after=2), False),
    ],
)
def test_a_kill_needs_the_daemons_word_and_a_trace_of_it(kills, broken, seen):
    """Neither a gap without a kill nor a kill without a gap counts."""
    assert sight(Injected("kill", kills=kills), HEALTHY, broken).seen is seen


@pytest.mark.parametrize("kind", ["cpu", "memory", "file_descriptors", "disk", "pool", "command", "container"])
def test_starved_processes_are_seen_by_slow_requests_or_failing_calls(kind):
    assert sight(Injected(kind), HEALTHY, traces(slow=500)).seen
    assert sight(Injected(kind), HEALTHY, traces(errors=100)).seen
    assert not sight(Injected(kind), HEALTHY, traces(slow=50)).seen


def test_every_fault_of_a_method_must_be_seen():
    seen, unseen = Sighting(seen=True, evidence="slow"), Sighting(seen=False, evidence="no errors")
    assert all_seen([seen, seen]).seen
    assert all_seen([seen, unseen]) == Sighting(seen=False, evidence="slow; no errors")
