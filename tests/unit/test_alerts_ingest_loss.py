"""Alerts about the way in: which of them page, which wait, and what they say."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.decide import decide
from alerts.ingest_loss import EVERY_COLLECTOR, IngestLossSignal, title
from alerts.labels import check_label_names, labels_of
from alerts.timing import AlertTiming

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FULL = ("traces: the spool is 85% full; requests are refused when it is full (raise --spool-limit)",)
CONTINUED = AlertTiming(timedelta(minutes=6), timedelta(minutes=10))
RESTARTED = AlertTiming(timedelta(minutes=1))


@pytest.mark.parametrize(
    ("what", "severity", "timing"),
    [
        ("lost", "page", AlertTiming()),
        ("breaker_open", "page", AlertTiming()),
        ("spool_filling", "page", AlertTiming()),
        ("damaged", "page", AlertTiming()),
        ("spool_old", "ticket", RESTARTED),
        ("silent", "ticket", RESTARTED),
        ("dead_letters", "ticket", AlertTiming(timedelta(hours=1))),
        ("refusing", "ticket", CONTINUED),
        ("rejecting", "ticket", CONTINUED),
        ("quarantined", "ticket", CONTINUED),
    ],
)
def test_loss_pages_and_what_can_wait_is_a_ticket_that_has_waited(what, severity, timing):
    found = IngestLossSignal(what, "here:4318")
    assert (found.severity, found.timing, found.rule) == (severity, timing, f"ingest/{what}/here:4318")
    assert title(what) != what


def test_that_no_collector_reports_at_all_pages():
    assert IngestLossSignal("silent", EVERY_COLLECTOR).severity == "page"


@pytest.mark.parametrize(
    ("problems", "known", "met", "clear"),
    [(FULL, True, True, False), ((), True, False, True), ((), False, False, False), (FULL, False, True, False)],
)
def test_it_is_over_only_when_the_collector_says_so(problems, known, met, clear):
    found = IngestLossSignal("spool_filling", "here:4318", problems=problems, known=known)
    assert (found.met, found.clear) == (met, clear)


def test_an_alert_names_the_collector_the_numbers_and_what_to_do():
    found = IngestLossSignal("spool_filling", "here:4318", problems=FULL)
    fired = decide(None, found, NOW, found.timing)
    assert fired.summary == f"collector here:4318: {FULL[0]}"
    labels = labels_of(fired) | check_label_names(dict(found.labels))
    assert labels == {
        "alertname": "IngestLoss",
        "rule": "ingest/spool_filling/here:4318",
        "slo_name": "The spool fills up",
        "severity": "page",
        "collector": "here:4318",
        "loss": "spool_filling",
    }
    over = IngestLossSignal("spool_filling", "here:4318")
    assert over.resolved_summary() == "collector here:4318: it is over (the spool fills up)"
    assert (found.slo_id, found.service, found.environment) == ("", "", "")


def test_an_alert_about_a_service_is_the_services():
    found = IngestLossSignal("quarantined", service="shop", environment="prod", problems=("5 spans",))
    assert (found.rule, found.labels) == ("ingest/quarantined/shop/prod", (("loss", "quarantined"),))
    assert found.firing_summary() == "shop in prod: 5 spans"
    assert IngestLossSignal("quarantined", service="shop", problems=("5 spans",)).firing_summary() == "shop: 5 spans"
    every = IngestLossSignal("silent", EVERY_COLLECTOR, problems=("none reports",))
    assert every.firing_summary() == "every collector: none reports"
