from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import yaml

from slo.budgeting import Timeslices
from slo.draft import drafts
from slo.model import Exclusion
from slo.policy import AlertPolicy, BurnRatePair, ObjectiveBreach
from slo.prometheus_rules import number_text, prometheus_rules
from slo.standard_policy import standard_policy
from slo.window import CalendarWindow, RollingWindow

DRAFT = drafts("shop", "prod")[0]
SLO = replace(DRAFT, id="shop", draft=False, policy=standard_policy(DRAFT.target, DRAFT.period).policy)
MINUTE = timedelta(minutes=1)
IDS = 'sloth_id="shop",sloth_service="shop",sloth_slo="shop",job=""'


def rules(slo=SLO):
    text, remarks = prometheus_rules([slo])
    assert remarks == []
    (group,) = yaml.safe_load(text)["groups"]
    return group["rules"]


def recorded(slo=SLO):
    return {rule["record"]: rule for rule in rules(slo) if "record" in rule}


def alerts(slo=SLO):
    return {rule["labels"]["severity"]: rule for rule in rules(slo) if "alert" in rule}


def test_every_window_is_a_sum_of_increases_over_a_sum_of_increases():
    found = recorded()
    windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"]
    assert [name for name in found if "ratio_rate" in name] == [f"slo:sli_error:ratio_rate{w}" for w in windows]
    for window in windows:
        rule = found[f"slo:sli_error:ratio_rate{window}"]
        total = f'sum(increase(ninelives_slo_events_total{{slo="shop"}}[{window}]))'
        bad = total.replace("}", ',result="bad"}')
        assert rule["expr"] == f"{bad}\n/\n({total} > 0)"
        assert rule["labels"] == {
            "sloth_id": "shop",
            "sloth_service": "shop",
            "sloth_slo": "shop",
            "sloth_window": window,
        }


def test_what_sloth_tells_about_an_objective_is_recorded_too():
    found = {name: rule["expr"] for name, rule in recorded().items() if "ratio_rate" not in name}
    assert found == {
        "slo:objective:ratio": "vector(0.999)",
        "slo:error_budget:ratio": "vector(0.001)",
        "slo:time_period:days": "vector(30)",
        "slo:current_burn_rate:ratio": f"slo:sli_error:ratio_rate5m{{{IDS}}} / 0.001",
        "slo:period_burn_rate:ratio": f"slo:sli_error:ratio_rate30d{{{IDS}}} / 0.001",
        "slo:period_error_budget_remaining:ratio": f"1 - slo:sli_error:ratio_rate30d{{{IDS}}} / 0.001",
        "sloth_slo_info": "vector(1)",
    }
    info = recorded()["sloth_slo_info"]["labels"]
    assert (info["sloth_objective"], info["sloth_spec"]) == ("99.9", "openslo/v1")


def condition(long, short, threshold):
    return (
        f"(\n  max without (sloth_window) (slo:sli_error:ratio_rate{long}{{{IDS}}} > {threshold})\n  and\n"
        f"  max without (sloth_window) (slo:sli_error:ratio_rate{short}{{{IDS}}} > {threshold})\n)"
    )


def test_each_severity_has_one_alert_that_needs_both_windows_of_a_pair():
    found = alerts()
    assert found["page"]["expr"] == condition("1h", "5m", "0.0144") + "\nor\n" + condition("6h", "30m", "0.006")
    assert found["ticket"]["expr"] == condition("1d", "2h", "0.003") + "\nor\n" + condition("3d", "6h", "0.001")
    assert {rule["alert"] for rule in found.values()} == {"SLOErrorBudgetBurn"}
    assert found["page"]["labels"]["sloth_severity"] == "page"


def test_the_least_number_of_events_is_asked_for_in_the_long_window():
    expression = alerts(replace(SLO, min_total=100, min_bad=5))["page"]["expr"]
    events = 'sum(increase(ninelives_slo_events_total{slo="shop"}[1h])) >= 100'
    assert f"\n  and on () {events}\n" in expression
    assert "\n  and on () " + events.replace("}", ',result="bad"}').replace("100", "5") + "\n)" in expression


def test_alerts_of_ones_own_have_their_windows_recorded():
    pair = BurnRatePair(90 * MINUTE, 7 * MINUTE, Fraction(1, 3), "page")
    found = replace(SLO, policy=AlertPolicy("burn-rate", (pair,)))
    assert {"slo:sli_error:ratio_rate90m", "slo:sli_error:ratio_rate7m"} <= set(recorded(found))
    assert list(alerts(found)) == ["page"]
    assert "> 0.0003333333333333333)" in alerts(found)["page"]["expr"]


def test_a_breach_of_the_objective_has_its_own_name():
    found = alerts(
        replace(SLO, policy=AlertPolicy("objective-breach", (ObjectiveBreach(5 * MINUTE, MINUTE, "ticket"),)))
    )
    assert found["ticket"]["alert"] == "SLOObjectiveBreach"
    assert found["ticket"]["expr"] == condition("5m", "1m", "0.001")


def test_texts_of_the_user_cannot_become_templates_or_end_a_string():
    odd = replace(SLO, service='a"b\\c\n{{ x }}', runbook="https://wiki.example/{{ y }}")
    page = alerts(odd)["page"]
    assert 'sloth_service="a\\"b\\\\c\\n{{ x }}"' in page["expr"]
    assert page["labels"]["service_name"] == "{{ $labels.sloth_service }}"
    assert page["annotations"]["runbook_url"] == 'https://wiki.example/{{ "{{" }} y }}'
    assert "{{ x" not in str(page["annotations"])


def test_without_alerts_and_with_another_period_only_ratios_are_recorded():
    week = replace(SLO, policy=DRAFT.policy, window=RollingWindow(timedelta(hours=36)))
    assert alerts(week) == {}
    assert "slo:sli_error:ratio_rate36h" in recorded(week)
    assert recorded(week)["slo:time_period:days"]["expr"] == "vector(1.5)"


def test_what_a_counter_cannot_tell_has_no_rules_and_a_reason():
    slices = replace(SLO, id="slices", budgeting=Timeslices(Decimal("0.9")))
    month = replace(SLO, id="month", window=CalendarWindow("month", 1, datetime.fromisoformat("2026-01-01"), "UTC"))
    night = Exclusion(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC), "moving house")
    text, remarks = prometheus_rules([slices, month, replace(SLO, exclusions=(night,))])
    assert remarks == [
        "slices: no rules: it counts slices of time (Timeslices), which a counter of events does not tell",
        "month: no rules: its window is a calendar month (UTC); PromQL's ranges are rolling",
        "shop: excluded time counts in Prometheus",
    ]
    assert text.startswith("".join(f"# {remark}\n" for remark in remarks))
    assert [group["name"] for group in yaml.safe_load(text)["groups"]] == ["ninelives-slo-shop"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(30), "30"),
        (Decimal("0.00010"), "0.0001"),
        (Fraction(10001, 1000), "10.001"),
        (Fraction(2, 3), "0.6666666666666666"),
    ],
)
def test_numbers_are_written_exactly_where_decimals_end(value, text):
    assert number_text(value) == text
