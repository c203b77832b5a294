"""Whatever kind of objective is written as OpenSLO, it reads back as the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.budget_policy import BudgetAction, BudgetAlert, ExhaustionAlert
from slo.budgeting import OCCURRENCES, Freshness, Throughput, Timeslices
from slo.draft import drafts
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
from slo.openslo_writer import to_openslo
from slo.policy import NO_POLICY, AlertPolicy, BurnRatePair, ObjectiveBreach, burn_rate_factor
from slo.predicate_parser import parse_predicate
from slo.sloth import read_sloth
from slo.sloth_text import imported_text
from slo.standard_policy import standard_policy
from slo.window import CalendarWindow, RollingWindow

MINUTE = timedelta(minutes=1)
SLO = replace(drafts("shop", "prod")[0], draft=False, source="x.yaml")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
trimmed = st.just("") | texts.map(str.strip)
groups = st.lists(texts, unique=True, max_size=2).map(tuple)
filters = st.none() | st.sampled_from(['a = "x"', "b in (1, 2) or error"]).map(parse_predicate)
numbers = st.decimals("-1e6", "1e6", places=3)
common = {"service": texts, "environment": st.none() | st.just("") | texts, "group_by": groups}
selectors = st.builds(
    MetricSelector,
    texts,
    st.dictionaries(texts, st.just("") | texts, max_size=2).map(lambda found: tuple(sorted(found.items()))),
)
goods = (
    st.just(NotError())
    | st.builds(FasterThan, st.integers(1, 10**12))
    | st.sampled_from(["a = 1", 'not (error and x = "1")']).map(lambda text: Matches(parse_predicate(text)))
)
spans = st.builds(
    SpanIndicator, **common, kinds=st.sampled_from([("server", "consumer"), ("client",)]), filter=filters, good=goods
)
lengths = st.sampled_from([1, 5, 60, 1440]).map(lambda minutes: minutes * MINUTE)
slices = st.builds(Timeslices, st.decimals("0.001", "1", places=3), lengths, st.sampled_from(["ignore", "good", "bad"]))
windows = st.integers(600, 100_000).map(lambda minutes: RollingWindow(minutes * MINUTE)) | st.builds(
    CalendarWindow,
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.integers(1, 4),
    st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01")).map(
        lambda start: start.replace(day=min(start.day, 28), second=0, microsecond=0)
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
)


@st.composite
def counters(draw):
    sides = draw(st.sampled_from([("good", "total"), ("bad", "total"), ("good", "bad")]))
    one = draw(selectors)
    other = draw(selectors.filter(lambda found: found.parts() != one.parts()))
    fields = {name: draw(strategy) for name, strategy in common.items()}
    return CounterIndicator(**fields, **dict(zip(sides, (one, other), strict=True)))


@st.composite
def counted(draw):
    """Return an indicator and a budgeting method that go together."""
    kind = draw(st.sampled_from(["plain", "throughput", "freshness"]))
    if kind == "throughput":
        return replace(draw(spans), good=NotError()), Throughput(draw(st.integers(1, 10**9)), draw(lengths))
    if kind == "freshness":
        return draw(spans), Freshness(draw(st.integers(1, 10_000)) * MINUTE)
    indicator = draw(
        spans
        | counters()
        | st.builds(CacheIndicator, **common, cache=st.just("") | texts, filter=filters)
        | st.builds(HistogramIndicator, **common, metric=selectors, at_most=numbers)
        | st.builds(
            GaugeIndicator, **common, metric=selectors, op=st.sampled_from(["<", "<=", ">", ">="]), value=numbers
        )
    )
    return indicator, draw(st.just(OCCURRENCES) | slices)


@st.composite
def exclusions(draw):
    moment, found = datetime(2026, 1, 1, tzinfo=UTC), []
    for wait, length in draw(st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 999)), max_size=3)):
        start = moment + wait * MINUTE
        moment = start + length * MINUTE
        reason = draw(texts.map(str.strip).filter(lambda text: text and ";" not in text))
        found.append(Exclusion(start, moment, reason))
    return tuple(found)


@st.composite
def policies(draw, target, period):
    """Return a policy of any form that can fire for *target*."""
    kind = draw(st.sampled_from(["standard", "none", "shares", "breach", "documents"]))
    severities = st.sampled_from(["page", "ticket"])
    if kind == "standard":
        return standard_policy(target, period).policy
    found = []
    for long, share in draw(st.lists(st.tuples(st.integers(2, 600), st.integers(1, 100_000)), max_size=3)):
        short = draw(st.integers(1, long - 1)) if kind != "documents" else max(long // 12, 1)
        lengths, severity = (long * MINUTE, short * MINUTE), draw(severities)
        if kind == "breach":
            found.append(ObjectiveBreach(*lengths, severity))
            continue
        exact = burn_rate_factor(Fraction(share, 100_000), period, lengths[0])
        factor = Fraction(share, 1000) if kind == "documents" else exact
        if factor * (1 - Fraction(target)) < 1:
            found.append(BurnRatePair(*lengths, factor, severity))
    found = tuple(dict.fromkeys(found))
    if kind == "none" or not found:
        return NO_POLICY
    names = {"shares": "burn-rate", "breach": "objective-breach", "documents": draw(st.sampled_from(["a", "a, b"]))}
    return AlertPolicy(names[kind], found)


waits = st.integers(0, 86_400).map(lambda seconds: timedelta(seconds=seconds))
shares = st.decimals("0", "0.99999", places=5)
severities = st.sampled_from(["page", "ticket"])


@st.composite
def budget_alerting(draw, budgeting, period):
    """Return the fields that say what happens when little of the budget is left."""
    alerts = st.lists(st.builds(BudgetAlert, shares, severities), max_size=3, unique=True)
    actions = st.lists(
        st.builds(BudgetAction, shares, st.sampled_from(["notify", "close-gate"])), max_size=3, unique=True
    )
    soon = st.integers(1, period // MINUTE).map(lambda minutes: minutes * MINUTE)
    exhaustion = st.none() | st.builds(ExhaustionAlert, soon, severities)
    return {
        "budget_alerts": tuple(draw(alerts)),
        "budget_policy": tuple(draw(actions)),
        "exhaustion_alert": draw(exhaustion) if budgeting is OCCURRENCES else None,
        "alert_for": draw(waits),
        "keep_firing_for": draw(waits),
    }


@st.composite
def slos(draw):
    indicator, budgeting = draw(counted())
    window, target = draw(windows), draw(st.decimals("0.000001", "0.999999", places=6))
    slo = replace(
        SLO,
        name=draw(texts),
        service=draw(texts),
        environment=indicator.environment or "",
        indicator=indicator,
        budgeting=budgeting,
        target=target,
        window=window,
        description=draw(st.just("") | texts),
        min_total=draw(st.integers(0, 10**6)),
        min_bad=draw(st.integers(0, 10**6)),
        exclusions=draw(exclusions()),
        sla=draw(st.none() | st.decimals("0.001", "0.999", places=3)),
        lateness=draw(st.none() | st.integers(1, 86_400).map(lambda seconds: timedelta(seconds=seconds))),
        owner=draw(trimmed),
        runbook=draw(trimmed),
    )
    return replace(slo, policy=draw(policies(target, slo.period)), **draw(budget_alerting(budgeting, slo.period)))


@settings(max_examples=100)
@given(slos())
def test_what_is_written_reads_back_as_the_same_objective(slo):
    reads_back(slo)


@pytest.mark.long
@settings(max_examples=5000)
@given(slos())
def test_whatever_is_written_reads_back_as_the_same_objective(slo):
    reads_back(slo)


def reads_back(slo):
    found, problems = read_openslo(to_openslo(slo), "x.yaml")
    assert [str(problem) for problem in problems if problem.level == "error"] == []
    assert found == [slo]


SLOTH = """\
version: prometheus/v1
service: shop
labels: {owner: payments}
slos:
  - name: orders
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(orders_total{job="orders",outcome="failed"}[{{.window}}]))
        total_query: sum(rate(orders_total{job="orders"}[{{.window}}]))
    alerting:
      annotations: {runbook: "https://wiki.example/orders"}
      page_alert: {disable: true}
  - name: latency
    objective: 95
    sli:
      events:
        error_query: |
          sum(rate(checkout_seconds_count[{{.window}}])) - sum(rate(checkout_seconds_bucket{le="0.4"}[{{.window}}]))
        total_query: sum(rate(checkout_seconds_count[{{.window}}]))
"""


def test_what_a_file_of_sloths_becomes_reads_back_without_a_problem():
    imported = read_sloth(SLOTH, "shop.yml")
    found, problems = read_openslo(imported_text(imported, "shop.yml"), "shop.yml")
    assert [str(problem) for problem in problems if problem.level == "error"] == []
    assert found == [item.slo for item in imported.imported]
    assert [slo.id for slo in found] == ["shop-orders", "shop-latency"]
