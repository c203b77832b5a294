import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.budget_policy import read_budget_alerts
from slo.draft import drafts, drafts_of
from slo.errors import InvalidObjective
from slo.indicator import FasterThan, Matches, NotError, SpanIndicator
from slo.openslo import read_openslo
from slo.openslo_writer import to_openslo
from slo.policy import NO_POLICY
from slo.predicate_parser import parse_predicate
from slo.standard_policy import standard_policy
from slo.window import RollingWindow

names = st.text(min_size=1, max_size=80)
short_names = st.text(min_size=1, max_size=8)


def test_a_service_has_two_drafts_that_never_page():
    availability, latency = drafts("Checkout", "prod")
    assert (availability.id, latency.id) == ("checkout-prod-availability", "checkout-prod-latency")
    assert availability.indicator == SpanIndicator("Checkout", "prod", good=NotError())
    assert latency.indicator == SpanIndicator("Checkout", "prod", good=FasterThan(200_000_000))
    assert (availability.target, latency.target) == (Decimal("0.999"), Decimal("0.95"))
    for draft in (availability, latency):
        assert (draft.period, draft.policy, draft.draft) == (timedelta(days=30), NO_POLICY, True)
        assert (draft.source, draft.service, draft.environment) == ("draft", "Checkout", "prod")


def test_without_environment_the_draft_counts_only_spans_without_environment():
    availability, _ = drafts("checkout", "")
    assert (availability.id, availability.indicator.environment) == ("checkout-availability", "")


@given(names, st.just("") | names)
def test_every_draft_id_is_a_dns_label(service, environment):
    for draft in drafts(service, environment):
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", draft.id)


@given(st.sets(st.tuples(st.sampled_from(["a", "a-b", "a_b", "A"]), st.sampled_from(["", "b", "B"]))))
def test_no_two_services_ever_share_a_draft(pairs):
    made = drafts_of(pairs)
    assert len({draft.id for draft in made}) == len(made) == 2 * len(pairs)
    assert {(draft.service, draft.environment) for draft in made} == pairs


@pytest.mark.parametrize("service", ["\x85", "\u2028", "a: b", "# no", "yes", "5", "'\"", "\n---\n", "\ud7ff😀"])
def test_an_adopted_draft_keeps_an_odd_service_name(service):
    ((read,), _) = read_openslo(to_openslo(drafts(service, "")[0]), "adopted.yaml")
    assert read.indicator == SpanIndicator(service, "")


@settings(max_examples=50)
@given(short_names, st.just("") | short_names)
def test_an_adopted_draft_reads_back_as_the_same_objective_with_alerts(service, environment):
    for draft in drafts(service, environment):
        slos, problems = read_openslo(to_openslo(draft), "adopted.yaml")
        policy = standard_policy(draft.target, draft.period).policy
        assert problems == []
        told = read_budget_alerts("25% ticket; 0% ticket")
        assert slos == [replace(draft, draft=False, policy=policy, budget_alerts=told, source="adopted.yaml")]


def test_any_objective_of_one_document_can_be_written_and_read_back():
    filtered = parse_predicate('a = "x: y" and not b in (1, "ü")')
    indicator = SpanIndicator("pay", None, ("client",), filtered, Matches(parse_predicate("a = 1 or error")), ("b",))
    slo = replace(
        drafts("pay", "")[0],
        indicator=indicator,
        target=Decimal("0.99999999999999999999"),
        window=RollingWindow(timedelta(hours=36)),
        description="Money: it moves,\nor else",
    )
    (read,), _ = read_openslo(to_openslo(slo), "draft")
    assert replace(read, draft=True, policy=NO_POLICY, budget_alerts=()) == slo


def test_what_has_no_form_in_a_file_is_refused():
    draft = drafts("pay", "")[0]
    with pytest.raises(InvalidObjective, match="one of several objectives"):
        to_openslo(replace(draft, id="pay:gold"))
    with pytest.raises(InvalidObjective, match="have no name in a file"):
        to_openslo(replace(draft, indicator=SpanIndicator("pay", "", ("client", "server"))))
