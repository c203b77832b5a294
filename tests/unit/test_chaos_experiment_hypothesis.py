import pytest

from api.models import Slo, WindowCounts
from chaos.errors import ExperimentError
from chaos.experiments.experiment_file import parse_experiment


def slo(kind="availability", threshold_ms=None):
    counts = WindowCounts(window="1h", sli=None, good=0, bad=0, total=0, error_budget_remaining=None)
    return Slo(
        id="gateway-slo", service="gateway", name="n", objective=0.999, window="30d", environment="demo", draft=False,
        kind=kind, threshold_ms=threshold_ms, percentile_ms=None, coverage=1, state="ok", provisional=False,
        low_confidence=False, sli=None, good=0, bad=0, total=0, error_budget_remaining=None, burn_rates={}, hour=counts,
        policy="", source="",
    )  # fmt: skip


def claim(*lines):
    return parse_experiment(
        f"{{title: t, hypothesis: [{', '.join(lines)}], method: [{{cache_flush: {{target: c}}}}]}}", name="x"
    )


def test_an_objective_becomes_a_line_with_its_own_margin():
    """What an SLO allows to fail is what an experiment may cost."""
    (line,) = claim("{slo: gateway-slo}").resolved({"gateway-slo": slo()}).judged
    assert (line.service, line.sli, line.margin) == ("gateway", "availability", 0.001)


def test_a_latency_objective_brings_its_threshold_and_a_margin_can_be_given():
    found = claim("{slo: gateway-slo, margin: 0.05}").resolved({"gateway-slo": slo("latency", 250)})
    assert (found.judged[0].threshold_ms, found.judged[0].margin) == (250, 0.05)
    assert found.services == ["gateway"]
    assert found.objectives == []


@pytest.mark.parametrize(
    ("known", "complaint"),
    [({}, "there is no SLO 'gateway-slo' (known: none)"), ({"gateway-slo": slo("freshness")}, "is of kind freshness")],
)
def test_an_objective_that_cannot_be_compared_is_refused(known, complaint):
    with pytest.raises(ExperimentError) as caught:
        claim("{slo: gateway-slo}").resolved(known)
    assert complaint in str(caught.value)


def test_an_expected_alert_is_a_line_that_no_arms_decide():
    """It needs no service and no margin."""
    found = claim("{alert: gateway-slo, within_s: 120}", "{service: a, sli: availability, margin: 0}")
    assert [str(line) for line in found.expected_alerts] == ["alert gateway-slo fires within 120 s"]
    assert [line.service for line in found.judged] == found.services == ["a"]
    assert found.resolved({}) == found


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{service: a}", "x: hypothesis.0: a line is {service, sli: availability, margin}, "),
        ("{service: a, sli: speed, margin: 0}", "x: hypothesis.0: a line is "),
        ("{slo: ''}", "x: hypothesis.0.slo: String should have at least 1 character"),
        ("{slo: a, service: b}", "x: hypothesis.0.service: unknown field"),
        ("{alert: a, within_s: 0}", "x: hypothesis.0.within_s: Input should be greater than 0 (got 0)"),
        ("3", "x: hypothesis.0: a line is "),
    ],
)
def test_a_line_that_claims_nothing_clear_is_refused(line, complaint):
    with pytest.raises(ExperimentError) as caught:
        claim(line)
    assert str(caught.value).startswith(complaint)


def test_an_experiment_without_a_claim_or_a_fault_is_refused():
    """There would be nothing to judge."""
    with pytest.raises(ExperimentError, match="hypothesis: this field is required"):
        claim()
    with pytest.raises(ExperimentError, match="method: this field is required"):
        parse_experiment("{title: t, hypothesis: [{service: a, sli: availability, margin: 0}]}", name="x")
