"""From findings to the verdict of a run: several lines, validity, aborts, and the words of each comparison."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.experiments.experiment import AvailabilityHypothesis, LatencyHypothesis
from chaos.judge.decision import Arm, decide
from chaos.judge.multiplicity import holm, settle
from chaos.judge.sighting import Sighting
from chaos.judge.validity import (
    ControlLine,
    fault_seen,
    fresh_data,
    sample_ratio,
    untouched_control,
    validate,
)
from chaos.judge.verdict import find, run_verdict
from chaos.judge.wording import WORDINGS
from slo.confidence import Interval

LINE = AvailabilityHypothesis(service="checkout", sli="availability", margin=0.01)
SEEN, UNSEEN = Sighting(seen=True, evidence="p50 rose"), Sighting(seen=False, evidence="nothing moved")
END = datetime(2026, 3, 4, 12, tzinfo=UTC)
HELD, BAD, UNSURE = Arm(0, 5000), Arm(900, 5000), Arm(50, 5000)
VALID, VOID = sample_ratio(1000, 1000), sample_ratio(1000, 700)


def finding(treatment, control=HELD, **changes):
    return find(LINE, control, treatment, min_samples=1, **changes)


LINES = {"held": finding(HELD), "deviated": finding(BAD), "inconclusive": finding(UNSURE)}


@st.composite
def arms(draw, least=1, most=3000):
    total = draw(st.integers(least, most))
    return Arm(draw(st.integers(0, total)), total)


def flipped(arm):
    return Arm(arm.total - arm.bad, arm.total)


@given(arms(), arms(), st.sampled_from([0.0, 0.01, 0.05, 0.3]))
def test_calling_good_bad_and_treatment_control_changes_no_verdict(control, treatment, margin):
    """A rise of the bad ratio is a fall of the good one."""
    ours = decide(control, treatment, margin=margin, min_samples=1)
    swapped = decide(flipped(treatment), flipped(control), margin=margin, min_samples=1)
    if all(abs(end - margin) > 1e-9 for end in (ours.interval.low, ours.interval.high)):
        assert swapped.verdict == ours.verdict


@given(arms(100), arms(100), st.sampled_from([0.0, 0.01, 0.05]))
def test_swapped_arms_never_both_deviate(control, treatment, margin):
    one = decide(control, treatment, margin=margin, min_samples=1).verdict
    other = decide(treatment, control, margin=margin, min_samples=1).verdict
    assert [one, other].count("deviated") < 2
    if one == "deviated":
        assert other == "held"


@settings(max_examples=40)
@given(arms(100), arms(100), st.sampled_from([0.0, 0.01, 0.05]), st.integers(1, 300))
def test_more_bad_requests_never_make_it_better(control, treatment, margin, more):
    order = ["held", "inconclusive", "deviated"]
    worse = Arm(min(treatment.total, treatment.bad + more), treatment.total)
    before, after = (decide(control, arm, margin=margin, min_samples=1).verdict for arm in (treatment, worse))
    assert order.index(before) <= order.index(after)


def test_one_bad_request_in_a_small_arm_is_luck():
    """Newcombe's interval alone calls it worse, in one run of ten with no effect."""
    decision = decide(Arm(10, 10_000), Arm(1, 100), margin=0.0, min_samples=100)
    assert decision.interval.low > 0
    assert decision.verdict == "inconclusive"
    assert decision.reason.endswith("luck in one window could do it")
    times = decision.samples_needed // 100
    assert (
        decide(Arm(10 * times, 10_000 * times), Arm(times, 100 * times), margin=0.0, min_samples=1).verdict
        == "deviated"
    )


def test_a_lucky_control_does_not_make_it_held():
    decision = decide(Arm(1, 100), Arm(110, 10_000), margin=0.01, min_samples=100)
    assert decision.interval.high <= 0.01
    assert decision.verdict == "inconclusive"


def test_a_decision_says_how_many_requests_an_arm_would_do():
    decision = decide(Arm(10, 1000), Arm(10, 1000), margin=0.008, min_samples=100)
    assert decision.samples_needed > 1000
    scaled = Arm(decision.samples_needed // 100 + 1, decision.samples_needed + 100)
    assert decide(scaled, scaled, margin=0.008, min_samples=100).verdict == "held"
    assert decide(HELD, HELD, margin=0.01, min_samples=1).samples_needed is None
    assert decide(Arm(0, 20), Arm(20, 20), margin=0.01, min_samples=100).samples_needed == 100
    assert decide(Arm(0, 0), Arm(1, 9), margin=0.01, min_samples=100).samples_needed == 100
    assert decide(Arm(1, 10), Arm(2, 10), margin=0.1, min_samples=100).samples_needed is None


def test_arms_at_the_same_time_are_not_called_before_and_after():
    wording = WORDINGS["concurrent"]
    assert decide(Arm(0, 0), HELD, margin=0.01, min_samples=1, wording=wording).reason == (
        "no requests in the control arm; an empty arm proves nothing"
    )
    assert decide(HELD, Arm(0, 0), margin=0.01, min_samples=1, wording=wording).reason.startswith(
        "no requests in the treatment arm"
    )
    few = find(LINE, Arm(0, 80), Arm(0, 90), min_samples=100, comparison="concurrent")
    assert few.reason == "80 requests in the smaller arm, 100 are asked for: 20 more"
    unsure = find(LINE, Arm(0, 200), Arm(0, 200), min_samples=100, comparison="concurrent")
    assert unsure.reason.endswith("about 181 more requests an arm would tell")


def test_a_finding_keeps_the_threshold_the_percentiles_and_what_is_needed():
    line = LatencyHypothesis(service="checkout", sli="latency", threshold_ms=250, margin=0.05)
    found = find(line, Arm(0, 100), Arm(5, 100), min_samples=1, p95_difference=Interval(-3.0, 40.0))
    assert (found.threshold_ms, found.p95_difference_low_ms, found.p95_difference_high_ms) == (250, -3, 40)
    assert (found.verdict, found.samples_needed) == ("inconclusive", None)
    without = find(LINE, Arm(0, 200), Arm(0, 200), min_samples=1)
    assert (without.threshold_ms, without.p95_difference_low_ms, without.samples_needed) == (None, None, 381)


def test_what_chance_gives_one_of_several_lines_is_no_deviation():
    """Just beyond the margin for one line alone; among five it has to be clearer, as with ten times the requests."""
    barely = find(LINE.model_copy(update={"margin": 0.0}), Arm(300, 1000), Arm(342, 1000), min_samples=1)
    assert barely.verdict == "deviated"
    assert run_verdict([barely], SEEN) == "deviated"
    lines = [barely, *[LINES["held"]] * 4]
    (doubted,) = [line for line in settle(lines) if line.sli == barely.sli and line.margin == 0]
    assert (doubted.verdict, doubted.samples_needed > 1000) == ("inconclusive", True)
    assert doubted.reason.endswith("chance makes one of 5 lines look")
    assert run_verdict(lines, SEEN) == "inconclusive"
    clear = find(LINE.model_copy(update={"margin": 0.0}), Arm(3000, 10_000), Arm(3420, 10_000), min_samples=1)
    assert run_verdict([clear, *lines[1:]], SEEN) == "deviated"


def test_the_decisive_line_comes_first():
    worse = finding(Arm(4000, 5000))
    settled = settle([LINES["held"], LINES["inconclusive"], LINES["deviated"], worse])
    assert [line.verdict for line in settled] == ["deviated", "deviated", "inconclusive", "held"]
    assert settled[0] == worse
    empty = finding(Arm(0, 0))
    assert settle([empty, LINES["inconclusive"]]) == [LINES["inconclusive"], empty]
    assert settle([]) == []


@given(st.lists(st.tuples(arms(50, 500), arms(50, 500)), min_size=1, max_size=5))
def test_settling_twice_is_settling_once_and_only_takes_deviations_away(lines):
    findings = [finding(treatment, control) for control, treatment in lines]
    settled = settle(findings)
    assert settle(settled) == settled
    before, after = ([each.verdict for each in some] for some in (findings, settled))
    assert before.count("held") == after.count("held")
    assert before.count("deviated") >= after.count("deviated")


@given(st.lists(st.floats(0, 0.1), max_size=6))
def test_holm_passes_no_chance_that_bonferroni_fails_alone_and_none_above_the_level(chances):
    passed = holm(chances, tests=len(chances), level=0.05)
    for chance, real in zip(chances, passed, strict=True):
        assert real or chance > 0.05 / len(chances)
        assert not real or chance <= 0.05


@pytest.mark.parametrize(
    ("aborted", "seen", "void", "verdicts", "expected"),
    [
        (None, True, False, ["held", "held"], "held"),
        (None, True, False, ["held", "inconclusive"], "inconclusive"),
        (None, True, False, ["held", "inconclusive", "deviated"], "deviated"),
        (None, True, False, [], "inconclusive"),
        (None, True, True, ["held"], "inconclusive"),
        (None, True, True, ["deviated"], "inconclusive"),
        (None, False, False, ["deviated"], "not_injected"),
        (None, False, True, ["deviated"], "not_injected"),
        ("stopped", True, False, ["held"], "aborted"),
        ("stopped", True, False, ["deviated"], "aborted"),
        ("stopped", False, True, ["deviated"], "aborted"),
        ("incident", True, False, ["deviated"], "inconclusive"),
        ("incident", False, False, ["held"], "inconclusive"),
        ("harm", True, False, ["held", "deviated"], "deviated"),
        ("harm", True, False, ["inconclusive"], "aborted"),
        ("harm", True, False, ["held"], "aborted"),
        ("harm", True, False, [], "aborted"),
        ("harm", False, False, ["deviated"], "aborted"),
        ("harm", True, True, ["deviated"], "aborted"),
    ],
)
def test_the_table_of_run_verdicts(aborted, seen, void, verdicts, expected):
    findings = [LINES[verdict] for verdict in verdicts]
    sighting, validity = (SEEN if seen else UNSEEN), [VOID if void else VALID]
    assert run_verdict(findings, sighting, validity=validity, aborted=aborted) == expected


@pytest.mark.parametrize(
    ("aborted", "seen", "void", "line"),
    list(product([None, "stopped", "harm", "incident"], [True, False], [True, False], LINES)),
)
def test_nothing_is_held_or_deviated_unless_the_fault_was_seen_and_the_run_is_valid(aborted, seen, void, line):
    verdict = run_verdict([LINES[line]], SEEN if seen else UNSEEN, validity=[VOID if void else VALID], aborted=aborted)
    if verdict in {"held", "deviated"}:
        assert (seen, void, line) == (True, False, verdict)
        assert aborted is None or (aborted, verdict) == ("harm", "deviated")


def test_a_fault_that_the_checks_did_not_see_was_not_injected():
    assert run_verdict([LINES["held"]], SEEN, validity=[fault_seen(UNSEEN)]) == "not_injected"
    assert fault_seen(SEEN).makes is None


def test_data_that_end_before_the_windows_do_make_it_inconclusive():
    late = fresh_data({"checkout": END, "cart": END - timedelta(seconds=2.5), "mail": None}, until=END)
    assert late.makes == "inconclusive"
    assert late.check.detail == "cart ends 2.5 s early, mail has no spans; the end of the last window is not covered"
    assert fresh_data({"checkout": END}, until=END).check.ok


@pytest.mark.parametrize(
    ("treatment", "makes"), [(1000, None), (870, None), (850, "inconclusive"), (1160, "inconclusive")]
)
def test_requests_missing_from_one_arm_make_it_inconclusive(treatment, makes):
    assert sample_ratio(1000, treatment).makes == makes


BASELINE = Arm(3, 900)


def control_line(control, baseline=BASELINE):
    return ControlLine("checkout availability", 0.01, baseline, control)


def test_a_control_arm_that_got_worse_makes_it_inconclusive():
    bad = untouched_control([control_line(Arm(2, 600)), control_line(Arm(90, 600))])
    assert bad.makes == "inconclusive"
    assert "checkout availability 90 of 600 bad, before 3 of 900" in bad.check.detail
    good = untouched_control([control_line(Arm(2, 600)), control_line(Arm(0, 600), Arm(50, 900))])
    assert (good.makes, good.check.ok) == (None, True)


def test_with_many_lines_a_control_arm_has_to_be_worse_beyond_chance():
    barely = control_line(Arm(18, 600))
    assert untouched_control([barely]).makes == "inconclusive"
    assert untouched_control([barely, *[control_line(Arm(2, 600))] * 9]).makes is None


@pytest.mark.parametrize("lines", [[], [control_line(Arm(2, 600), Arm(0, 0))]])
def test_without_a_baseline_the_control_is_not_checked_and_that_is_said(lines):
    checked = untouched_control(lines)
    assert (checked.makes, checked.check.ok, checked.check.blocks) == (None, False, False)
    assert checked.check.detail.startswith("there is no baseline or no control arm to compare")


def test_windows_one_after_the_other_have_no_arms_to_check():
    def names(comparison):
        return [each.check.name for each in validate(SEEN, {"checkout": END}, until=END, comparison=comparison)]

    assert names("before/after") == ["fault seen in spans", "fresh data"]
    assert names("concurrent") == ["fault seen in spans", "fresh data", "sample ratio", "control untouched"]
