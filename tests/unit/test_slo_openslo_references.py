"""Indicators by reference, of other files and of composites."""

import pytest

from slo.indicator import (
    Matches,
    NotError,
)
from slo.openslo import read_openslo_files
from slo.predicate_parser import parse_predicate
from tests.unit.openslo_documents import (
    AVAILABILITY,
    GOOD,
    OBJECTIVES,
    TOTAL,
    only_problem,
    read_one,
    source,
)


def _sli(body=None, name="shared"):
    ratio_text = body or f"ratioMetric: {{good: {GOOD}, total: {TOTAL}}}"
    return f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: {name}}}\nspec: {{{ratio_text}}}\n"


def _referring(name="shared", objectives=OBJECTIVES):
    start, end = AVAILABILITY.index("  indicator:"), AVAILABILITY.index("  timeWindow:")
    text = AVAILABILITY[:start] + (f"  indicatorRef: {name}\n" if name else "") + AVAILABILITY[end:]
    return text.replace(OBJECTIVES, objectives)


def test_an_indicator_may_stand_in_another_file():
    slos, problems = read_openslo_files({"a.yaml": _referring(), "b.yaml": _sli()}, strict=True)
    assert problems == []
    assert slos[0].indicator == read_one(AVAILABILITY).indicator
    assert slos[0].source == "a.yaml"


def test_a_reference_that_leads_nowhere_names_what_there_is():
    problem = only_problem(_referring("x") + "---\n" + _sli())
    assert (problem.path, problem.line) == ("spec.indicatorRef", 6)
    assert problem.reason == "there is no SLI 'x'; SLI documents read: shared"
    assert only_problem(_referring("x")).reason.endswith("read: none")


def test_a_reference_to_a_broken_document_says_where_to_look():
    broken = _sli().replace("not error", "no error")
    slos, problems = read_openslo_files({"a.yaml": _referring(), "b.yaml": broken})
    assert slos == []
    assert [(p.file, p.path) for p in problems] == [
        ("a.yaml", "spec.indicatorRef"),
        ("b.yaml", "spec.ratioMetric.good.metricSource.spec.good"),
    ]
    assert problems[0].reason == "SLI 'shared' has an error of its own, see b.yaml:3"


def test_an_indicator_that_does_not_fit_the_objective_is_told_where_it_is_referred_to():
    body = f"thresholdMetric: {source('measure: throughput')}"
    slos, problems = read_openslo_files({"a.yaml": _referring(), "b.yaml": _sli(body)})
    assert slos == []
    assert [(p.file, p.path) for p in problems] == [("a.yaml", "spec.indicatorRef")]
    assert "the SLI cannot be used here: a thresholdMetric needs op and value" in problems[0].reason
    assert problems[0].reason.endswith("(b.yaml:4)")


def test_a_data_source_tells_the_type():
    data = (
        "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: ours}\nspec: {type: spans, connectionDetails: {}}\n"
    )
    text = AVAILABILITY.replace("type: spans", "metricSourceRef: ours") + "---\n" + data
    assert read_one(text).indicator == read_one(AVAILABILITY).indicator
    both = AVAILABILITY.replace("type: spans", "metricSourceRef: ours, type: spans") + "---\n" + data
    assert read_one(both).indicator == read_one(AVAILABILITY).indicator
    other = AVAILABILITY.replace("type: spans", "metricSourceRef: ours, type: cache") + "---\n" + data
    assert "type 'cache' is not that of 'ours', which is 'spans'" in only_problem(other).reason
    bare = data.replace(", connectionDetails: {}", "")
    slos, problems = read_openslo_files({"f": AVAILABILITY + "---\n" + bare})
    assert [(len(slos), p.level, p.reason.split(";")[0]) for p in problems] == [
        (1, "warning", "connectionDetails is missing")
    ]


def test_the_objectives_of_a_composite_are_counted_each_by_itself():
    own = f"{{spec: {{ratioMetric: {{good: {GOOD}, total: {TOTAL}}}}}, metadata: {{name: own}}}}"
    text = _referring(
        "",
        f"[{{displayName: a, target: 0.95, indicator: {own}, compositeWeight: 2}}, "
        "{displayName: b, target: 0.99, indicatorRef: shared}]",
    )
    slos, problems = read_openslo_files(
        {"f": text + "---\n" + _sli(f"ratioMetric: {{bad: {source('bad: x = 1')}, total: {source('')}}}")}
    )
    assert [(slo.id, str(slo.indicator.good)) for slo in slos] == [
        ("checkout-availability:a", str(NotError())),
        ("checkout-availability:b", str(Matches(parse_predicate("not x = 1")))),
    ]
    weights = [problem for problem in problems if "compositeWeight" in problem.path]
    assert [(problem.level, problem.path) for problem in weights] == [("warning", "spec.objectives[0].compositeWeight")]
    assert "none is combined of them" in weights[0].reason


@pytest.mark.parametrize(
    ("objectives", "name", "reason"),
    [
        ("[{target: 0.95, indicatorRef: shared}]", "shared", "the document and its objectives both have an indicator"),
        ("[{target: 0.95, indicatorRef: shared, displayName: a}, {target: 0.8}]", "", "indicator is missing"),
        ("[{target: 0.95, indicatorRef: shared, compositeWeight: 0}]", "", "compositeWeight 0 must be above 0"),
    ],
)
def test_a_composite_of_no_sense_is_refused(objectives, name, reason):
    assert reason in only_problem(_referring(name, objectives) + "---\n" + _sli()).reason
