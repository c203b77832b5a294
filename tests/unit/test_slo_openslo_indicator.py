"""What a document counts over spans and by slices of time: ratios, thresholds and floors."""

from datetime import timedelta
from decimal import Decimal

import pytest

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.indicator import (
    FasterThan,
    Matches,
    NotError,
    SpanIndicator,
)
from slo.openslo import read_openslo_files
from slo.predicate_parser import parse_predicate
from tests.unit.openslo_documents import (
    AVAILABILITY,
    GOOD,
    TOTAL,
    only_problem,
    read_one,
    source,
    threshold,
    warned,
)

MINUTE = timedelta(minutes=1)
SLICES = "timeSliceTarget: 1, timeSliceWindow: 1m"


@pytest.mark.parametrize(
    ("op", "value", "good"),
    [
        ("lte", "300", FasterThan(300_000_000)),
        ("lt", "300", FasterThan(299_999_999)),
        ("lte", "0.5", FasterThan(500_000)),
    ],
)
def test_a_duration_with_a_threshold_is_a_latency_objective(op, value, good):
    slo = read_one(threshold("measure: duration_ms, kind: server", f"op: {op}, value: {value}, target: 0.95"))
    assert slo.indicator == SpanIndicator("checkout", None, ("server",), None, good)
    assert (slo.kind, slo.target) == ("latency", Decimal("0.95"))


@pytest.mark.parametrize(
    ("op", "value", "at_least"), [("gte", "100", 100), ("gt", "100", 101), ("gte", "99.5", 100), ("gt", "99.5", 100)]
)
def test_a_throughput_is_a_floor_for_the_events_of_each_slice(op, value, at_least):
    slices = "timeSliceTarget: 1, timeSliceWindow: 5m"
    slo = read_one(threshold("measure: throughput", f"op: {op}, value: {value}, target: 0.99, {slices}"))
    assert slo.budgeting == Throughput(at_least, 5 * MINUTE)
    assert (slo.kind, slo.indicator.good) == ("throughput", NotError())


def test_a_freshness_is_how_old_the_newest_good_event_may_be():
    slo = read_one(threshold("measure: freshness, kind: internal", f"op: lte, value: 600, target: 0.99, {SLICES}"))
    assert (slo.budgeting, slo.indicator.good, slo.kind) == (Freshness(10 * MINUTE), NotError(), "freshness")
    spec = "measure: freshness, good: job.done = true"
    slo = read_one(threshold(spec, f"op: lt, value: 600, target: 0.99, {SLICES}"))
    assert slo.indicator.good == Matches(parse_predicate("job.done = true"))


def test_a_freshness_may_be_told_as_a_duration_which_is_not_openslo():
    text = threshold("measure: freshness", f"op: lte, value: 10m, target: 0.99, {SLICES}")
    assert warned(text, "here of seconds; write 600").budgeting == Freshness(10 * MINUTE)


@pytest.mark.parametrize(
    ("spec", "objective", "reason"),
    [
        ("measure: duration_ms", "op: gt, value: 300", "op gt is the wrong way round: a request is good when it takes"),
        ("measure: duration_ms", "op: lte, value: 0", "value 0 must be above 0"),
        ("measure: duration_ms", "op: lte, value: 1e20", "fit in 64 bits"),
        ("measure: duration_ms", "op: lte, value: 0.0000001", "finer than a nanosecond"),
        ("measure: duration_ms", "op: lte", "value is missing"),
        ("measure: duration_ms", "value: 1", "op is missing"),
        ("measure: duration_ms", "op: below, value: 1", "op 'below' is not known; write one of lte, gte, lt, gt"),
        ("measure: duration_ms", "displayName: x", "needs op and value in every objective"),
        ("measure: duration_ms, good: error", "op: lte, value: 1", "good has a use with measure: freshness only"),
        ("kind: server", "op: lte, value: 1", "measure is missing"),
        ("measure: size", "op: lte, value: 1", "measure 'size' is not known; write one of duration_ms, throughput"),
        ("measure: throughput", f"op: lte, value: 1, {SLICES}", "a throughput is a floor; write gte"),
        ("measure: throughput", f"op: gte, value: 0, {SLICES}", "write at least 1 event"),
        ("measure: freshness", f"op: gte, value: 600, {SLICES}", "how old the newest event may be; write lte"),
        ("measure: freshness", f"op: lte, value: 90, {SLICES}", "must be whole minutes"),
        ("measure: freshness", f"op: lte, value: 60.5, {SLICES}", "value 60.5 must be a whole number above 0"),
        ("measure: freshness", f"op: lte, value: 99999999999999999999, {SLICES}", "longer than ten years"),
        ("measure: freshness", f"op: lte, value: soon, {SLICES}", "'soon' is not a duration"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(spec, objective, reason):
    problem = only_problem(threshold(spec, f"{objective}, target: 0.99"))
    assert reason in problem.reason
    assert problem.path.startswith(("spec.objectives[0]", "spec.indicator.spec.thresholdMetric"))


def test_a_floor_counts_slices_whatever_the_budgeting_method_says():
    text = threshold("measure: throughput", "op: gte, value: 5, target: 0.99")
    assert warned(text, "write budgetingMethod: Timeslices").budgeting == Throughput(5)
    text = threshold(
        "measure: throughput", "op: gte, value: 5, target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m"
    )
    ((slo,), (problem,)) = read_openslo_files({"f": text}, strict=True)
    assert (slo.budgeting, problem.level) == (Throughput(5), "warning")
    assert "a slice meets or not" in problem.reason
    text = threshold("measure: throughput", f"op: gte, value: 5, target: 0.99, {SLICES}").replace(
        "timeSliceTarget: 1,", ""
    )
    assert warned(text, "timeSliceTarget is missing").budgeting == Throughput(5)
    text = threshold("measure: freshness", "op: lte, value: 60, target: 0.99, timeSliceTarget: 1, timeSliceWindow: 5m")
    ((slo,), (problem,)) = read_openslo_files({"f": text}, strict=True)
    assert slo.budgeting == Freshness(MINUTE)
    assert "judged every minute" in problem.reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (TOTAL, source("metric: x", "metrics"), "different types of metric sources"),
        (f"total: {TOTAL}", f"bad: {TOTAL}", "spans need total and either good or bad"),
        (f"good:  {GOOD}", f"good: {GOOD}\n        bad: {GOOD}", "good, bad and total are all written"),
        (f"good:  {GOOD}", f"raw: {GOOD}", "raw is a ratio already"),
        (f"good:  {GOOD}\n        total: {TOTAL}", f"raw: {GOOD}", "rawType is missing"),
        (f"good:  {GOOD}\n        total: {TOTAL}", f"raw: {GOOD}\n        rawType: odd", "success or failure"),
        (f"good:  {GOOD}\n        total: {TOTAL}", f"raw: {GOOD}\n        rawType: success", "no counts to sum"),
        ("type: spans, spec: {service: checkout, kind: server, good", "spec: {good", "type is missing"),
        ("counter: false", "counter: 1", "counter must be true or false"),
        ("  indicator:\n    metadata: {name: checkout-availability}\n    spec:", "  other:", "indicator is missing"),
    ],
)
def test_a_ratio_of_no_sense_is_refused(old, new, reason):
    assert old in AVAILABILITY
    _, problems = read_openslo_files({"f": AVAILABILITY.replace(old, new)})
    assert reason in next(problem.reason for problem in problems if problem.level == "error")


def test_a_raw_type_without_raw_is_told():
    assert warned(AVAILABILITY.replace("counter: false", "rawType: success"), "rawType has a use with raw only")


def test_op_and_value_beside_a_ratio_are_ignored_aloud():
    slo = warned(
        AVAILABILITY.replace("target: 0.999", "target: 0.999, op: gt"), "op has a use with thresholdMetric only"
    )
    assert slo.target == Decimal("0.999")


def test_several_thresholds_are_several_objectives_which_is_not_openslo():
    text = threshold("measure: duration_ms", "op: lte, value: 100, target: 0.95}, {op: lte, value: 500, target: 0.99")
    slos, problems = read_openslo_files({"f": text})
    assert [slo.indicator.good for slo in slos] == [FasterThan(100_000_000), FasterThan(500_000_000)]
    assert [problem.reason for problem in problems] == [
        "a thresholdMetric has one objective in OpenSLO; write an SLO for each"
    ]


def test_slices_of_time_have_a_target_and_a_length():
    text = AVAILABILITY.replace("Occurrences", "Timeslices")
    slices = "target: 0.999, timeSliceTarget: 0.95, timeSliceWindow:"
    assert read_one(text.replace("target: 0.999", f"{slices} 5m")).budgeting == Timeslices(Decimal("0.95"), 5 * MINUTE)
    assert read_one(text.replace("target: 0.999", f"{slices} 5")).budgeting == Timeslices(Decimal("0.95"), 5 * MINUTE)
    short = text.replace("target: 0.999", "target: 0.999, timeSliceTarget: 0.95")
    assert warned(short, "timeSliceWindow is missing and read as 1m").budgeting == Timeslices(Decimal("0.95"))


@pytest.mark.parametrize(
    ("slices", "path", "reason"),
    [
        ("timeSliceTarget: 1.5, timeSliceWindow: 1m", "timeSliceTarget", "must lie above 0 and at most at 1"),
        ("timeSliceTarget: 0.5, timeSliceWindow: 7m", "timeSliceWindow", "whole minutes that divide a day"),
        ("timeSliceTarget: 0.5, timeSliceWindow: 0.5", "timeSliceWindow", "whole minutes that divide a day"),
        ("timeSliceTarget: 0.5, timeSliceWindow: 0", "timeSliceWindow", "must be above 0"),
    ],
)
def test_slices_that_do_not_divide_a_day_are_refused(slices, path, reason):
    text = AVAILABILITY.replace("Occurrences", "Timeslices").replace("target: 0.999", f"target: 0.95, {slices}")
    problem = only_problem(text)
    assert (problem.path, reason in problem.reason) == (f"spec.objectives[0].{path}", True)


def test_slices_have_no_use_with_occurrences():
    slos, problems = read_openslo_files(
        {"f": AVAILABILITY.replace("target: 0.999", "target: 0.95, timeSliceWindow: 1m")}
    )
    assert len(slos) == 1
    assert "timeSliceWindow has no use with Occurrences" in problems[0].reason
