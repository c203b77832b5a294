"""What OpenSLO has no field for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from slo.budget_policy import BudgetAction, BudgetAlert, ExhaustionAlert
from slo.budgeting import Timeslices
from slo.model import Exclusion
from slo.openslo import read_openslo
from tests.unit.openslo_documents import AVAILABILITY, OBJECTIVES, annotated, only_problem, read_one, warned


def test_the_annotations_become_fields_of_the_objective():
    slo = read_one(
        annotated(
            'ninelives/sla: "0.99", ninelives/min-total: "100", ninelives/min-bad: "2", ninelives/lateness: 75s, '
            'ninelives/owner: Shop team, ninelives/runbook: "https://runbooks.example/checkout"'
        )
    )
    assert (slo.sla, slo.min_total, slo.min_bad, slo.lateness) == (Decimal("0.99"), 100, 2, timedelta(seconds=75))
    assert (slo.owner, slo.runbook) == ("Shop team", "https://runbooks.example/checkout")


@pytest.mark.parametrize(("text", "sla"), [("99.5%", "0.995"), ("99.5 %", "0.995"), ("0.995", "0.995")])
def test_an_sla_is_a_ratio_or_a_percentage(text, sla):
    assert read_one(annotated(f'ninelives/sla: "{text}"')).sla == Decimal(sla)


def test_exclusions_are_a_list_of_times_with_reasons_in_order():
    text = "2026-03-08T22:00+01:00/2026-03-09T02:00+01:00 again; 2026-03-01T22:00Z/2026-03-02T02:00Z new database;"
    exclusions = read_one(annotated(f'ninelives/exclusions: "{text}"')).exclusions
    assert exclusions == (
        Exclusion(datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 2, 2, tzinfo=UTC), "new database"),
        Exclusion(datetime(2026, 3, 8, 21, tzinfo=UTC), datetime(2026, 3, 9, 1, tzinfo=UTC), "again"),
    )
    assert {moment.tzinfo for each in exclusions for moment in (each.start, each.end)} == {UTC}


def test_empty_slices_are_those_of_timeslices():
    slices = OBJECTIVES.replace("0.999", "0.999, timeSliceTarget: 0.9, timeSliceWindow: 1m")
    text = annotated("ninelives/empty-slices: bad").replace("Occurrences", "Timeslices").replace(OBJECTIVES, slices)
    assert read_one(text).budgeting == Timeslices(Decimal("0.9"), empty="bad")
    assert "Timeslices only" in only_problem(annotated("ninelives/empty-slices: bad")).reason


def test_a_number_without_quotes_is_read_aloud():
    assert warned(annotated("ninelives/min-total: 100"), 'an annotation is text; write "100"').min_total == 100


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ninelives/sla: much", "ninelives/sla: write a ratio or a percentage, such as 0.995 or 99.5%"),
        ('ninelives/sla: "99.5"', "ninelives/sla: 99.5 must lie between 0 and 1"),
        ('ninelives/sla: "100%"', "100% must lie between"),
        ("ninelives/sla: nan", "nan must lie between"),
        ("ninelives/sla: 1e-99", "1e-99 must lie between"),
        ("ninelives/min-total: '-1'", "'-1' is not a count"),
        ("ninelives/min-total: '²'", "'²' is not a count"),
        ("ninelives/min-bad: '1000000000000000'", "is not a count"),
        ("ninelives/empty-slices: skip", "'skip' is not known; write ignore, good or bad"),
        ("ninelives/lateness: 25h", "25h is longer than a day"),
        ("ninelives/lateness: 10", "'10' is not a duration"),
        ("ninelives/exclusions: tonight", "'tonight' is not start/end and a reason"),
        ("ninelives/exclusions: '2026-03-01T22:00Z/2026-03-02T02:00Z'", "is not start/end and a reason"),
        ("ninelives/exclusions: '2026-03-01T22:00Z/later why'", "'later' is not a time"),
        ("ninelives/exclusions: '2026-03-01T22:00:30Z/2026-03-02T02:00Z why'", "must be a whole minute"),
        ("ninelives/exclusions: '2026-03-01T22:00/2026-03-02T02:00Z why'", "needs a time zone"),
        ("ninelives/exclusions: '2026-03-02T22:00Z/2026-03-02T02:00Z why'", "must end after it starts"),
        ("ninelives/alert-for: 25h", "25h is longer than a day; write a shorter wait"),
        ("ninelives/keep-firing-for: soon", "'soon' is not a duration"),
        ("ninelives/budget-alerts: low", "'low' is not a share of the budget and a word; write one such as 25% ticket"),
        ("ninelives/budget-alerts: 100% page", "100 % of the budget must lie between 0 and below 100, such as 25%"),
        ("ninelives/budget-alerts: 25% mail", "severity 'mail' is not known; write page or ticket"),
        ("ninelives/budget-policy: 25% page", "action 'page' is not known; write notify or close-gate"),
        ("ninelives/exhaustion-alert: 24h", "'24h' is not a time and a severity; write one such as 24h ticket"),
        ("ninelives/exhaustion-alert: day page", "'day' is not a duration"),
        ("ninelives/owner: [a]", "must be text, not a list"),
        ("ninelives/owner: ", "must be text, not empty"),
        ("ninelives/windows: x", "unknown annotation ninelives/windows; known: ninelives/alert-policy, "),
    ],
)
def test_an_annotation_of_no_sense_is_refused_where_it_stands(text, reason):
    _, problems = read_openslo(annotated(text), "f")
    errors = [problem for problem in problems if problem.level == "error"]
    assert [reason in error.reason for error in errors] == [True]
    assert errors[0].path == "metadata.annotations." + text.partition(":")[0]


def test_what_happens_when_little_of_the_budget_is_left_is_read():
    slo = read_one(
        annotated(
            'ninelives/budget-alerts: "25% ticket; 0% page", ninelives/exhaustion-alert: 24h ticket, '
            'ninelives/budget-policy: "50% notify; 0% close-gate", ninelives/alert-for: 2m, '
            "ninelives/keep-firing-for: 10m"
        )
    )
    assert slo.budget_alerts == (BudgetAlert(Decimal("0.25"), "ticket"), BudgetAlert(Decimal(0), "page"))
    assert slo.exhaustion_alert == ExhaustionAlert(timedelta(hours=24), "ticket")
    assert slo.budget_policy == (BudgetAction(Decimal("0.5"), "notify"), BudgetAction(Decimal(0), "close-gate"))
    assert (slo.alert_for, slo.keep_firing_for) == (timedelta(minutes=2), timedelta(minutes=10))


def test_an_exhaustion_alert_goes_with_events_and_within_the_window_only():
    slices = OBJECTIVES.replace("0.999", "0.999, timeSliceTarget: 0.9, timeSliceWindow: 1m")
    text = annotated("ninelives/exhaustion-alert: 24h ticket")
    text = text.replace("Occurrences", "Timeslices").replace(OBJECTIVES, slices)
    assert "has a use with Occurrences only; remove it" in only_problem(text).reason
    assert "longer than its window" in only_problem(annotated("ninelives/exhaustion-alert: 9999d page")).reason


def test_exclusions_that_overlap_are_refused():
    text = "2026-03-01T22:00Z/2026-03-02T02:00Z a; 2026-03-02T01:00Z/2026-03-02T03:00Z b"
    assert "overlap" in only_problem(annotated(f'ninelives/exclusions: "{text}"')).reason


def test_annotations_of_others_are_their_business():
    assert read_one(annotated("example.com/team: shop, openslo.com/service-folder: x, team: shop")).owner == ""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("availability}\nspec", "availability, annotations: {a b: c}}\nspec", "annotation 'a b' must be a name"),
        ("availability}\nspec", "availability, annotations: {A/b: c}}\nspec", "annotation 'A/b' must be a name"),
        ("availability}\nspec", "availability, labels: {a b: c}}\nspec", "label 'a b' must be letters"),
        ("availability}\nspec", "availability, labels: {a: [b, 1]}}\nspec", "the value of a label is text"),
        ("availability}\nspec", f"availability, displayName: {'x' * 64}}}\nspec", "displayName has 64 characters"),
        ("  service: checkout\n", f"  service: checkout\n  description: {'x' * 1051}\n", "description has 1051"),
        ("    metadata: {name: checkout-availability}\n", "", "metadata is missing; write metadata: {name: the-name}"),
        ("    metadata: {name: checkout-availability}", "    metadata: {name: A_B}", "write a-b"),
        ("kind: SLO", "kind: slo", "kind 'slo' is read as SLO; write SLO"),
        ("Occurrences", "occurrences", "budgetingMethod 'occurrences' is read as Occurrences"),
        (
            "type: spans, spec: {service: checkout, kind: server, good",
            "type: Spans, spec: {kind: server, good",
            "Spans",
        ),
        ("  service: checkout\n", "  service: checkout\n  x-team: a\n", "unknown field x-team; known here"),
        ("{name: checkout-availability}\nspec", "{name: checkout-availability, uid: 1}\nspec", "unknown field uid"),
    ],
)
def test_a_deviation_is_a_warning_and_in_strict_reading_an_error(old, new, reason):
    assert old in AVAILABILITY
    assert warned(AVAILABILITY.replace(old, new, 1), reason).id == "checkout-availability"


def test_labels_and_titles_are_read():
    text = AVAILABILITY.replace(
        "availability}\nspec", "availability, displayName: Checkout works, labels: {team: [a, b], tier: one}}\nspec"
    ).replace("  service: checkout\n", "  service: checkout\n  description: It works.\n", 1)
    slo = read_one(text)
    assert (slo.name, slo.description) == ("Checkout works", "It works.")
