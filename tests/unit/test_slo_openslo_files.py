"""Several files together: JSON, lists, names used twice, and OpenSLO's own examples."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from slo.budgeting import OCCURRENCES, Timeslices
from slo.errors import SloFileProblem
from slo.indicator import FasterThan
from slo.openslo import LintFacts, read_openslo, read_openslo_files
from slo.window import CalendarWindow, RollingWindow
from tests.unit.openslo_documents import AVAILABILITY, only_problem, read_one

EXAMPLES = {path.name: path.read_text("utf-8") for path in Path(__file__).parent.glob("openslo_examples/*")}
NOT_COUNTED = "not counted: metricSource type"
OP = "op has a use with thresholdMetric only and is ignored; remove it"
SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: checkout}\n"

# what each example deserves to be told: the start of every reason, and whether strict reading refuses it
DESERVED = {
    "alerting.yaml": [
        ("alertWhenResolved is not used", False),
        ("op lte would alert while little goes wrong", True),
        ("alertAfter is not waited for", False),
        ("notificationTargets are not used", False),
        ("notificationTargets are not used", False),
        ("name 'OnCallMail' must be a lower-case DNS label", True),
    ],
    "inline.yaml": [("timeWindow is missing", True), (NOT_COUNTED, True)],
    "list.json": [(NOT_COUNTED, True)],
    "low-traffic.yaml": [(NOT_COUNTED, True), (OP, True)],
    "occurrences.yaml": [(NOT_COUNTED, True), ("alertPolicies is empty", False)],
    "ratio-timeslices.yaml": [(NOT_COUNTED, True), ("RatioTimeslices is a mean of ratios", True), (OP, True)],
    "timeslices.yaml": [
        (NOT_COUNTED, True),
        ("1m is minutes, which no calendar has, and is read as 1M", True),
        (OP, True),
        ("alertPolicies is empty", False),
    ],
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_openslo_are_read_with_the_warnings_that_they_deserve(name):
    _, problems = read_openslo(EXAMPLES[name], name)
    assert [problem.level for problem in problems] == ["warning"] * len(problems)
    assert len(problems) == len(DESERVED[name])
    for problem, (reason, _) in zip(problems, DESERVED[name], strict=True):
        assert problem.reason.startswith(reason)
        assert problem.path
        assert problem.line


@pytest.mark.parametrize("name", EXAMPLES)
def test_strict_reading_refuses_what_the_specification_forbids_in_the_examples(name):
    slos, problems = read_openslo(EXAMPLES[name], name, strict=True)
    assert slos == []
    refused = {reason for reason, strict in DESERVED[name] if strict}
    for reason in refused:
        assert any(problem.reason.startswith(reason) and problem.level == "error" for problem in problems), reason
    for problem in problems:
        told = any(problem.reason.startswith(reason) for reason in refused)
        assert (problem.level == "error") == (told or "has an error of its own" in problem.reason)


def _ours(text):
    """Return an example with our metric sources in the place of another program's."""
    part, rest = text.split("type: Any", 1)
    measured = "thresholdMetric" in text
    first = (
        part + "type: spans" + rest.replace("query: Any", "measure: duration_ms" if measured else "good: not error", 1)
    )
    return first.replace("type: Any", "type: spans").replace("query: Any", "kind: request")


def test_the_examples_over_our_own_metric_sources_become_objectives():
    ((search,), _) = read_openslo(_ours(EXAMPLES["occurrences.yaml"]), "f")
    assert search.indicator.good == FasterThan(499_999_999)
    assert (str(search.window), search.budgeting, search.target) == ("14d", OCCURRENCES, Decimal("0.99"))
    (ours, contract), _ = read_openslo(_ours(EXAMPLES["timeslices.yaml"]), "f")
    assert (ours.id, contract.id) == ("line-availability:ours", "line-availability:contract")
    assert isinstance(ours.window, CalendarWindow)
    assert (ours.window.unit, ours.window.count, ours.window.zone) == ("month", 1, "America/New_York")
    assert ours.budgeting == contract.budgeting == Timeslices(Decimal("0.99"))
    assert (ours.target, contract.target) == (Decimal("0.995"), Decimal("0.99"))
    ((calls,), _) = read_openslo(_ours(EXAMPLES["low-traffic.yaml"]), "f")
    assert (calls.window.unit, calls.target) == ("week", Decimal("0.9995"))
    slos, problems = read_openslo(_ours(EXAMPLES["ratio-timeslices.yaml"]), "f")
    assert slos == []
    assert [problem.path for problem in problems if problem.level == "error"] == ["spec.budgetingMethod"]


def test_json_is_read_like_yaml_with_the_same_lines():
    document = yaml.safe_load(AVAILABILITY)
    text = json.dumps(document, indent="\t").replace("/", "\\/")
    ((slo,), problems) = read_openslo(text, "slo.json", strict=True)
    assert problems == []
    assert (slo.id, slo.indicator, slo.target) == (
        "checkout-availability",
        read_one(AVAILABILITY).indicator,
        Decimal("0.999"),
    )
    wrong = text.replace("0.999", "1e2")
    line = 1 + next(number for number, row in enumerate(wrong.split("\n")) if "1e2" in row)
    problem = only_problem(wrong, name="slo.json")
    assert (problem.line, problem.path) == (line, "spec.objectives[0].target")


def test_the_characters_of_json_survive():
    document = yaml.safe_load(AVAILABILITY)
    for title in ("Büro 😀", "a\u2028b\x7f\x85c", 'tab\tline\nquote"backslash\\', "'", "#: -"):
        document["metadata"]["displayName"] = title
        for text in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
            ((slo,), problems) = read_openslo(text, "slo.json", strict=True)
            assert (slo.name, problems) == (title, [])
    ((slo,), _) = read_openslo(json.dumps(document).replace('"#: -"', '"\\ud83d!"'), "slo.json")
    assert slo.name == "\ufffd!"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('{"a": 1,\n}', 1, "this is not JSON"),
        ("a: 1", 1, "this is not JSON"),
        ('{"a": 1} {"b": 2}', 1, "this is not JSON: Extra data"),
        ('{"kind": "SLO", "kind": "SLI"}', 1, "kind is written twice"),
        ("[" * 100_000 + "]" * 100_000, 1, "nested"),
    ],
)
def test_what_is_not_json_is_refused_with_its_line(text, line, reason):
    _, problems = read_openslo(text, "slo.json")
    assert any(reason in problem.reason for problem in problems)
    assert abs((problems[0].line or 0) - line) <= 1


def test_the_items_of_a_list_are_documents_of_their_own():
    second = AVAILABILITY.replace("checkout-availability", "second").replace("30d", "28d")
    items = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (AVAILABILITY, "kind: x\n", second))
    slos, problems = read_openslo(items, "f")
    assert [slo.id for slo in slos] == ["checkout-availability", "second"]
    assert [problem.path for problem in problems] == ["[1]"]


def test_a_service_may_be_described_in_two_files_and_needs_no_spec():
    slos, problems = read_openslo_files({"a": SERVICE + "---\n" + AVAILABILITY, "b": SERVICE})
    assert len(slos) == 1
    assert [(problem.file, problem.level) for problem in problems] == [("b", "warning")]
    strict = read_openslo_files({"a": SERVICE, "b": SERVICE}, strict=True)[1]
    assert [(problem.file, problem.level) for problem in strict] == [("b", "error")]
    assert only_problem(SERVICE + "spec: {owner: me}\n", strict=True).path == "spec.owner"


def test_two_documents_of_one_name_are_an_error_unless_another_program_counts_them():
    sli = "apiVersion: openslo/v1\nkind: AlertNotificationTarget\nmetadata: {name: x}\nspec: {target: slack}\n"
    _, problems = read_openslo_files({"a": sli, "b": sli})
    assert [(p.file, p.level) for p in problems] == [("b", "error")]
    foreign = EXAMPLES["low-traffic.yaml"]
    _, problems = read_openslo_files({"a": foreign, "b": foreign})
    assert "SLO 'emergency-line' is defined already in a:6; give this one another name" in [p.reason for p in problems]
    assert {problem.level for problem in problems} == {"warning"}


def test_a_document_without_a_spec_is_refused():
    assert "spec is missing; write what the SLI is" in only_problem(SERVICE.replace("Service", "SLI")).reason


def test_odd_names_of_what_is_no_objective_are_a_deviation():
    ((problem,)) = read_openslo(SERVICE.replace("checkout", "Checkout"), "f")[1]
    assert (problem.level, "write checkout" in problem.reason) == ("warning", True)
    assert only_problem(SERVICE.replace("checkout", "Checkout"), strict=True).path == "metadata.name"


def test_an_unused_sli_is_checked_too():
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: x}\nspec: {ratioMetric: {good: %s, total: %s}}\n"
    source = "{metricSource: {type: spans, spec: {%s}}}"
    assert "good is missing" in only_problem(sli % (source % "", source % "")).reason
    foreign = "{metricSource: {type: Prometheus, spec: {query: up}}}"
    assert read_openslo(sli % (foreign, foreign), "f", strict=True) == ([], [])
    threshold = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: x}\nspec: {thresholdMetric: %s}\n"
    assert read_openslo(threshold % (source % "measure: throughput"), "f", strict=True) == ([], [])


def test_a_data_source_that_is_not_there_matters_only_where_the_type_is_wanted():
    with_type = AVAILABILITY.replace("type: spans", "type: spans, metricSourceRef: gone", 1)
    ((slo,), (problem,)) = read_openslo(with_type, "f")
    assert (slo.id, problem.level) == ("checkout-availability", "warning")
    assert "there is no DataSource 'gone'" in problem.reason
    without = AVAILABILITY.replace("type: spans", "metricSourceRef: gone", 1)
    assert "there is no DataSource 'gone'" in only_problem(without).reason


def test_what_can_be_read_is_checked_with_what_the_caller_knows():
    facts = LintFacts(services=frozenset({("checkout", "prod"), ("checkout", "")}))
    ((slo,), (problem,)) = read_openslo_files({"f": AVAILABILITY}, facts=facts)
    assert isinstance(slo.window, RollingWindow)
    assert (problem.level, problem.name, problem.path) == ("warning", "several-environments", "spec.objectives[0]")
    assert str(problem).startswith("f:15: warning: spec.objectives[0]: checkout reports from several environments")
    assert str(problem).endswith("[several-environments]")


def test_a_problem_of_a_whole_file_has_neither_line_nor_path():
    assert str(SloFileProblem("f", None, "cannot be read")) == "f: error: cannot be read"
