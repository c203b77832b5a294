"""Which requests a run treats: from the trace id alone, the same for whoever works it out."""

import hashlib
import random
import statistics
import struct
from fractions import Fraction
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.proxy import arms
from chaos.proxy.arms import POINTS, arm_of, point, trace_id_of
from chaos.proxy.baggage import with_arm
from chaos.proxy.delay import Delay

TRACES = st.integers(1, 2**128 - 1).map(lambda number: f"{number:032x}")
SEEDS = st.text(min_size=1, max_size=20)
SHARES = st.floats(0, 0.5)


@given(TRACES, SEEDS)
def test_a_point_is_the_first_eight_bytes_of_the_digest(trace, seed):
    """The rule as the design writes it, and as ClickHouse works it out over bytes."""
    first = hashlib.md5(seed.encode() + trace.encode()).digest()[:8]
    assert (point(seed, trace),) == struct.unpack(">Q", first)


def by_definition(at, share):
    """The arms in exact fractions."""
    u, share = Fraction(at, POINTS), Fraction(share)
    return "treatment" if u < share else "control" if u < 2 * share else None


@given(TRACES, SEEDS, SHARES)
def test_the_arms_are_next_to_each_other_and_as_wide(trace, seed, share):
    """Below the share treatment, up to twice the share control, above nothing."""
    assert arm_of(trace, seed=seed, share=share) == by_definition(point(seed, trace), share)


@given(SHARES, st.integers(1, 2), st.integers(-600, 600))
def test_points_at_the_borders_are_not_rounded_into_the_other_arm(share, times, off):
    """A float holds 53 bits, a point has 64: near a border hundreds of points would be one number."""
    at = min(max(int(Fraction(share) * times * POINTS) + off, 0), POINTS - 1)
    with mock.patch.object(arms, "point", return_value=at):
        assert arm_of("1" * 32, seed="a", share=share) == by_definition(at, share)


@given(TRACES, SEEDS, SHARES, SHARES)
def test_a_larger_share_keeps_the_treated_treated(trace, seed, one, other):
    """A run that grows its share moves nobody out of treatment."""
    small, large = sorted((one, other))
    if arm_of(trace, seed=seed, share=small) == "treatment":
        assert arm_of(trace, seed=seed, share=large) == "treatment"


def test_each_arm_gets_its_share_and_seeds_are_independent():
    """20,000 traces: within four standard deviations, also for both seeds together."""
    rng = random.Random(5)
    traces = [f"{rng.getrandbits(128):032x}" for _ in range(20_000)]
    first = [arm_of(trace, seed="a", share=0.2) for trace in traces]
    second = [arm_of(trace, seed="b", share=0.2) for trace in traces]
    for arm in ("treatment", "control"):
        assert abs(first.count(arm) / 20_000 - 0.2) < 4 * (0.2 * 0.8 / 20_000) ** 0.5
    both = sum(pair == ("treatment", "treatment") for pair in zip(first, second, strict=True))
    assert abs(both / 20_000 - 0.04) < 4 * (0.04 * 0.96 / 20_000) ** 0.5


@pytest.mark.parametrize("share", [-0.1, 0.51, float("nan")])
def test_a_share_over_a_half_is_refused(share):
    """The arms would overlap."""
    with pytest.raises(ValueError, match=r"0\.\.0\.5"):
        arm_of("1" * 32, seed="a", share=share)


@given(TRACES, st.integers(1, 2**64 - 1), st.integers(0, 255))
def test_a_valid_traceparent_gives_its_trace_id(trace, parent, flags):
    """W3C Trace Context, version 00; a later version may carry more."""
    header = f"-{trace}-{parent:016x}-{flags:02x}"
    assert trace_id_of(f"00{header}") == trace
    assert trace_id_of(f" 00{header}\t") == trace
    assert trace_id_of(f"cc{header}-what-comes-later") == trace


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e473٣-00f067aa0ba902b7-01",
    ],
)
def test_an_invalid_traceparent_gives_none(header):
    """Whoever reads it further down would start a trace of its own: the request belongs to no arm."""
    assert trace_id_of(header) is None


@given(
    st.lists(st.tuples(st.sampled_from([b"Host", b"BAGGAGE", b"baggage"]), st.sampled_from([b"", b"a=1", b"b=2;p"])))
)
def test_marking_keeps_every_header_and_every_member(headers):
    """Only a baggage header changes, and only at its end."""
    marked = with_arm(headers, run="späte 1", arm="control")
    ours = b"chaos.run=sp%C3%A4te%201,chaos.group=control"
    assert sum(value.count(ours) for _, value in marked) == 1
    stripped = [(name, value.removesuffix(ours).removesuffix(b",")) for name, value in marked]
    assert [each for each in stripped if each[1]] == [each for each in headers if each[1]]


@pytest.mark.parametrize(
    ("distribution", "mean_ms", "p95_ms"),
    [("uniform", 200, 245), ("normal", 200, 282), ("pareto", 225, 285.7)],
)
def test_delays_follow_their_distribution_and_their_seed(distribution, mean_ms, p95_ms):
    """Mean and p95 of 20,000 draws within two per cent; the same seed draws the same."""
    delay = Delay(latency=200, jitter=50, distribution=distribution)
    drawn = [delay.draw_s(rng) * 1000 for rng in [random.Random(3)] for _ in range(20_000)]
    assert statistics.mean(drawn) == pytest.approx(mean_ms, rel=0.02)
    assert sorted(drawn)[19_000] == pytest.approx(p95_ms, rel=0.02)
    again = random.Random(3)
    assert [delay.draw_s(again) * 1000 for _ in range(100)] == drawn[:100]


@given(
    st.integers(0, 600_000),
    st.integers(0, 600_000),
    st.sampled_from(["uniform", "normal", "pareto"]),
    st.integers(),
)
def test_no_delay_is_negative_or_over_ten_minutes(latency, jitter, distribution, seed):
    """Whatever was asked for."""
    delay = Delay(latency=latency, jitter=jitter, distribution=distribution)
    assert 0 <= delay.draw_s(random.Random(seed)) <= 600
