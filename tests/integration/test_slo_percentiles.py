"""Percentiles from the one-minute rollup, and counts below a threshold, against the durations that were sent."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.slo_percentiles import p95_error
from slo.model import EventCounts
from storage.services import operations, series, services
from tests.integration.slo_world import MINUTE, SloWorld, sampled_one_in
from tests.slo_objective import objective

pytestmark = pytest.mark.slow

BUCKET = 0.022
MILLISECOND = 1_000_000


def exact_ms(durations_ns, level=Fraction(95, 100)):
    """Return the smallest duration that a share of *level* of all does not exceed."""
    ordered = sorted(durations_ns)
    return max(ordered[math.ceil(level * len(ordered)) - 1], 1) / MILLISECOND


@pytest.fixture
def minutes():
    """Return minutes of the past that nobody else uses."""
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    return (start - number * MINUTE for number in itertools.count(2))


latencies = st.one_of(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=60),
    st.lists(st.integers(0, 5), min_size=1, max_size=60),
    st.lists(st.integers(100 * MILLISECOND, 110 * MILLISECOND), min_size=1, max_size=60),
    st.tuples(st.integers(1, 10**12), st.integers(1, 59)).map(lambda drawn: [drawn[0]] * drawn[1] + [10**9]),
)


def test_the_p95_of_any_window_is_within_2_2_percent_of_the_exact_one(database, store, otlp, minutes):
    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(st.lists(latencies, min_size=1, max_size=3))
    def check(drawn):
        window = [(next(minutes), durations) for durations in drawn]
        spans = [
            otlp.span(start_ns=otlp.ns(minute) + number, duration_ns=duration)
            for minute, durations in window
            for number, duration in enumerate(durations)
        ]
        store(database, otlp.traces(*spans))
        start, end = window[-1][0], window[0][0] + MINUTE  # minutes go backwards
        found = services(database, start=start, end=end)
        everything = [duration for _, durations in window for duration in durations]
        assert [red.requests for red in found] == [len(everything)]
        assert found[0].p95_ms == pytest.approx(exact_ms(everything), rel=BUCKET)
        (operation,) = operations(database, "shop", "prod", start=start, end=end)
        assert operation.p95_ms == found[0].p95_ms
        steps = series(database, "shop", "prod", start=start, end=end, step_s=60)
        for step, (_, durations) in zip(steps, reversed(window), strict=True):
            assert step.p95_ms == pytest.approx(exact_ms(durations), rel=BUCKET)

    check()


def test_a_sampled_span_weighs_as_many_requests_as_it_stands_for(database, store, otlp, minutes):
    minute = next(minutes)
    spans = [
        otlp.span(start_ns=otlp.ns(minute), duration_ns=10 * MILLISECOND, trace_state=sampled_one_in(95)),
        *(otlp.span(start_ns=otlp.ns(minute), duration_ns=10**9) for _ in range(5)),
    ]
    store(database, otlp.traces(*spans))
    (found,) = services(database, start=minute, end=minute + MINUTE)
    assert (found.requests, found.p95_ms) == (100, pytest.approx(10, rel=BUCKET))
    store(database, otlp.traces(otlp.span(start_ns=otlp.ns(minute), duration_ns=10**9)))
    (found,) = services(database, start=minute, end=minute + MINUTE)
    assert (found.requests, found.p95_ms) == (101, pytest.approx(1000, rel=BUCKET))


@pytest.mark.parametrize("threshold_ms", ["300", "0.1", "16.777216", "2000"])
def test_requests_within_a_threshold_are_counted_exactly_to_the_nanosecond(
    database, store, otlp, tmp_path, threshold_ms
):
    world = SloWorld(database, store, otlp, tmp_path)
    slo = world.write(objective(good=f"duration_ms <= {threshold_ms}", target="0.95"))
    threshold_ns = int(Fraction(threshold_ms) * MILLISECOND)
    around = (0, 1, threshold_ns - 1, threshold_ns, threshold_ns, threshold_ns + 1, 2 * threshold_ns, 10**11)
    at = otlp.ns(world.start)
    spans = [
        otlp.span(start_ns=at + number, duration_ns=duration, trace_state=sampled_one_in(weight))
        for number, (duration, weight) in enumerate(itertools.product(around, (1, 3)))
    ]
    world.insert(spans)
    world.tick(world.evaluator(), 1)
    assert world.standing(slo, 1).counts == EventCounts(good=5 * 4, total=8 * 4)


def test_the_p95_of_the_benchmarks_latencies_is_within_half_a_percent(tmp_path):
    assert p95_error(tmp_path / "clickhouse", spans=100_000) < 0.005


def test_an_objective_at_the_p95_is_met_exactly_when_the_p95_is_within_its_threshold(database, store, otlp, tmp_path):
    world = SloWorld(database, store, otlp, tmp_path)
    slo = world.write(objective(good="duration_ms <= 300", target="0.95", window="1h"))
    for minute, slow in ((0, 5), (120, 6)):
        at = otlp.ns(world.start + minute * MINUTE)
        durations = [10**9] * slow + [200 * MILLISECOND] * (100 - slow)
        world.insert([otlp.span(start_ns=at, duration_ns=duration) for duration in durations])
    world.tick(world.evaluator(), 121)
    for minute, met in ((1, True), (121, False)):
        start = world.start + (minute - 1) * MINUTE
        (found,) = services(database, start=start, end=start + timedelta(minutes=1))
        assert (found.p95_ms <= 300) is met
        assert (world.standing(slo, minute).sli >= 0.95) is met
