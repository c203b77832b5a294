"""Watching a run: what may be concluded while it goes on."""

from itertools import pairwise
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from chaos.judge.decision import Arm
from chaos.judge.sequential import SequentialTest
from chaos.judge.watch import LineCounts, start_watch
from slo.confidence import StatisticError

ratios = st.floats(0.001, 0.999)
margins = st.floats(0, 0.2)


@st.composite
def counts(draw, most=200):
    total = draw(st.integers(0, most))
    return Arm(draw(st.integers(0, total)), total)


def after(test, *looks):
    """Return *test* after looks at (control bad, control total, treatment bad, treatment total)."""
    for control_bad, control, treatment_bad, treatment in looks:
        test = test.look(Arm(control_bad, control), Arm(treatment_bad, treatment))
    return test


def add(one, other):
    return Arm(one.bad + other.bad, one.total + other.total)


def expected_factor(test, control_total, treatment_total, control_ratio, treatment_ratio):
    """Return the mean factor by which the e-value grows in one look, over all counts that the look may bring."""
    mean = 0.0
    for control_bad in range(control_total + 1):
        for treatment_bad in range(treatment_total + 1):
            chance = binom.pmf(control_bad, control_total, control_ratio)
            chance *= binom.pmf(treatment_bad, treatment_total, treatment_ratio)
            control = add(test.control, Arm(control_bad, control_total))
            treatment = add(test.treatment, Arm(treatment_bad, treatment_total))
            mean += chance * exp(test.look(control, treatment).log_e - test.log_e)
    return mean


@pytest.mark.parametrize("margin", [0.0, 0.01, 0.2])
@pytest.mark.parametrize("sizes", [(4, 4), (1, 6), (6, 1), (0, 5), (5, 0)])
@pytest.mark.parametrize("seen", [(0, 40, 9, 40), (20, 40, 33, 40), (1, 400, 5, 20)])
def test_the_bet_does_not_grow_in_expectation_while_the_margin_is_kept(margin, sizes, seen):
    """The promise itself, without simulation: every outcome of a look, weighted with its exact chance."""
    test = after(SequentialTest(margin), seen)
    for control in np.linspace(0, 1 - margin, 7):
        for below in (0.0, 0.05, 0.3):
            treatment = max(0.0, control + margin - below)
            assert expected_factor(test, *sizes, float(control), float(treatment)) <= 1 + 1e-9


def test_the_bet_grows_in_expectation_when_it_is_right():
    test = after(SequentialTest(0.01), (0, 40, 9, 40))
    assert expected_factor(test, 5, 5, 0.01, 0.22) > 1.2


@given(st.lists(st.tuples(counts(), counts()), min_size=2, max_size=4), margins)
def test_the_bet_is_against_the_nearest_pair_within_the_margin(looks, margin):
    """The same factor from scipy's minimiser of the Kullback-Leibler divergence."""
    control, treatment, test = Arm(0, 0), Arm(0, 0), SequentialTest(margin)
    for control_news, treatment_news in looks:
        before = test
        control, treatment = add(control, control_news), add(treatment, treatment_news)
        test = before.look(control, treatment)
    expected = (before.control.bad + 0.5) / (before.control.total + 1)
    bets = [expected, (before.treatment.bad + expected + margin) / (before.treatment.total + 1)]
    if bets[1] - bets[0] <= margin or expected + margin >= 1:
        assert test.log_e == before.log_e
        return
    sizes = control_news.total, treatment_news.total

    def divergence(ratio):
        pairs = zip(sizes, bets, (ratio, ratio + margin), strict=True)
        return sum(n * (q * log(q / p) + (1 - q) * log((1 - q) / (1 - p))) for n, q, p in pairs)

    if sum(sizes):
        found = minimize_scalar(
            divergence, bounds=(bets[0], bets[1] - margin), method="bounded", options={"xatol": 1e-12}
        )
        nearest = found.x
        news = (control_news, treatment_news)
        gain = sum(
            arm.bad * log(q / p) + (arm.total - arm.bad) * log((1 - q) / (1 - p))
            for arm, q, p in zip(news, bets, (nearest, nearest + margin), strict=True)
        )
        assert test.log_e - before.log_e == pytest.approx(gain, rel=1e-3, abs=1e-4)


def test_nothing_is_aborted_before_there_are_thirty_requests_in_each_arm():
    looks = [(0, n, n, n) for n in (10, 20, 29)]
    early = after(SequentialTest(0.01), *looks)
    assert early.e_value > 1000
    assert early.decision == "continue"
    assert after(early, (0, 30, 30, 30)).decision == "abort"
    assert after(SequentialTest(0.01), *looks, (0, 29, 300, 300)).decision == "continue"


def test_the_first_look_only_learns():
    assert after(SequentialTest(0.0), (0, 500, 400, 500)).e_value == 1
    assert after(SequentialTest(0.0, "before/after"), (0, 500, 400, 500)).e_value == 1


@pytest.mark.parametrize("comparison", ["concurrent", "before/after"])
def test_an_arm_that_looks_fine_stakes_nothing(comparison):
    looks = [(9, 900, 0, n) for n in (1, 30, 300, 900)]
    assert after(SequentialTest(0.0, comparison), *looks).e_value == 1


def test_harm_within_the_margin_is_not_harm():
    looks = [(10 * n, 1000 * n, 40 * n, 1000 * n) for n in range(1, 30)]
    assert after(SequentialTest(0.05), *looks).decision == "continue"
    assert after(SequentialTest(0.01), *looks).decision == "abort"


def test_a_better_treatment_never_ends_a_run():
    looks = [(500 * n, 1000 * n, 0, 1000 * n) for n in range(1, 30)]
    assert after(SequentialTest(0.0), *looks).e_value == 1


def test_abort_stays_abort_when_the_harm_passes():
    test = after(SequentialTest(0.0), *[(0, 10 * n, 5 * n, 10 * n) for n in range(1, 9)])
    assert test.decision == "abort"
    passed = after(test, *[(0, 80 + 1000 * n, 40, 80 + 1000 * n) for n in range(1, 9)])
    assert passed.log_e < test.log_e
    assert passed.decision == "abort"


def test_looking_again_at_the_same_counts_changes_nothing():
    test = after(SequentialTest(0.0), (0, 10, 5, 10), (0, 20, 9, 20))
    assert test.look(test.control, test.treatment) == test


def test_counts_that_go_back_or_cannot_be_are_refused():
    test = after(SequentialTest(0.0), (0, 10, 5, 10))
    for control, treatment in ((Arm(0, 9), Arm(5, 10)), (Arm(0, 10), Arm(4, 10)), (Arm(0, 10), Arm(7, 11))):
        with pytest.raises(StatisticError, match="cannot follow"):
            test.look(control, treatment)


def test_a_baseline_is_the_same_at_each_look():
    test = SequentialTest(0.0, "before/after").look(Arm(3, 900), Arm(0, 10))
    with pytest.raises(StatisticError, match="the baseline grew by 100 requests"):
        test.look(Arm(3, 1000), Arm(0, 20))


def test_a_small_baseline_leaves_more_room_than_a_large_one():
    small, large = (SequentialTest(0.01, "before/after").look(Arm(0, n), Arm(0, 0)).worst for n in (50, 5000))
    assert 0.01 < large < 0.012
    assert small > 0.1
    assert SequentialTest(0.01, "before/after").look(Arm(0, 0), Arm(0, 0)).worst > 1


@settings(max_examples=30)
@given(st.integers(1, 150), ratios)
def test_the_baselines_upper_bound_is_below_the_truth_no_more_often_than_promised(total, ratio):
    """Exactly, over all counts: a tenth of alpha."""
    broken = 0.0
    for bad in range(total + 1):
        worst = SequentialTest(0.0, "before/after").look(Arm(bad, total), Arm(0, 0)).worst
        if worst >= ratio:
            break
        broken += binom.pmf(bad, total, ratio)
    assert broken <= 0.005 + 1e-9


def watch_after(watch, seconds, baseline, control, treatment):
    """Return *watch* after looks every second; the arms are (bad, total) a second. All lines but one are unharmed."""
    lines = len(watch.harm)
    for second in range(1, seconds + 1):
        arms = [Arm(bad * second, total * second) for bad, total in (treatment, control)]
        watch = watch.look(
            [LineCounts(Arm(*baseline), *arms)] + [LineCounts(Arm(*baseline), arms[1], arms[1])] * (lines - 1)
        )
    return watch


def test_trouble_in_both_arms_is_an_incident_and_not_the_faults():
    watch = start_watch([0.01], comparison="concurrent")
    assert watch_after(watch, 30, (5, 900), (12, 30), (12, 30)).cause == "incident"
    assert watch_after(watch, 30, (5, 900), (12, 30), (30, 30)).cause == "incident"


def test_trouble_in_the_treatment_alone_is_harm():
    watch = start_watch([0.01], comparison="concurrent")
    assert watch_after(watch, 30, (5, 900), (0, 30), (12, 30)).cause == "harm"
    assert watch_after(watch, 60, (5, 900), (0, 30), (0, 30)).cause is None


def test_before_and_after_cannot_tell_an_incident_from_harm():
    watch = start_watch([0.01], comparison="before/after")
    assert not watch.incident
    assert watch_after(watch, 30, (5, 900), (0, 0), (12, 30)).cause == "harm"


def test_one_line_of_several_is_enough_but_needs_a_larger_bet():
    """The average of four bets, of which three stand still, is a quarter of the fourth."""
    seconds = [
        watch_after(start_watch([0.01] * n, comparison="concurrent"), 30, (5, 900), (0, 30), (3, 30)) for n in (1, 4)
    ]
    assert [watch.cause for watch in seconds] == ["harm", "harm"]
    alone, among_four = seconds
    assert among_four.harm_e_value == pytest.approx(alone.harm_e_value / 4, rel=0.1)
    assert [alone.certain_e_value, among_four.certain_e_value] == pytest.approx([40, 40])


def test_the_cause_stays_what_it_was_first():
    watch = watch_after(start_watch([0.01], comparison="concurrent"), 20, (5, 900), (0, 30), (12, 30))
    line = LineCounts(Arm(5, 900), Arm(5000, 6000), Arm(5000, 6000))
    assert watch.look([line]).cause == "harm"


def test_a_watch_is_fed_as_many_lines_as_it_has():
    with pytest.raises(ValueError, match="zip"):
        start_watch([0.01, 0.05], comparison="concurrent").look([LineCounts(Arm(1, 9), Arm(1, 9), Arm(1, 9))])


@given(st.lists(counts(50), min_size=3, max_size=8), margins)
def test_the_state_is_a_function_of_the_counts(looks, margin):
    """Nothing is kept outside: replaying gives the same, and no state is changed in place."""
    arms = [add(Arm(0, 0), looks[0])]
    for news in looks[1:]:
        arms.append(add(arms[-1], news))
    runs = []
    for _ in range(2):
        states = [SequentialTest(margin)]
        for control, treatment in pairwise(arms):
            states.append(states[-1].look(Arm(0, control.total), treatment))
        runs.append(states)
    assert runs[0] == runs[1]
    assert runs[0][0] == SequentialTest(margin)
