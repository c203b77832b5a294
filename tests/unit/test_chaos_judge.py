import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.experiments.hypotheses import AvailabilityHypothesis, LatencyHypothesis
from chaos.judge.multiplicity import settle
from chaos.judge.sighting import Sighting
from chaos.judge.verdict import Arm, decide, find, run_verdict
from chaos.runner.summary import summarise

AVAILABILITY = AvailabilityHypothesis(service="gateway", sli="availability", margin=0.01)
LATENCY = LatencyHypothesis(service="gateway", sli="latency", threshold_ms=250.0, margin=0.05)
SEEN = Sighting(seen=True, evidence="gateway → orders p50 went from 4 ms to 305 ms")
UNSEEN = Sighting(seen=False, evidence="nothing moved")


@st.composite
def arms(draw):
    total = draw(st.integers(1, 5000))
    return Arm(draw(st.integers(0, total)), total)


@pytest.mark.parametrize(
    ("control", "treatment", "verdict"),
    [
        (Arm(0, 1000), Arm(0, 1000), "held"),
        (Arm(0, 1000), Arm(200, 1000), "deviated"),
        (Arm(0, 100), Arm(0, 100), "inconclusive"),
        (Arm(100, 100), Arm(100, 100), "inconclusive"),
        (Arm(5000, 5000), Arm(5000, 5000), "held"),
        (Arm(1000, 1000), Arm(0, 1000), "held"),
        (Arm(0, 1000), Arm(1000, 1000), "deviated"),
    ],
)
def test_the_interval_against_the_margin_decides(control, treatment, verdict):
    """Below a margin of 1 point held, above it deviated, across it inconclusive; old damage is not counted."""
    assert decide(control, treatment, margin=0.01, min_samples=100).verdict == verdict


@pytest.mark.parametrize(
    ("control", "treatment", "word"), [(Arm(0, 0), Arm(0, 9), "before"), (Arm(0, 9), Arm(0, 0), "under")]
)
def test_an_empty_window_is_never_good_news(control, treatment, word):
    """0 of 0 is inconclusive and says which window was empty, even when no samples are asked for."""
    decision = decide(control, treatment, margin=0.5, min_samples=0)
    assert (decision.verdict, decision.difference, decision.interval) == ("inconclusive", None, None)
    assert f"no requests {word} the fault" in decision.reason


def test_too_few_samples_are_inconclusive_and_say_how_many_are_missing():
    """A clear difference in 40 requests is not a verdict when 100 were asked for."""
    decision = decide(Arm(0, 400), Arm(40, 40), margin=0.01, min_samples=100)
    assert decision.verdict == "inconclusive"
    assert decision.reason.endswith("60 more")


def test_an_inconclusive_decision_says_how_many_more_would_tell_and_keeps_its_word():
    """Multiplying both windows to the number it names, ratios unchanged, decides."""
    control, treatment = Arm(10, 1000), Arm(10, 1000)
    decision = decide(control, treatment, margin=0.008, min_samples=100)
    assert decision.verdict == "inconclusive"
    more = int(decision.reason.split("about ")[1].split()[0])
    factor = -(-(1000 + more) // 1000)
    scaled = Arm(10 * factor, 1000 * factor)
    assert decide(scaled, scaled, margin=0.008, min_samples=100).verdict == "held"


@given(arms(), arms(), st.floats(0, 0.9), st.integers(0, 200))
def test_verdict_and_interval_agree(control, treatment, margin, min_samples):
    """Held and deviated are never both possible, and the interval has to say them."""
    decision = decide(control, treatment, margin=margin, min_samples=min_samples)
    if decision.verdict == "held":
        assert decision.interval.high <= margin
    elif decision.verdict == "deviated":
        assert decision.interval.low > margin
    else:
        assert (
            decision.interval.low <= margin < decision.interval.high
            or min(control.total, treatment.total) < min_samples
            or "luck in one window" in decision.reason
        )


@given(arms(), arms(), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_wider_margin_never_turns_held_into_deviated(control, treatment, one, other):
    """Verdicts are monotone in the margin."""
    order = ["deviated", "inconclusive", "held"]
    strict, lenient = (
        decide(control, treatment, margin=margin, min_samples=1).verdict for margin in sorted((one, other))
    )
    assert order.index(strict) <= order.index(lenient)


def test_a_finding_carries_counts_interval_and_p95():
    """The stored finding repeats what was counted; the p95 describes."""
    finding = find(LATENCY, Arm(3, 500, 90.0), Arm(495, 500, 340.0), min_samples=100)
    assert (finding.verdict, finding.sli, finding.margin, finding.confidence) == ("deviated", "latency", 0.05, 0.95)
    assert (finding.control_bad, finding.control_total, finding.treatment_bad, finding.treatment_total) == (
        3,
        500,
        495,
        500,
    )
    assert (finding.control_p95_ms, finding.treatment_p95_ms) == (90.0, 340.0)
    assert finding.difference == pytest.approx(0.984)
    assert finding.interval_low < finding.difference < finding.interval_high


def test_the_worst_finding_decides_and_an_unseen_fault_proves_nothing():
    """not_injected beats deviated beats inconclusive beats held."""
    held = find(AVAILABILITY, Arm(0, 5000), Arm(0, 5000), min_samples=1)
    deviated = find(AVAILABILITY, Arm(0, 5000), Arm(4000, 5000), min_samples=1)
    unsure = find(AVAILABILITY, Arm(0, 5), Arm(0, 5), min_samples=1)
    assert run_verdict([held, held], SEEN) == "held"
    assert run_verdict([held, unsure], SEEN) == "inconclusive"
    assert run_verdict([held, unsure, deviated], SEEN) == "deviated"
    assert run_verdict([deviated], UNSEEN) == "not_injected"
    assert run_verdict([], SEEN) == "inconclusive"


def test_the_summary_gives_verdict_numbers_recovery_and_the_weakness_of_the_comparison():
    """Plain words, worst finding first."""
    findings = [
        find(AVAILABILITY, Arm(0, 5000), Arm(0, 5000), min_samples=1),
        find(LATENCY, Arm(3, 500), Arm(495, 500), min_samples=1),
    ]
    text = summarise("deviated", settle(findings), SEEN, [])
    assert text.startswith("Deviated: ")
    assert text.index("gateway latency: 495 of 500") < text.index("gateway availability: 0 of 5,000")
    assert "Fault seen: gateway → orders p50" in text
    assert "weaker than a control at the same time" in text
