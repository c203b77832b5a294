"""The judge's arithmetic against scipy and statsmodels, and against counting every case."""

from collections import Counter
from itertools import product
from math import ceil, isclose

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, bootstrap
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    samplesize_proportions_2indep_onetail,
)

from chaos.judge.binomial import at_least
from chaos.judge.bootstrap import bootstrap_difference, p95_difference
from chaos.judge.decision import Arm, decide
from chaos.judge.multiplicity import chance_beyond
from chaos.judge.sample_ratio import sample_ratio_chance
from chaos.judge.sample_size import decided_share, normal_samples, samples_to_plan
from slo.confidence import StatisticError, newcombe_interval

shares = st.floats(0.001, 0.999)


@st.composite
def arms(draw, most=5000):
    total = draw(st.integers(1, most))
    return Arm(draw(st.integers(0, total)), total)


@given(arms(), arms(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@example(Arm(0, 50), Arm(0, 50), 0.95)  # where statsmodels' own score method fails
def test_the_interval_of_a_decision_is_statsmodels_newcombe_interval(control, treatment, confidence):
    ours = decide(control, treatment, margin=0.01, min_samples=1, confidence=confidence).interval
    pairs = treatment.bad, treatment.total, control.bad, control.total
    low, high = confint_proportions_2indep(*pairs, method="newcomb", compare="diff", alpha=1 - confidence)
    assert isclose(ours.low, low, abs_tol=1e-9)
    assert isclose(ours.high, high, abs_tol=1e-9)


def test_one_arm_against_none_is_wilsons_interval():
    """With an endless control that never fails, the lower end is Wilson's, as statsmodels has it."""
    low, _ = proportion_confint(9, 300, method="wilson")
    assert newcombe_interval(0.0, 10**15, 9 / 300, 300, confidence=0.95).low == pytest.approx(low, abs=1e-9)


@given(st.integers(0, 3000), st.integers(0, 3000), st.sampled_from([0.1, 0.3, 0.5, 0.75]))
@example(0, 0, 0.5)
@example(0, 40, 0.5)
@example(10, 12, 0.5)
def test_the_sample_ratio_is_scipys_exact_binomial_test(control, treatment, share):
    ours = sample_ratio_chance(control, treatment, treatment_share=share)
    theirs = binomtest(treatment, control + treatment, share).pvalue if control + treatment else 1.0
    assert isclose(ours, theirs, abs_tol=1e-9)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_sample_ratio_does_not_care_which_arm_is_which(control, treatment):
    swapped = sample_ratio_chance(treatment, control)
    assert sample_ratio_chance(control, treatment) == pytest.approx(swapped, rel=1e-6)


@pytest.mark.parametrize(("sizes", "share"), [((-1, 5), 0.5), ((5, -1), 0.5), ((5, 5), 0.0), ((5, 5), 1.0)])
def test_sizes_and_shares_that_cannot_be_are_refused(sizes, share):
    with pytest.raises(StatisticError, match=r"no sizes|between 0 and 1"):
        sample_ratio_chance(*sizes, treatment_share=share)


@given(st.integers(-1, 2001), st.integers(1, 2000), st.floats(0, 1))
def test_the_tail_of_the_binomial_distribution_is_scipys(count, total, share):
    assert isclose(at_least(count, total, share), binom.sf(count - 1, total, share), abs_tol=1e-9)


@given(
    st.floats(0.001, 0.2), st.floats(0.01, 0.2), st.sampled_from([0.8, 0.9, 0.95]), st.sampled_from([0.9, 0.95, 0.99])
)
def test_the_normal_approximation_of_the_size_is_that_of_statsmodels(base, effect, power, confidence):
    """It has one for a margin of 0, and fractions of a sample."""
    theirs = samplesize_proportions_2indep_onetail(
        effect, base, power, alpha=(1 - confidence) / 2, alternative="larger"
    )
    assert normal_samples(base, base + effect, 0.0, power=power, confidence=confidence) == ceil(theirs - 1e-9)


@pytest.mark.parametrize(("effect", "expected"), [(0.01, 2319), (0.02, 769), (0.05, 211), (0.10, 88)])
def test_sizes_for_a_base_rate_of_one_percent_and_four_fifths_of_the_runs(effect, expected):
    assert normal_samples(0.01, 0.01 + effect, 0.0, power=0.8) == expected


@pytest.mark.parametrize(
    ("control", "treatment", "margin"),
    [(0.001, 0.001, 0.01), (0.01, 0.01, 0.01), (0.01, 0.06, 0.01), (0.0, 0.0, 0.05), (0.0, 0.05, 0.0), (0.5, 0.4, 0.0)],
)
def test_so_many_requests_decide_as_many_runs_as_planned(control, treatment, margin):
    planned = samples_to_plan(control, treatment, margin, power=0.9)
    random = np.random.default_rng(planned)
    runs = Counter(
        zip(*(random.binomial(planned, ratio, 2000).tolist() for ratio in (control, treatment)), strict=True)
    )
    verdict = "deviated" if treatment - control > margin else "held"
    found = sum(
        times
        for (low, high), times in runs.items()
        if decide(Arm(low, planned), Arm(high, planned), margin=margin, min_samples=1).verdict == verdict
    )
    assert found / 2000 >= 0.88
    assert decided_share(control, treatment, margin, planned) == pytest.approx(found / 2000, abs=0.03)


def test_nothing_can_be_planned_at_the_margin_nor_with_less_than_half_of_the_runs():
    assert samples_to_plan(0.01, 0.02, 0.01) is None
    assert samples_to_plan(0.1, 0.1 + 1e-9, 0.0) is None
    assert normal_samples(0.1, 0.2, 0.1 + 1e-6, power=0.9) == 10_000_001
    with pytest.raises(StatisticError, match=r"power is 0\.2"):
        samples_to_plan(0.01, 0.06, 0.0, power=0.2)


@given(arms(2000), arms(2000), st.floats(0, 0.3))
def test_the_chance_of_a_finding_says_which_intervals_lie_beyond_the_margin(control, treatment, margin):
    chance = chance_beyond(control.bad, control.total, treatment.bad, treatment.total, margin=margin)
    for confidence in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999):
        if not isclose(chance, (1 - confidence) / 2, rel_tol=1e-6):
            decision = decide(control, treatment, margin=margin, min_samples=1, confidence=confidence)
            assert (decision.verdict == "deviated") == (chance <= (1 - confidence) / 2)


def every_resample(values, quantile):
    """Return how often each value is the quantile, over all resamples."""
    rank = max(1, ceil(quantile * len(values) - 1e-9)) - 1
    return Counter(sorted(drawn)[rank] for drawn in product(values, repeat=len(values)))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    st.sampled_from([0.5, 0.8, 0.95]),
)
def test_the_bootstrap_is_that_of_all_resamples(control, treatment, quantile):
    """Every resample of a few values is counted: no chance is left."""
    differences = Counter()
    for high, times in every_resample(treatment, quantile).items():
        for low, others in every_resample(control, quantile).items():
            differences[high - low] += times * others
    every = sorted(differences.elements())
    ours = bootstrap_difference(control, treatment, quantile=quantile, confidence=0.9)
    tail = 0.05 * len(every)
    near = [every[min(len(every) - 1, max(0, int(tail + shift)))] for shift in (-1, 0, 1)]
    far = [every[min(len(every) - 1, max(0, len(every) - 1 - int(tail + shift)))] for shift in (-1, 0, 1)]
    assert ours.low in near
    assert ours.high in far


def test_the_bootstrap_agrees_with_scipys_draws():
    """Scipy draws 4,000 resamples; its ends lie within the neighbouring durations of ours."""
    random = np.random.default_rng(7)
    control, treatment = random.lognormal(4, 0.8, (2, 400))

    def difference(one, other, axis):
        return np.quantile(one, 0.95, axis, method="inverted_cdf") - np.quantile(
            other, 0.95, axis, method="inverted_cdf"
        )

    theirs = bootstrap(
        (treatment, control), difference, n_resamples=4000, vectorized=True, method="percentile", rng=random
    ).confidence_interval
    ours = p95_difference(control.tolist(), treatment.tolist())
    assert ours.low == pytest.approx(theirs.low, abs=15)
    assert ours.high == pytest.approx(theirs.high, abs=15)
    assert ours.high - ours.low > 50


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(100, 250), st.integers(100, 250))
def test_swapping_the_arms_mirrors_the_percentiles_interval(seed, control_size, treatment_size):
    """With many equal durations, as whole milliseconds are."""
    random = np.random.default_rng(seed)
    control, treatment = (random.lognormal(3, 1, size).round().tolist() for size in (control_size, treatment_size))
    ours, swapped = p95_difference(control, treatment), p95_difference(treatment, control)
    assert ours.low <= ours.high
    assert (swapped.low, swapped.high) == (-ours.high, -ours.low)


def test_too_few_durations_have_no_percentile_and_none_at_all_no_quantile():
    assert p95_difference([5.0] * 100, [5.0] * 99) is None
    assert p95_difference([5.0] * 99, [5.0] * 100) is None
    assert p95_difference([5.0] * 100, [7.0] * 100).low == 2
    for arms_ in (([], [1.0]), ([1.0], [])):
        with pytest.raises(StatisticError, match="no quantile"):
            bootstrap_difference(*arms_)
    with pytest.raises(StatisticError, match="confidence is 95"):
        p95_difference([5.0] * 100, [5.0] * 100, confidence=95)
