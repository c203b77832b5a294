"""Messages as the channels get them, at fixed times: one that fires, its end, and a group."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alerts.evidence import (
    Deployment,
    Difference,
    Evidence,
    EvidenceTrace,
    Experiment,
    Forecast,
    LogLine,
    PastAlert,
    Spender,
)
from alerts.labels import labels_of
from alerts.message import Links, Message, MessageAlert
from alerts.transition import AlertDetails, ConditionDetails, Measurement, Transition, WindowDetails

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
LINKS = Links("https://nl.example", "https://nl.example")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ALERT_ID = "checkout-prod-availability-page-29538900"

_CONDITION = ConditionDetails(
    True, 14.4, WindowDetails("1h", 34_029, 1_971, 36_000, 54.75), WindowDetails("5m", 2_781, 219, 3_000, 73.0)
)
PAGE = Transition(
    alert_id=ALERT_ID,
    sequence=1,
    slo_id="checkout-prod-availability",
    service="checkout",
    environment="prod",
    severity="page",
    state="firing",
    at=NOW,
    started_at=NOW,
    fired_at=NOW,
    resolved_at=None,
    summary="7.3 % of requests to checkout in prod failed in the last 5 minutes (219 of 3,000); objective 99.9 %",
    details=AlertDetails(
        "SLOErrorBudgetBurn",
        "checkout availability",
        Decimal("0.999"),
        None,
        WindowDetails("30d", 9_997_500, 2_500, 10_000_000, 0.25),
        0.75,
        (_CONDITION,),
        exemplar_trace_ids=(TRACE,),
    ),
    labels=(("team", "shop"),),
)
RECOVERED = replace(
    PAGE,
    sequence=2,
    state="resolved",
    at=NOW + timedelta(minutes=12),
    resolved_at=NOW + timedelta(minutes=12),
    summary="checkout availability recovered: 0 % of requests to checkout in prod failed in the last 5 minutes "
    "(0 of 3,000); objective 99.9 %",
    details=replace(
        PAGE.details,
        conditions=(replace(_CONDITION, met=False, short=WindowDetails("5m", 3_000, 0, 3_000, 0.0)),),
    ),
)
QUEUE = Transition(
    alert_id="threshold-queuetoolong-emails-ticket-29538899",
    sequence=1,
    slo_id="",
    service="orders",
    environment="prod",
    severity="ticket",
    state="firing",
    at=NOW,
    started_at=NOW - timedelta(minutes=2),
    fired_at=NOW,
    resolved_at=None,
    summary="queue.depth of orders in prod is 1,234, above 1,000 for 2 minutes",
    details=AlertDetails(
        "QueueTooLong",
        "QueueTooLong",
        measurement=Measurement("queue.depth", (("queue", "emails"),), 1234.0, ">", 1000.0, "messages"),
    ),
    rule="threshold/QueueTooLong/queue=emails",
)
EVIDENCE = Evidence(
    alert_id=ALERT_ID,
    gathered_at=NOW,
    start=NOW - timedelta(hours=1),
    end=NOW,
    summary="inventory's SELECT stock fails since its deployment of 02:51",
    error_budget_spent=0.1971,
    error_budget_remaining=0.75,
    forecasts=(Forecast(1, NOW + timedelta(hours=13, minutes=41)), Forecast(24, None)),
    traces=(EvidenceTrace(TRACE, "POST /pay", NOW, 812.5, True, "00f067aa0ba902b7", "inventory", "SELECT stock"),),
    spenders=(Spender("inventory", "SELECT stock", 1_616, 0.82), Spender("checkout", "POST /pay", 355, 0.18)),
    differences=(Difference("payment.provider", "acme", 0.91, 0.08, 11.375),),
    deployments=(Deployment("inventory", "2.4.1", "2.4.0", NOW - timedelta(minutes=9)),),
    experiments=(Experiment("run-7", "slow stock database", NOW - timedelta(minutes=20), None),),
    logs=(LogLine(NOW, "ERROR", "inventory", "could not obtain lock on row in relation <stock> & gave up", TRACE),),
    past=(PastAlert("old", NOW - timedelta(days=18), 840.0, "rolled back 2.3.9"),),
    owner="team shop",
    runbook="https://runbooks.example/checkout",
)


def message_alert(transition, evidence=None):
    return MessageAlert(
        transition,
        labels_of(transition),
        evidence,
        alert_url=LINKS.alert(transition.alert_id),
        evidence_url=LINKS.evidence(transition.alert_id, "e-token"),
        acknowledge_url=LINKS.acknowledge("a-token"),
        trace_urls=(LINKS.trace(TRACE, "00f067aa0ba902b7"),) if evidence else (),
        runbook=evidence.runbook if evidence else "",
    )


def message(key, *alerts, truncated=0):
    status = "resolved" if all(alert.status == "resolved" for alert in alerts) else "firing"
    labels = {"service_name": alerts[0].transition.service, "environment": alerts[0].transition.environment}
    group_key = '{}:{environment="prod", service_name="checkout"}'
    return Message(key, "oncall", status, group_key, labels, alerts, LINKS.dashboard_url, truncated)


FIRING = message("a1b2c3d4e5f60718293a4b5c", message_alert(PAGE, EVIDENCE))
RESOLVED = message("b1b2c3d4e5f60718293a4b5c", message_alert(RECOVERED, EVIDENCE))
GROUP = message(
    "c1b2c3d4e5f60718293a4b5c",
    message_alert(PAGE, EVIDENCE),
    message_alert(QUEUE),
    message_alert(replace(RECOVERED, alert_id="checkout-prod-latency-ticket-29538890", severity="ticket")),
    truncated=2,
)
MESSAGES = {"firing": FIRING, "resolved": RESOLVED, "group": GROUP}

HOSTILE = '<!channel> @here @everyone *x* _y_ `z` [a](javascript:1) <script>alert(1)</script> & "q" \n\x00\u202e '


def hostile(times=1):
    """Return a message whose every text wants to break out, repeated *times*."""
    text = HOSTILE * times
    details = replace(
        PAGE.details,
        alert_name=text,
        slo_name=text,
        measurement=Measurement(text, ((text, text),), 1.0, ">", 1.0, text),
    )
    transition = replace(
        PAGE, service=text, environment=text, summary=text, details=details, labels=(("team", text), ("zone", text))
    )
    evidence = replace(
        EVIDENCE,
        owner=text,
        traces=(replace(EVIDENCE.traces[0], route=text, guilty_service=text, guilty_operation=text),),
        spenders=(Spender(text, text, 1, 1.0),),
        differences=(Difference(text, text, 1.0, 0.0, None),),
        deployments=(Deployment(text, text, text, NOW),),
        experiments=(Experiment(text, text, NOW, NOW),),
        logs=(LogLine(NOW, text, text, text, text),),
        past=(PastAlert(text, NOW, None, text),),
    )
    return message("h" * 24, *[message_alert(transition, evidence)] * times)
