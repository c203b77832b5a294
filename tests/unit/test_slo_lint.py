"""Objectives that can be read, and yet can never work or mislead."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from slo.draft import drafts
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    Matches,
    MetricSelector,
    NotError,
    SpanIndicator,
)
from slo.lint import lint, several_environments
from slo.openslo import read_openslo
from slo.policy import AlertPolicy, BurnRatePair, ObjectiveBreach
from slo.predicate_parser import parse_predicate
from slo.standard_policy import standard_policy
from slo.window import CalendarWindow, RollingWindow
from tests.unit.openslo_documents import AVAILABILITY

DRAFT = drafts("checkout", "prod")[0]
SLO = replace(DRAFT, policy=standard_policy(DRAFT.target, DRAFT.period).policy)
HOUR = timedelta(hours=1)


def _found(*slos, **facts):
    return [(finding.name, finding.slo_id) for finding in lint(slos, **facts)]


def _names(*slos, **facts):
    return [name for name, _ in _found(*slos, **facts)]


def _alerting(factor, long=HOUR, **changes):
    policy = AlertPolicy("own", (BurnRatePair(long, long / 12, Fraction(factor), "page"),))
    return replace(SLO, policy=policy, **changes)


def _counting(text, **changes):
    return replace(SLO, indicator=replace(SLO.indicator, **{"filter": text and parse_predicate(text)} | changes))


def test_there_is_nothing_to_say_about_a_sound_objective():
    assert _names(SLO, retention=timedelta(days=400), services={("checkout", "prod")}) == []


@pytest.mark.parametrize(("factor", "target", "names"), [(14, "0.9", ["alert-never-fires"]), (9, "0.9", [])])
def test_a_page_that_can_never_fire_is_named(factor, target, names):
    assert _names(_alerting(factor, target=Decimal(target))) == names
    # at 0.9 total failure burns at 10, which exceeds 9.99 and not 10
    assert _names(_alerting(10, target=Decimal("0.9"))) == ["alert-never-fires"]
    assert _names(_alerting(Fraction(999, 100), target=Decimal("0.9"))) == []


def test_an_alert_below_burn_rate_1_is_named_unless_it_is_the_standard_one():
    assert _names(_alerting(Fraction(99, 100))) == ["alert-within-budget"]
    assert _names(_alerting(1)) == []
    window = RollingWindow(timedelta(days=28))
    standard = standard_policy(SLO.target, window.nominal).policy
    assert any(pair.factor < 1 for pair in standard.conditions)
    assert _names(replace(SLO, window=window, policy=standard)) == []
    breach = AlertPolicy("objective-breach", (ObjectiveBreach(HOUR, HOUR / 12, "page"),))
    assert _names(replace(SLO, policy=breach)) == []


def test_an_alert_that_looks_back_further_than_the_objective_is_named():
    assert _names(_alerting(2, timedelta(days=36), window=RollingWindow(timedelta(days=30)))) == [
        "alert-longer-than-window"
    ]
    assert _names(_alerting(2, timedelta(days=30), window=RollingWindow(timedelta(days=30)))) == []


def test_a_window_longer_than_minutes_are_kept_is_named():
    assert _names(SLO, retention=timedelta(days=29)) == ["window-beyond-retention"]
    assert _names(SLO, retention=timedelta(days=30)) == []
    year = CalendarWindow("year", 1, datetime.fromisoformat("2026-01-01"), "UTC")
    assert _names(replace(SLO, window=year), retention=timedelta(days=364)) == ["window-beyond-retention"]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("not error", NotError()),
        ("error = false and a = 1", NotError()),
        ("duration_ms <= 200", FasterThan(300_000_000)),
        ("a = 1 and b = 2", Matches(parse_predicate("a = 1"))),
        (None, Matches(parse_predicate("duration_ms >= 0"))),
        (None, Matches(parse_predicate("error or not error"))),
    ],
)
def test_good_that_is_everything_counted_is_named(text, good):
    assert _names(_counting(text, good=good)) == ["always-good"]


def test_the_kind_that_is_counted_is_known_to_the_check():
    of_kind = Matches(parse_predicate('kind = "client"'))
    assert _names(_counting(None, kinds=("client",), good=of_kind)) == ["always-good"]
    assert _names(_counting("a = 1", kinds=("client",), good=of_kind)) == ["always-good"]
    assert _names(_counting(None, kinds=("client", "server"), good=of_kind)) == []


def test_good_that_is_nothing_of_what_is_counted_is_named():
    assert _names(_counting("error")) == ["never-good"]
    assert _names(_counting("a = 1", good=Matches(parse_predicate("not a = 1")))) == ["never-good"]
    assert _names(_counting("a = 1", good=Matches(parse_predicate("a = 2")))) == []


def test_caches_and_gauges_have_no_predicate_to_check():
    gauge = GaugeIndicator("checkout", "prod", MetricSelector("lag"), "<", Decimal(5))
    for indicator in (CacheIndicator("checkout", "prod"), gauge):
        assert _names(replace(SLO, indicator=indicator)) == []


def test_a_part_that_counts_more_series_than_the_total_is_named():
    narrow, wide = MetricSelector("requests", (("route", "/pay"),)), MetricSelector("requests")
    other = MetricSelector("failures")

    def counted(**sides):
        return replace(SLO, indicator=CounterIndicator("checkout", "prod", **sides))

    assert _names(counted(good=wide, total=narrow)) == ["part-beyond-total"]
    assert _names(counted(bad=wide, total=narrow)) == ["part-beyond-total"]
    assert _names(counted(good=narrow, total=wide)) == []
    assert _names(counted(bad=other, total=narrow)) == []
    assert _names(counted(good=wide, bad=narrow)) == []


def test_an_sla_that_is_stricter_than_the_objective_is_named():
    assert _names(replace(SLO, sla=Decimal("0.9995"))) == ["sla-stricter-than-target"]
    assert _names(replace(SLO, sla=SLO.target)) == []


@pytest.mark.parametrize(
    ("first", "zone", "names"),
    [
        ("2026-03-29T02:30", "Europe/Berlin", ["start-does-not-exist"]),
        ("2026-03-29T03:00", "Europe/Berlin", []),
        ("2026-10-25T02:30", "Europe/Berlin", []),  # twice: the first is meant
        ("2026-03-28T02:30", "UTC", []),
        ("2011-12-30T00:00", "Pacific/Apia", ["start-does-not-exist"]),
    ],
)
def test_a_start_that_a_change_of_clocks_skips_is_named(first, zone, names):
    window = CalendarWindow("day", 1, datetime.fromisoformat(first), zone)
    assert _names(replace(DRAFT, window=window)) == names


def test_an_id_used_twice_is_named_once():
    assert _found(SLO, replace(SLO, target=Decimal("0.99"))) == [("duplicate-id", SLO.id)]


def test_two_documents_that_count_the_same_over_the_same_window_are_named():
    second = replace(SLO, id="second", target=Decimal("0.99"))
    assert _found(SLO, second) == [("duplicate-objective", "second")]
    assert _names(SLO, replace(second, window=RollingWindow(timedelta(days=7)))) == []
    assert _names(SLO, replace(second, indicator=replace(SLO.indicator, environment="stage"))) == []


def test_two_targets_of_one_document_are_no_duplicates():
    ours, contract = replace(SLO, id="a:ours"), replace(SLO, id="a:contract", target=Decimal("0.99"))
    assert _names(ours, contract) == []
    assert _found(ours, replace(contract, target=SLO.target)) == [("duplicate-objective", "a:contract")]


PAIRS = {("checkout", "prod"), ("checkout", ""), ("cart", "prod")}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"environment": None}, True),
        ({"environment": ""}, False),
        ({"environment": None, "service": "cart"}, False),
        ({"environment": None, "service": "unknown"}, False),
        ({"environment": None, "filter": parse_predicate("a = 1")}, True),
        ({"environment": None, "filter": parse_predicate("not a = 1 and not b = 2")}, True),
        ({"environment": None, "filter": parse_predicate('not (a = 1 or deployment.environment.name = "x")')}, False),
        ({"environment": None, "filter": parse_predicate('a = 1 and deployment.environment = "x"')}, False),
        ({"environment": None, "group_by": ("deployment.environment.name",)}, False),
    ],
)
def test_an_objective_that_mixes_environments_is_named(change, named):
    slo = replace(SLO, indicator=replace(SLO.indicator, **change))
    assert _names(slo, services=PAIRS) == ["several-environments"] * named


def test_the_environments_that_are_mixed_are_listed():
    slo = replace(SLO, indicator=SpanIndicator("checkout", None))
    (finding,) = several_environments([slo], PAIRS)
    assert "checkout reports from several environments ((none), prod)" in finding.reason
    gauge = GaugeIndicator("checkout", None, MetricSelector("lag"), "<", Decimal(5))
    assert _names(replace(SLO, indicator=gauge), services=PAIRS) == ["several-environments"]


@pytest.mark.parametrize("target", ["0", "1", "1.5", "-0.5"])
def test_a_target_outside_of_0_and_1_is_refused_when_it_is_read(target):
    slos, problems = read_openslo(AVAILABILITY.replace("0.999", target), "f")
    assert slos == []
    assert problems[0].path == "spec.objectives[0].target"


def test_a_short_window_that_is_not_shorter_is_refused_when_it_is_read():
    annotations = "annotations: {ninelives/alert-windows: '2%/5m/5m page'}"
    slos, problems = read_openslo(
        AVAILABILITY.replace("availability}\nspec", f"availability, {annotations}}}\nspec"), "f"
    )
    assert slos == []
    assert "must be shorter than" in problems[0].reason
