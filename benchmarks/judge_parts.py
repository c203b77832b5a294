"""The judge's smaller parts: the sample ratio, and the interval of a difference of 95th percentiles."""

from math import exp
from statistics import NormalDist

import numpy as np

from chaos.judge.bootstrap import QUANTILE, p95_difference
from chaos.judge.validity import sample_ratio

SLOWER = 1.5
SIGMA = 0.8  # of the logarithm; the 95th percentile is 3.7 medians, as in a service with a tail


def parts_figures(runs: int) -> dict[str, float]:
    """Return the figures of `benchmarks.judge` that are about the sample ratio and percentiles."""
    covered = {(size, slower): _covered(size, slower, runs) for size in (100, 300) for slower in (1.0, SLOWER)}
    worst = min(covered, key=covered.__getitem__)
    print(f"p95_coverage: {covered[worst]:.4f} at worst: {worst[0]} durations an arm, {worst[1]:g} times as slow")
    return {
        "srm_false_void": max(_void_share(total, 0.5, runs) for total in (100, 1_000, 10_000)),
        "srm_found": _void_share(4_000, 0.9 / 1.9, runs),
        "p95_coverage": covered[worst],
    }


def _void_share(total: int, treated: float, runs: int) -> float:
    sizes = np.random.default_rng(total).binomial(total, treated, runs).tolist()
    return sum(sample_ratio(total - size, size).makes is not None for size in sizes) / runs


def _covered(size: int, slower: float, runs: int) -> float:
    random = np.random.default_rng(size)
    p95_ms = 100 * exp(SIGMA * NormalDist().inv_cdf(QUANTILE))
    covered = 0
    for _ in range(runs):
        control, treatment = 100 * random.lognormal(0, SIGMA, (2, size))
        interval = p95_difference(control.tolist(), (slower * treatment).tolist())
        covered += interval is not None and interval.low <= (slower - 1) * p95_ms <= interval.high
    return covered / runs
