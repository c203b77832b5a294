from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.draft import drafts
from slo.errors import InvalidObjective
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    HistogramIndicator,
    Matches,
    MetricSelector,
    NotError,
    SpanIndicator,
)
from slo.model import Exclusion
from slo.openslo import read_openslo
from slo.openslo_export import openslo_documents
from slo.openslo_writer import to_openslo
from slo.policy import NO_POLICY, AlertPolicy, BurnRatePair, ObjectiveBreach, burn_rate_factor
from slo.predicate_parser import parse_predicate
from slo.standard_policy import standard_policy
from slo.window import CalendarWindow, RollingWindow

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SLO = replace(drafts("shop", "prod")[0], draft=False, source="x.yaml")
REQUESTS = MetricSelector("requests", (("code", "500"), ("zone", "a")))

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
goods = (
    st.just(NotError())
    | st.builds(FasterThan, st.integers(1, 10**12))
    | st.sampled_from(["a = 1", 'not (error and x = "1")', "duration_ms < 5"]).map(
        lambda t: Matches(parse_predicate(t))
    )
)
span_indicators = st.builds(
    SpanIndicator,
    service=texts,
    environment=st.none() | st.just("") | texts,
    kinds=st.sampled_from([("server", "consumer"), ("client",), ("internal",)]),
    filter=st.none() | st.sampled_from(['a = "x"', "b in (1, 2) or error"]).map(parse_predicate),
    good=goods,
    group_by=st.lists(texts, unique=True, max_size=2).map(tuple),
)
windows = st.tuples(st.integers(2, 600), st.integers(1, 599)).filter(lambda pair: pair[1] < pair[0])


@st.composite
def policies(draw, target, period):
    kind = draw(st.sampled_from(["standard", "none", "pairs", "breach"]))
    severities = st.sampled_from(["page", "ticket"])
    if kind == "standard":
        return standard_policy(target, period).policy
    if kind == "none":
        return NO_POLICY
    found = []
    for long, short in draw(st.lists(windows, min_size=1, max_size=3)):
        lengths = long * MINUTE, short * MINUTE
        if kind == "breach":
            found.append(ObjectiveBreach(*lengths, draw(severities)))
            continue
        share = Fraction(draw(st.integers(1, 100_000)), 100_000)
        factor = burn_rate_factor(share, period, lengths[0])
        if factor * (1 - Fraction(target)) < 1:
            found.append(BurnRatePair(*lengths, factor, draw(severities)))
    if not found:
        return NO_POLICY
    return AlertPolicy("objective-breach" if kind == "breach" else "burn-rate", tuple(found))


@st.composite
def slos(draw):
    target = draw(st.decimals("0.000001", "0.999999", places=6))
    period = draw(st.integers(600, 100_000)) * MINUTE
    indicator = draw(span_indicators)
    return replace(
        SLO,
        name=draw(texts),
        service=draw(texts),
        environment=indicator.environment or "",
        indicator=indicator,
        target=target,
        window=RollingWindow(period),
        policy=draw(policies(target, period)),
        description=draw(st.just("") | texts),
    )


@settings(max_examples=100)
@given(slos())
def test_what_is_written_reads_back_as_the_same_objective(slo):
    found, problems = read_openslo(to_openslo(slo), "x.yaml")
    assert [problem for problem in problems if problem.level == "error"] == []
    assert found == [slo]


def written(**changes):
    return yaml.safe_load(to_openslo(replace(SLO, **changes)))


def sli(**changes):
    spec = written(**changes)["spec"]
    return spec["indicator"]["spec"], spec["objectives"][0], spec["budgetingMethod"]


def source(source_type, **spec):
    return {"metricSource": {"type": source_type, "spec": {"service": "shop", **spec}}}


def test_counters_are_a_ratio_of_metrics():
    indicator = CounterIndicator("shop", "prod", bad=REQUESTS, total=MetricSelector("requests"), group_by=("zone",))
    common = {"environment": "prod", "group_by": ["zone"], "instrument": "counter", "metric": "requests"}
    assert sli(indicator=indicator)[0]["ratioMetric"] == {
        "counter": True,
        "bad": source("metrics", **common, attributes={"code": "500", "zone": "a"}),
        "total": source("metrics", **common),
    }


def test_a_histogram_is_compared_with_at_most():
    found, objective, _ = sli(indicator=HistogramIndicator("shop", None, REQUESTS, Decimal("0.3")))
    attributes = dict(REQUESTS.attributes)
    assert found["thresholdMetric"] == source(
        "metrics", instrument="histogram", metric="requests", attributes=attributes
    )
    assert objective == {"op": "lte", "value": 0.3, "target": 0.999}


@pytest.mark.parametrize(("op", "name"), [("<", "lt"), ("<=", "lte"), (">", "gt"), (">=", "gte")])
def test_a_gauge_keeps_its_operator_and_its_exact_number(op, name):
    indicator = GaugeIndicator("shop", None, MetricSelector("lag"), op, Decimal(100))
    found, objective, _ = sli(indicator=indicator)
    assert found["thresholdMetric"] == source("metrics", instrument="gauge", metric="lag")
    assert (objective["op"], objective["value"]) == (name, 100)
    assert "value: 100\n" in to_openslo(replace(SLO, indicator=indicator))


def test_a_cache_has_the_same_lookups_on_both_sides():
    indicator = CacheIndicator("shop", "", "pages", parse_predicate("a = 1"), ("zone",))
    lookups = source("cache", environment="", group_by=["zone"], cache="pages", filter="a = 1")
    found, _, _ = sli(indicator=indicator)
    assert found["ratioMetric"] == {"counter": False, "good": lookups, "total": lookups}
    assert sli(indicator=CacheIndicator("shop", None))[0]["ratioMetric"]["good"] == source("cache")


def test_floors_are_measures_of_spans_in_slices():
    common = {"environment": "prod", "kind": "request"}
    found, objective, method = sli(budgeting=Throughput(500, 5 * MINUTE))
    assert (method, found["thresholdMetric"]) == ("Timeslices", source("spans", **common, measure="throughput"))
    assert objective == {"op": "gte", "value": 500, "target": 0.999, "timeSliceTarget": 1, "timeSliceWindow": "5m"}
    found, objective, method = sli(budgeting=Freshness(10 * MINUTE))
    assert found["thresholdMetric"] == source("spans", **common, measure="freshness", good="not error")
    assert objective == {"op": "lte", "value": 600, "target": 0.999, "timeSliceTarget": 1, "timeSliceWindow": "1m"}


def test_timeslices_keep_their_target_and_what_an_empty_one_is():
    budgeting = Timeslices(Decimal("0.95"), 5 * MINUTE, "bad")
    _, objective, method = sli(budgeting=budgeting)
    assert (method, objective["timeSliceTarget"], objective["timeSliceWindow"]) == ("Timeslices", 0.95, "5m")
    assert written(budgeting=budgeting)["metadata"]["annotations"]["ninelives/empty-slices"] == "bad"
    assert "ninelives/empty-slices" not in written(budgeting=Timeslices(Decimal(1)))["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("unit", "letter"), [("day", "d"), ("week", "w"), ("month", "M"), ("quarter", "Q"), ("year", "Y")]
)
def test_a_calendar_window_names_its_first_start_and_its_zone(unit, letter):
    window = CalendarWindow(unit, 2, datetime.fromisoformat("2026-01-01T06:30"), "Europe/Berlin")
    calendar = {"startTime": "2026-01-01 06:30:00", "timeZone": "Europe/Berlin"}
    expected = {"duration": f"2{letter}", "isRolling": False, "calendar": calendar}
    assert written(window=window)["spec"]["timeWindow"] == [expected]


def test_what_openslo_lacks_is_in_annotations():
    night = Exclusion(datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 2, 2, tzinfo=UTC), "new database")
    found = written(
        sla=Decimal("0.995"), min_total=100, min_bad=5, lateness=timedelta(seconds=90),
        exclusions=(night, Exclusion(night.end, night.end + HOUR, "again")), owner="payments", runbook="https://wiki.example",
    )["metadata"]["annotations"]  # fmt: skip
    assert found == {
        "ninelives/alert-policy": "none",
        "ninelives/sla": "0.995",
        "ninelives/min-total": "100",
        "ninelives/min-bad": "5",
        "ninelives/lateness": "90s",
        "ninelives/exclusions": "2026-03-01T22:00Z/2026-03-02T02:00Z new database; "
        "2026-03-02T02:00Z/2026-03-02T03:00Z again",
        "ninelives/owner": "payments",
        "ninelives/runbook": "https://wiki.example",
    }


THIRD = BurnRatePair(HOUR, MINUTE, Fraction(1, 3), "page")
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"policy": AlertPolicy("burn-rate", (THIRD,))}, "is neither an exact share"),
        ({"policy": AlertPolicy("x", (replace(THIRD, factor=Fraction(1000)), THIRD))}, "is neither an exact share"),
        ({"policy": AlertPolicy("x", (THIRD, ObjectiveBreach(HOUR, MINUTE, "page")))}, "one of the two"),
        ({"budgeting": Throughput(1), "indicator": CacheIndicator("shop", None)}, "only spans have floors"),
        ({"budgeting": Throughput(1), "indicator": SpanIndicator("a", None, good=FasterThan(1))}, "counts all events"),
        ({"owner": " me"}, "owner ' me' must not begin"),
        ({"exclusions": (Exclusion(MOMENT, MOMENT + HOUR, "a; b"),)}, "without ';'"),
        ({"exclusions": (Exclusion(MOMENT, MOMENT + HOUR, ""),)}, "without ';'"),
        ({"exclusions": (Exclusion(MOMENT, MOMENT + timedelta(seconds=1), "a"),)}, "must be a whole minute"),
    ],
)
def test_what_a_file_has_no_words_for_is_refused(changes, reason):
    with pytest.raises(InvalidObjective, match=reason):
        to_openslo(replace(SLO, **changes))


def test_conditions_that_openslo_can_say_stay_policies_of_their_own_name():
    fast = BurnRatePair(HOUR, 5 * MINUTE, Fraction(10), "page")
    slow = BurnRatePair(6 * HOUR, 30 * MINUTE, Fraction(5, 2), "ticket")
    spec = written(policy=AlertPolicy("fast, slow", (fast, slow)))["spec"]
    assert [policy["metadata"]["name"] for policy in spec["alertPolicies"]] == ["fast", "slow"]
    (condition,) = spec["alertPolicies"][1]["spec"]["conditions"]
    assert condition["spec"] == {
        "severity": "ticket",
        "condition": {"kind": "burnrate", "op": "gt", "threshold": 2.5, "lookbackWindow": "6h", "alertAfter": "0m"},
    }
    (both,) = written(policy=AlertPolicy("burn", (fast, slow)))["spec"]["alertPolicies"]
    assert (both["metadata"]["name"], len(both["spec"]["conditions"])) == ("burn", 2)


def test_other_conditions_of_a_policy_document_are_kept_under_our_name():
    pair = BurnRatePair(HOUR, 7 * MINUTE, Fraction(36, 5), "page")
    found, _ = read_openslo(to_openslo(replace(SLO, policy=AlertPolicy("fast", (pair,)))), "x.yaml")
    assert found[0].policy == AlertPolicy("burn-rate", (pair,))


def test_an_objective_of_several_gets_a_document_of_its_own_and_one_without_words_is_named():
    several = replace(SLO, id="pay:gold", window=RollingWindow(timedelta(days=7)))
    odd = replace(SLO, id="odd", owner=" x")
    text, remarks = openslo_documents([SLO, several, odd])
    found, problems = read_openslo(text, "x.yaml")
    assert problems == []
    assert found == [SLO, replace(several, id="pay-gold")]
    assert remarks[0] == "pay:gold: has a document and a name of its own now: pay-gold"
    assert remarks[1].startswith("odd: not exported: owner ' x'")
    assert text.startswith("".join(f"# {remark}\n" for remark in remarks))
