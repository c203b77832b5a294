"""Requests split into arms by their trace ids: SQL agrees with the definition in Python, to the last trace."""

import hashlib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.proxy.arms import arm_of as proxy_arm
from storage.arms import POINTS, Selection, arm_points
from storage.requests import count_calls, count_requests, latency_sample, worst_traces

SHARES = st.floats(min_value=2**-60, max_value=0.5)
NOW = datetime.now(UTC)
LATELY = {"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=5)}  # a long test run ends later


def point_of(trace_id, seed):
    return int.from_bytes(hashlib.md5((seed + trace_id.hex()).encode()).digest()[:8], "big")


def arm_of(point, share):
    """The definition, in exact fractions."""
    u, share = Fraction(point, POINTS), Fraction(share)
    return "treatment" if u < share else "control" if u < 2 * share else None


@given(share=SHARES, off=st.integers(-2, 2))
def test_every_point_is_in_the_arm_that_the_definition_says_also_at_the_borders(share, off):
    arms = {arm: arm_points(arm, share, "s") for arm in ("treatment", "control")}
    for border in (0, arms["treatment"].last, arms["control"].last, POINTS - 1):
        point = min(max(border + off, 0), POINTS - 1)
        found = [arm for arm, points in arms.items() if points.first <= point <= points.last]
        assert found == [arm for arm in [arm_of(point, share)] if arm]


@given(share=SHARES, times=st.integers(1, 2), off=st.integers(-600, 600))
def test_the_fault_proxy_agrees_at_the_borders_where_a_float_would_round(share, times, off):
    at = min(max(int(Fraction(share) * times * POINTS) + off, 0), POINTS - 1)
    counted = [arm for arm in ("treatment", "control") if (p := arm_points(arm, share, "s")).first <= at <= p.last]
    with mock.patch("chaos.proxy.arms.point", return_value=at):
        assert [proxy_arm("1" * 32, seed="s", share=share)] == (counted or [None])


@given(trace_id=st.binary(min_size=16, max_size=16), seed=st.text(max_size=20), share=st.floats(0.01, 0.5))
def test_the_fault_proxy_puts_every_trace_into_the_arm_that_it_is_counted_in(trace_id, seed, share):
    point = point_of(trace_id, seed)
    counted = [
        arm
        for arm in ("treatment", "control")
        if (points := arm_points(arm, share, seed)).first <= point <= points.last
    ]
    assert proxy_arm(trace_id.hex(), seed=seed, share=share) == (counted[0] if counted else None)
    assert len(counted) < 2


@pytest.mark.parametrize("share", [0, -0.1, 0.51, 1])
def test_a_share_that_leaves_no_room_for_two_arms_is_refused(share):
    with pytest.raises(ValueError, match=r"must lie above 0 and be at most 0\.5"):
        arm_points("control", share, "s")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=300), seed=st.text(max_size=20))
def test_the_database_gives_every_trace_the_point_of_the_definition(database, ids, seed):
    found = database.command(
        "SELECT arrayStringConcat(arrayMap("
        "i -> toString(trace_point({seed:String}, toFixedString(unhex(i), 16))), {ids:Array(String)}), ',')",
        {"seed": seed, "ids": [each.hex() for each in ids]},
    )
    assert list(map(int, str(found).split(","))) == [point_of(each, seed) for each in ids]


@pytest.mark.parametrize(("share", "seed"), [(0.5, "a"), (0.3, "run-1"), (0.01, ""), (0.25, "ü'\\")])
def test_stored_requests_are_counted_by_arm(database, store, otlp, share, seed):
    spans = [otlp.span(status=2 * (number % 3 == 0), duration_ns=number * 10**6) for number in range(400)]
    store(database, otlp.traces(*spans, service="shop"))
    expected = {"treatment": [], "control": [], None: []}
    for span in spans:
        expected[arm_of(point_of(span.trace_id, seed), share)].append(span)
    for arm in ("treatment", "control"):
        selection = Selection(**LATELY, points=arm_points(arm, share, seed))
        found = count_requests(database, "shop", selection, threshold_ms=100)
        assert found.total == len(expected[arm])
        assert found.errors == sum(span.status.code == 2 for span in expected[arm])
        assert found.slow == sum(span.end_time_unix_nano - span.start_time_unix_nano > 10**8 for span in expected[arm])
    assert count_requests(database, "shop", Selection(**LATELY)).total == 400


def test_requests_are_counted_by_version_and_environment(database, store, otlp):
    for environment, version, requests in (("prod", "1", 2), ("prod", "2", 3), ("test", "2", 4)):
        spans = [otlp.span() for _ in range(requests)]
        store(database, otlp.traces(*spans, service="shop", environment=environment, version=version))

    def total(**which):
        return count_requests(database, "shop", Selection(**LATELY, **which)).total

    assert [total(), total(version="2"), total(version="2", environment="prod"), total(version="")] == [9, 7, 3, 0]


def test_calls_are_counted_by_arm_environment_and_version_also_those_that_never_arrived(database, store, otlp):
    there = {"server.address": "orders", "server.port": 80}
    calls = [otlp.span(kind=3, attributes=there, status=2 * (n % 2)) for n in range(60)]
    served = [otlp.span(trace_id=call.trace_id, parent=call.span_id) for call in calls[::2]]
    store(database, otlp.traces(*calls, service="gateway", version="7"), otlp.traces(*served, service="orders"))

    def found(**which):
        return count_calls(database, "gateway", "orders", Selection(**LATELY, **which))

    assert (found().calls, found().errors) == (60, 30)
    for arm in ("treatment", "control"):
        members = [call for call in calls if arm_of(point_of(call.trace_id, "x"), 0.3) == arm]
        counted = found(points=arm_points(arm, 0.3, "x"))
        assert (counted.calls, counted.errors) == (len(members), sum(call.status.code == 2 for call in members))
    assert [found(version="7").calls, found(version="8").calls, found(environment="test").calls] == [60, 0, 0]


def test_a_sample_of_latencies_is_the_same_every_time_and_lies_in_its_arm(database, store, otlp):
    spans = [otlp.span(duration_ns=number * 10**6) for number in range(300)]
    store(database, otlp.traces(*spans, service="shop"), otlp.traces(otlp.span(), service="other"))
    durations = {
        arm: sorted(n for n, span in enumerate(spans) if arm_of(point_of(span.trace_id, "x"), 0.4) == arm)
        for arm in ("treatment", "control")
    }
    for arm, expected in durations.items():
        selection = Selection(**LATELY, points=arm_points(arm, 0.4, "x"))
        assert latency_sample(database, "shop", selection, limit=1000).durations_ms == expected
        drawn = latency_sample(database, "shop", selection, limit=20)
        assert (drawn.total, len(drawn.durations_ms)) == (len(expected), 20)
        assert drawn == latency_sample(database, "shop", selection, limit=20)
        assert set(drawn.durations_ms) < set(expected)
        assert max(drawn.durations_ms) - min(drawn.durations_ms) > 150, "not the first ones of the window"
    nothing = latency_sample(database, "ghost", Selection(**LATELY), limit=20)
    assert (nothing.total, nothing.durations_ms) == (0, [])


def test_the_worst_traces_are_those_that_failed_and_then_the_slowest(database, store, otlp):
    slow, failed, slowest, fine, failed_fast = (
        otlp.span(duration_ns=ms * 10**6, status=status) for ms, status in ((300, 0), (20, 2), (900, 0), (5, 0), (1, 2))
    )
    again = otlp.span(trace_id=failed.trace_id, duration_ns=10**6)
    store(database, otlp.traces(slow, failed, slowest, fine, failed_fast, again, service="shop"))
    order = [span.trace_id.hex() for span in (failed, failed_fast, slowest, slow, fine)]
    assert worst_traces(database, "shop", Selection(**LATELY), limit=9) == order, "a trace comes once"
    assert worst_traces(database, "shop", Selection(**LATELY), threshold_ms=200, limit=9) == order[:4]
    assert worst_traces(database, "shop", Selection(**LATELY), limit=2) == order[:2]
    arm = next(arm for arm in ("treatment", "control") if arm_of(point_of(slow.trace_id, ""), 0.5) == arm)
    found = worst_traces(database, "shop", Selection(**LATELY, points=arm_points(arm, 0.5, "")), limit=9)
    assert found == [each for each in order if arm_of(point_of(bytes.fromhex(each), ""), 0.5) == arm]
