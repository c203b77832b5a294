"""Alert policies of a document: conditions with one window, by reference and inline, and what is decided elsewhere."""

from datetime import timedelta
from fractions import Fraction

import pytest

from slo.openslo import read_openslo, read_openslo_files
from slo.policy import BurnRatePair
from tests.unit.openslo_documents import AVAILABILITY, annotated, only_problem

CONDITION = """\
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec:
  severity: page
  condition: {kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h}
"""
TARGET = """\
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: on-call}
spec: {target: slack, description: whoever is on call}
"""
POLICY = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast-burn}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: on-call}]
"""
SLO = AVAILABILITY + "  alertPolicies: [{alertPolicyRef: fast-burn}]\n"
ELSEWHERE = "notificationTargets are not used: where alerts go is set where this program is started"


def _read(slo=SLO, policy=POLICY, condition=CONDITION, target=TARGET, *, strict=False):
    return read_openslo_files({"slo": slo, "policy": policy, "condition": condition, "target": target}, strict=strict)


def _reasons(problems, level="warning"):
    return [problem.reason for problem in problems if problem.level == level and problem.reason != ELSEWHERE]


def _condition(old, new):
    assert old in CONDITION
    return CONDITION.replace(old, new)


def test_a_condition_in_another_file_is_a_pair_whose_short_window_is_a_twelfth():
    ((slo,), problems) = _read(strict=True)
    pair = BurnRatePair(timedelta(hours=1), timedelta(minutes=5), Fraction(72, 5), "page")
    assert (slo.policy.name, slo.policy.conditions) == ("fast-burn", (pair,))
    assert [(p.file, p.path, p.level, p.reason) for p in problems] == [
        ("policy", "spec.notificationTargets", "warning", ELSEWHERE)
    ]


@pytest.mark.parametrize(("long", "short"), [("6h", 30), ("1d", 120), ("90m", 7), ("5m", 1), ("2m", 1), ("3d", 360)])
def test_the_short_window_is_whole_minutes_and_at_least_one(long, short):
    ((slo,), _) = _read(condition=_condition("1h", long), strict=True)
    assert slo.policy.conditions[0].short == timedelta(minutes=short)


def test_everything_may_be_written_inline():
    spec = "{severity: ticket, condition: {kind: burnrate, op: gt, threshold: 1, lookbackWindow: 3d, alertAfter: 0m}}"
    condition = f"{{kind: AlertCondition, metadata: {{name: slow}}, spec: {spec}}}"
    target = "{kind: AlertNotificationTarget, metadata: {name: mail}, spec: {target: email}}"
    policy = f"{{alertWhenBreaching: true, conditions: [{condition}], notificationTargets: [{target}]}}"
    inline = f"{{kind: AlertPolicy, metadata: {{name: slow-burn}}, spec: {policy}}}"
    text = AVAILABILITY + f"  alertPolicies: [{inline}, {{alertPolicyRef: fast-burn}}]\n"
    ((slo,), problems) = _read(text, strict=True)
    assert slo.policy.name == "slow-burn, fast-burn"
    assert [(pair.severity, float(pair.factor)) for pair in slo.policy.conditions] == [("ticket", 1), ("page", 14.4)]
    assert _reasons(problems) == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("op: gt,", "op: gte,", "op gte is read as gt: a burn rate that equals the threshold does not alert"),
        ("severity: page", "severity: Sev1", "severity 'Sev1' is read as page"),
        ("1h}", "1h, alertAfter: 5m}", "alertAfter is not waited for"),
    ],
)
def test_what_is_right_and_yet_done_otherwise_is_a_warning_in_strict_reading_too(old, new, reason):
    for strict in (False, True):
        ((slo,), problems) = _read(condition=_condition(old, new), strict=strict)
        assert [reason in found for found in _reasons(problems)] == [True]
        assert slo.policy.conditions[0].severity == "page"


def test_a_severity_of_no_name_is_a_ticket_and_upper_case_is_the_same():
    ((slo,), problems) = _read(condition=_condition("page", "info"))
    assert slo.policy.conditions[0].severity == "ticket"
    assert "read as ticket" in _reasons(problems)[0]
    ((slo,), problems) = _read(condition=_condition("page", "Page"), strict=True)
    assert (slo.policy.conditions[0].severity, _reasons(problems)) == ("page", [])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("op: gt,", "op: lte,", "op lte would alert while little goes wrong, and is read as gt"),
        ("op: gt,", "op: GT,", "op 'GT' is read as gt"),
        ("kind: burnrate, ", "", "kind is missing and read as burnrate"),
        ("1h}", "1M}", "1M has no defined length and is read as 30d"),
    ],
)
def test_a_deviation_of_a_condition_is_a_warning_and_in_strict_reading_an_error(old, new, reason):
    ((slo,), problems) = _read(condition=_condition(old, new))
    assert len(slo.policy.conditions) == 1
    assert any(reason in found for found in _reasons(problems))
    slos, problems = _read(condition=_condition(old, new), strict=True)
    assert slos == []
    assert any(reason in found for found in _reasons(problems, "error"))
    assert "AlertPolicy 'fast-burn' has an error of its own, see policy:3" in _reasons(problems, "error")


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ("threshold: 14.4", "threshold: 0", "condition.threshold", "factor 0 must be above 0"),
        ("1h}", "1m}", "condition.lookbackWindow", "must be shorter than 1m"),
        ("1h}", "999999w}", "condition.lookbackWindow", "longer than ten years"),
        ("1h}", "1x}", "condition.lookbackWindow", "unknown unit 'x'"),
        ("1h}", "1h, alertAfter: soon}", "condition.alertAfter", "'soon' is not a duration"),
        ("kind: burnrate", "kind: budget", "condition.kind", "kind 'budget' is not known; write burnrate"),
        ("op: gt", "op: over", "condition.op", "op 'over' is not known"),
        ("  severity: page\n", "", "", "severity is missing"),
        ("threshold: 14.4, ", "", "condition", "threshold is missing"),
    ],
)
def test_a_condition_of_no_sense_is_refused_where_it_stands(old, new, path, reason):
    slos, problems = _read(condition=_condition(old, new))
    assert slos == []
    (problem,) = [problem for problem in problems if problem.file == "condition"]
    assert reason in problem.reason
    assert problem.path == ("spec." + path).rstrip(".")
    assert "has an error of its own, see condition:3" in [p for p in problems if p.file == "policy"][-1].reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("alertWhenBreaching: true", "alertWhenResolved: true", "alertWhenBreaching is missing and read as true"),
        ("alertWhenBreaching: true", "alertWhenBreaching: true\n  alertWhenResolved: false", "always told"),
        ("alertWhenBreaching: true", "alertWhenBreaching: true\n  alertWhenNoData: true", "missing data is told"),
    ],
)
def test_occasions_that_are_decided_elsewhere_are_told(old, new, reason):
    ((slo,), problems) = _read(policy=POLICY.replace(old, new), strict=True)
    assert len(slo.policy.conditions) == 1
    assert [reason in found for found in _reasons(problems)] == [True]


def test_a_policy_that_is_not_for_breaches_never_alerts():
    ((slo,), problems) = _read(policy=POLICY.replace("Breaching: true", "Breaching: false"))
    assert slo.policy.conditions == ()
    assert _reasons(problems) == ["alertWhenBreaching is false: this policy never alerts"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[{conditionRef: fast}]", "[{conditionRef: fast}, {conditionRef: fast}]", "an AlertPolicy has one condition"),
        ("[{conditionRef: fast}]", "[]", "conditions is empty; write [{conditionRef: the-name}]"),
        ("[{targetRef: on-call}]", "[{targetRef: nobody}]", "there is no AlertNotificationTarget 'nobody'"),
        ("[{conditionRef: fast}]", "[fast]", "a name alone is not OpenSLO; write conditionRef: fast"),
        ("  notificationTargets: [{targetRef: on-call}]\n", "", "notificationTargets is empty"),
        (
            "[{targetRef: on-call}]",
            "[{metadata: {name: mail}, spec: {target: mail}}]",
            "kind is missing; write kind: AlertNotificationTarget",
        ),
    ],
)
def test_a_deviation_of_a_policy_is_a_warning_and_in_strict_reading_an_error(old, new, reason):
    assert old in POLICY
    ((slo,), problems) = _read(policy=POLICY.replace(old, new))
    assert [reason in found for found in _reasons(problems)] == [True]
    assert len(slo.policy.conditions) == ("[]" not in new)
    assert _read(policy=POLICY.replace(old, new), strict=True)[0] == []


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("{conditionRef: fast}", "{conditionRef: fast, spec: {}}", "conditionRef and spec are both written"),
        ("{conditionRef: fast}", "{kind: SLO, metadata: {name: x}, spec: {}}", "kind 'SLO' does not belong here"),
        ("{conditionRef: fast}", "{conditionRef: slow}", "there is no AlertCondition 'slow'"),
        ("{conditionRef: fast}", "{kind: AlertCondition}", "spec is missing"),
        ("{targetRef: on-call}", "{kind: AlertNotificationTarget, metadata: {name: x}, spec: {}}", "target is missing"),
        ("{targetRef: on-call}", "{targetRef: on-call, spec: {}}", "targetRef and spec are both written"),
    ],
)
def test_a_policy_of_no_sense_is_refused(old, new, reason):
    assert old in POLICY
    slos, problems = _read(policy=POLICY.replace(old, new))
    assert slos == []
    assert any(reason in found for found in _reasons(problems, "error"))


def test_an_alert_policy_and_our_annotation_contradict_each_other():
    text = annotated("ninelives/alert-policy: none") + "  alertPolicies: [{alertPolicyRef: fast-burn}]\n"
    slos, problems = _read(text)
    assert slos == []
    assert "both say when to alert; keep one" in _reasons(problems, "error")[0]


@pytest.mark.parametrize("empty", ["", "[]"])
def test_an_empty_list_of_policies_means_the_standard_alerts(empty):
    ((slo,), (problem,)) = read_openslo(AVAILABILITY + f"  alertPolicies: {empty}\n", "f", strict=True)
    assert slo.policy.name == "burn-rate"
    assert "the standard burn-rate alerts apply" in problem.reason
    ((slo,), problems) = read_openslo(
        annotated("ninelives/alert-policy: none") + f"  alertPolicies: {empty}\n", "f", strict=True
    )
    assert (slo.policy.name, problems) == ("none", [])


def test_a_name_alone_is_followed_aloud():
    text = AVAILABILITY + "  alertPolicies: [fast-burn]\n"
    ((slo,), problems) = _read(text)
    assert (slo.policy.name, _reasons(problems)) == (
        "fast-burn",
        ["a name alone is not OpenSLO; write alertPolicyRef: fast-burn"],
    )


def test_a_policy_that_nobody_refers_to_is_checked_all_the_same():
    assert "there is no AlertCondition 'fast'" in only_problem(POLICY, name="policy").reason
