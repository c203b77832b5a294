from datetime import timedelta
from decimal import Decimal

import pytest

from slo.indicator import FasterThan, Matches, NotError, SpanIndicator
from slo.openslo import read_openslo, read_openslo_files
from slo.policy import NO_POLICY
from slo.predicate_parser import parse_predicate
from tests.unit.openslo_documents import (
    AVAILABILITY,
    GOOD,
    OBJECTIVES,
    TOTAL,
    annotated,
    only_problem,
    ratio,
    read_one,
)


def test_the_documented_example_is_an_availability_objective_with_the_standard_alerts():
    slo = read_one(AVAILABILITY)
    assert (slo.id, slo.name, slo.service, slo.environment) == ("checkout-availability",) * 2 + ("checkout", "")
    assert slo.indicator == SpanIndicator("checkout", None, ("server",), None, NotError(), ())
    assert (slo.target, slo.period) == (Decimal("0.999"), timedelta(days=30))
    assert (slo.draft, slo.source, slo.kind) == (False, "checkout.yaml", "availability")
    assert [float(c.factor) for c in slo.policy.conditions] == [14.4, 6, 3, 1]


def test_all_spans_keys_are_read_and_service_and_kind_have_defaults():
    common = """environment: prod, filter: 'http.route = "/pay"', group_by: [http.route]"""
    slo = read_one(ratio(f"{common}, good: duration_ms <= 300", common))
    route = parse_predicate('http.route = "/pay"')
    kinds = ("server", "consumer")
    assert slo.indicator == SpanIndicator("checkout", "prod", kinds, route, FasterThan(300_000_000), ("http.route",))
    assert (slo.kind, slo.threshold_ms, slo.environment) == ("latency", 300.0, "prod")


@pytest.mark.parametrize(
    ("side", "predicate", "good"),
    [
        ("good", "not error", NotError()),
        ("good", "error = false", NotError()),
        ("good", "error != true", NotError()),
        ("good", "error != false", Matches(parse_predicate("error != false"))),
        ("good", "duration_ms <= 0.25", FasterThan(250_000)),
        ("good", "not duration_ms > 300", FasterThan(300_000_000)),
        ("good", "duration_ms < 300", Matches(parse_predicate("duration_ms < 300"))),
        ("good", "not error and duration_ms <= 300", Matches(parse_predicate("not error and duration_ms <= 300"))),
        ("bad", "error", NotError()),
        ("bad", "duration_ms > 300", FasterThan(300_000_000)),
        ("bad", "http.status >= 500", Matches(parse_predicate("not http.status >= 500"))),
        ("bad", "not a = 1", Matches(parse_predicate("a = 1"))),
    ],
)
def test_good_may_be_told_by_what_is_good_or_by_what_is_bad(side, predicate, good):
    assert read_one(ratio(f"{side}: {predicate}", "", side)).indicator.good == good


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [("request", ("server", "consumer")), ("client", ("client",)), ("internal", ("internal",))],
)
def test_a_kind_is_one_span_kind_or_request(kind, kinds):
    assert read_one(ratio(f"kind: {kind}, good: not error", f"kind: {kind}")).indicator.kinds == kinds


def test_an_empty_environment_is_not_every_environment():
    slo = read_one(ratio("environment: '', good: not error", "environment: ''"))
    assert slo.indicator.environment == ""


def test_several_objectives_share_the_indicator_and_have_ids_of_their_own():
    text = AVAILABILITY.replace(OBJECTIVES, "[{displayName: Gold Tier, target: 0.999}, {target: 0.99}]")
    slos, problems = read_openslo(text, "f")
    assert [(slo.id, slo.target) for slo in slos] == [
        ("checkout-availability:gold-tier", Decimal("0.999")),
        ("checkout-availability:2", Decimal("0.99")),
    ]
    assert slos[0].name == "checkout-availability: Gold Tier"
    assert slos[0].indicator.series_id == slos[1].indicator.series_id
    assert problems == []


def test_a_target_is_the_decimal_that_was_written():
    text = AVAILABILITY.replace("target: 0.999", "target: 0.99999999999999999999999")
    assert read_one(text).target == Decimal("0.99999999999999999999999")
    assert read_one(AVAILABILITY.replace("target: 0.999", "targetPercent: 99.95")).target == Decimal("0.9995")


def test_annotations_choose_the_policy():
    assert read_one(annotated("ninelives/alert-policy: none")).policy == NO_POLICY
    assert read_one(annotated("team: shop")).policy.name == "burn-rate"
    text = 'ninelives/alert-policy: objective-breach, ninelives/alert-windows: "5m/1m page"'
    assert read_one(annotated(text)).policy.windows == {timedelta(minutes=5), timedelta(minutes=1)}
    unknown = only_problem(annotated("ninelives/ownr: me"))
    assert (unknown.line, unknown.reason.split(";")[0]) == (3, "unknown annotation ninelives/ownr")
    assert "ninelives/owner" in unknown.reason
    bad = only_problem(annotated('ninelives/alert-windows: "5%/1h"'))
    assert bad.reason.startswith("'5%/1h' is not a burn-rate pair")


def test_a_standard_pair_that_cannot_fire_is_told_as_a_warning_beside_the_objective():
    slos, problems = read_openslo(AVAILABILITY.replace("0.999", "0.9"), "f")
    assert len(slos[0].policy.conditions) == 3
    assert [(problem.level, problem.line) for problem in problems] == [("warning", 3)]
    assert str(problems[0]).startswith(
        "f:3: warning: metadata.name: checkout-availability: the 1h/5m page alert is left out"
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("target: 0.999", "target: 99.9", 15, "target 99.9 is a unit mistake: write 0.999"),
        ("target: 0.999", "target: 100", 15, "must lie between 0 and 1"),
        ("target: 0.999", "target: 1.0", 15, "must lie between 0 and 1"),
        ("target: 0.999", "target: .nan", 15, "must be a number"),
        ("target: 0.999", "target: 99.9%", 15, "target must be a number, not '99.9%'"),
        ("target: 0.999", "target: {}", 15, "target must be a number, not a mapping"),
        ("[{duration: 30d, isRolling: true}]", "30d", 13, "timeWindow must be a list, not '30d'"),
        ("target: 0.999", "targetPercent: 100", 15, "must lie between 0 and 1"),
        ("target: 0.999", "target: 0.9, targetPercent: 90", 15, "both written"),
        (", target: 0.999", "", 15, "target is missing; write target: 0.999"),
        (OBJECTIVES, "[]", 15, "objectives is empty"),
        (OBJECTIVES, "[{target: 0.9, displayName: a}, {target: 0.8, displayName: A}]", 15, "a displayName of its own"),
        ("target: 0.999", "target: 1e-40", 15, "out of range"),
        ("Occurrences", "Timeslices", 15, "timeSliceTarget is missing"),
        ("Occurrences", "Often", 14, "budgetingMethod 'Often' is not known; write Occurrences or Timeslices"),
        ("Occurrences", "RatioTimeslices", 14, "a mean of ratios, in which a quiet minute outweighs a busy one"),
        ("  budgetingMethod: Occurrences\n", "", 5, "budgetingMethod is missing"),
        ("duration: 30d", "duration: 30", 13, 'must be text; write "30"'),
        ("duration: 30d", "duration: 90s", 13, "whole minutes"),
        ("isRolling: true", "isRolling: false", 13, "needs a calendar"),
        ("isRolling: true", "isRolling: maybe", 13, "must be true or false"),
        ("isRolling: true}", "isRolling: true}, {duration: 7d}", 13, "must hold one window, not 2"),
        ("isRolling: true", "calendar: {}", 13, "startTime is missing"),
        (
            "  service: checkout\n",
            "  service: checkout\n  servce: x\n",
            6,
            "unknown field servce; write service; known here:",
        ),
        ("  service: checkout\n", "  service: checkout\n  service: x\n", 6, "service is written twice"),
        ("  service: checkout\n", "  service: 5\n", 5, 'service must be text; write "5"'),
        ("  service: checkout\n", "  service: ''\n", 5, "service is empty"),
        ("  service: checkout\n", "", 5, "service is missing; write service: checkout"),
        ("kind: SLO", "kind: Objective", 2, "kind 'Objective' is not known; write one of DataSource, Service, SLI,"),
        ("openslo/v1", "openslo/v2alpha", 1, "not supported yet: apiVersion 'openslo/v2alpha'"),
        ("{name: checkout-availability}\nspec", "{name: Check Out}\nspec", 3, "write check-out"),
        ("      ratioMetric", "      thresholdMetric: {}\n      ratioMetric", 9, "both written; keep one"),
        ("  indicator:", "  indicatorRef: x\n  indicator:", 6, "indicator and indicatorRef are both written"),
        ("        good:  " + GOOD + "\n", "", 10, "needs either good or bad beside total"),
        ("        total: " + TOTAL + "\n", "", 10, "total is missing"),
        (", good: not error", "", 11, "good is missing"),
        ("good: not error", "good: not eror", 11, "column 9: expected = != < <= > >= or in after eror"),
        ("good: not error", "good: duration_ms <= 0", 11, "latency threshold 0 ns must be above 0"),
        ("kind: server}", "kind: client}", 11, "differ in kind"),
        ("kind: server}", "kind: server, environment: prod}", 11, "differ in environment"),
        ("kind: server}", "kind: server, filter: a = 1}", 11, "differ in filter"),
        ("kind: server}", "kind: server, group_by: [a]}", 11, "differ in group_by"),
        ("kind: server}", "kind: server, service: cart}", 12, "is written twice"),
        ("kind: server}", "filter: }", 12, "filter is empty; write what it is, or leave it out"),
        ("kind: server}", "kind: sever}", 12, "kind 'sever' is not known; write one of request, server"),
        ("kind: server}", "kind: server, group_by: [a, a]}", 12, "names an attribute twice"),
        ("kind: server}", "kind: server, good: not error}", 12, "unknown field"),
        (
            "  budgetingMethod",
            "  alertPolicies: [{alertPolicyRef: page}]\n  budgetingMethod",
            14,
            "there is no AlertPolicy 'page'",
        ),
    ],
)
def test_a_problem_names_the_line_and_the_remedy(old, new, line, reason):
    assert old in AVAILABILITY
    problem = only_problem(AVAILABILITY.replace(old, new))
    assert reason in problem.reason
    assert problem.line == line
    assert problem.path.partition("[")[0].split(".")[0] in {"spec", "metadata", "kind", "apiVersion"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("just text", 1, "the document must be a mapping, not 'just text'"),
        ("\n- a", 2, "must be a mapping, not 'a'"),
        ("a: [1,\nb: 2\n", 3, "this is not YAML"),
        ("[" * 100_000, 1, ""),
        ("&a {apiVersion: *a}", 1, "apiVersion must be text"),
        ("1: 2", 1, "a field name of the document must be text"),
        ("<<: {kind: SLO}", 1, "must be text"),
        ("a: \x00", 1, "this is not YAML"),
    ],
)
def test_what_is_no_openslo_document_is_refused(text, line, reason):
    problem = only_problem(text)
    assert problem.line == line
    assert reason in problem.reason


def test_a_bad_document_hides_no_good_one_and_lines_count_through_the_file():
    text = "\n".join(
        [
            "# objectives of the shop",
            "---",
            AVAILABILITY,
            "--- # broken",
            "a: [",
            "---",
            AVAILABILITY.replace("checkout-availability", "second").replace("0.999", "999"),
            "---",
            "---",
            "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: checkout}\nspec: {description: ignored}",
            "---",
            AVAILABILITY.replace("checkout-availability", "third").replace("30d", "28d"),
        ]
    )
    slos, problems = read_openslo(text, "shop.yaml")
    assert [slo.id for slo in slos] == ["checkout-availability", "third"]
    lines = text.split("\n")
    assert [problem.line for problem in problems][1] == 1 + next(i for i, row in enumerate(lines) if ": 999}" in row)
    assert problems[0].reason.startswith("this is not YAML")
    assert len(problems) == 2


def test_a_yaml_directive_belongs_to_the_document_after_it():
    assert read_one("%YAML 1.1\n---\n" + AVAILABILITY).id == "checkout-availability"


def test_an_empty_file_has_neither_objectives_nor_problems():
    assert read_openslo("", "f") == read_openslo("---\n# nothing\n---\n", "f") == ([], [])


def test_an_id_used_twice_keeps_its_first_and_names_both_files():
    slos, problems = read_openslo_files({"a.yaml": AVAILABILITY, "b.yaml": "---\n" + AVAILABILITY})
    assert [slo.source for slo in slos] == ["a.yaml"]
    assert [(p.file, p.line) for p in problems] == [("b.yaml", 4)]
    assert problems[0].reason.startswith("SLO 'checkout-availability' is defined already in a.yaml:3")
