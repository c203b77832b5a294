"""Alerts that no signal speaks of any more: each ends with the true reason, or stays where nobody can know."""

from datetime import UTC, datetime, timedelta

import pytest

from evaluator.alert_decisions import AlertDecisions
from evaluator.ingest_losses import IngestLossSource
from tests.unit.test_evaluator_alert_decisions import Rule, Source, Store

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Knowing(Source):
    """Says why it says nothing."""

    why = None

    def why_unsaid(self, _rule):
        return self.why


@pytest.mark.parametrize(
    ("why", "stored"),
    [
        (None, [("a", "resolved", "a: the rule was removed")]),
        ("it was not sent for 7 days", [("a", "resolved", "a: it was not sent for 7 days")]),
        ("", []),
    ],
)
def test_a_source_that_knows_says_why_an_alert_ends_or_that_it_stays(why, stored):
    source, store = Knowing(Rule("a")), Store()
    decisions = AlertDecisions(store, (Source(), source))
    decisions.make(START)
    source.found, source.why = (), why
    made = decisions.make(START + timedelta(seconds=15))
    assert [(item.rule, item.state, item.summary) for item in made] == stored


def test_what_nothing_was_heard_of_is_not_called_removed():
    assert IngestLossSource.why_unsaid("ingest/quarantined/shop/prod") == "nothing was heard of it for a day"
    assert IngestLossSource.why_unsaid("shop-availability") is None
