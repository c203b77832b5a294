"""A past of alerts, as the evaluator leaves it: transitions, messages and attempts, evidence."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alerts.evidence import Deployment, Difference, Evidence, EvidenceTrace, Experiment, Spender
from alerts.notification import Notification, Told
from alerts.transition import AlertDetails, Link, Transition, WindowDetails
from storage.alert_evidence import save_evidence
from storage.append_log import last_batch
from storage.delivery_attempts import AttemptRow, store_attempts
from storage.notifications import NotificationRow, append_notifications

MINUTE = timedelta(minutes=1)
TRACE = "ab" * 16


def ago(minutes):
    """Return the time *minutes* before now, to the second."""
    return datetime.now(UTC).replace(microsecond=0) - minutes * MINUTE


def firing(alert_id, at, **fields):
    """Return the transition by which an alert fires, or becomes *state*."""
    window = WindowDetails("30d", 90, 10, 100, 1.0)
    name = fields.pop("alert_name", "SLOErrorBudgetBurn")
    links = (Link("Runbook", fields.pop("runbook")),) if "runbook" in fields else ()
    details = AlertDetails(name, "Shop", Decimal("0.9"), slo_window=window, exemplar_trace_ids=(TRACE,), links=links)
    values = {
        "alert_id": alert_id,
        "sequence": 1,
        "slo_id": "shop-availability",
        "service": "shop",
        "environment": "prod",
        "severity": "page",
        "state": "firing",
        "at": at,
        "started_at": at,
        "fired_at": at,
        "resolved_at": None,
        "summary": f"{alert_id} fails",
        "details": details,
    }
    return Transition(**values | fields)


def pending(alert_id, at, **fields):
    return firing(alert_id, at, state="pending", fired_at=None, **fields)


def resolved(alert_id, fired, ended, **fields):
    """Return the two transitions of an alert that is over."""
    last = {"sequence": 2, "state": "resolved", "at": ended, "resolved_at": ended, "summary": f"{alert_id} is over"}
    began = firing(alert_id, fired, **fields)
    return began, Transition(**{name: getattr(began, name) for name in began.__slots__} | last)


def store(database, *transitions):
    """Store *transitions* past the compare-and-set, which these tests are not about."""
    columns = ["alert_id", "sequence", "slo_id", "rule", "severity", "state", "at", "writer", "body"]
    rows = [
        (t.alert_id, t.sequence, t.slo_id, t.rule, t.severity, t.state, t.at, "test", t.to_json()) for t in transitions
    ]
    database.insert("alert_transitions", rows, columns)


def tell(database, transition, *statuses, channel="oncall/pagerduty-1", reason="firing"):
    """Store a message about *transition* and attempts to deliver it that came to *statuses*, a second apart."""
    told = Told(transition.alert_id, transition.sequence, transition.state)
    group = f"group of {transition.alert_id}"
    receiver = channel.partition("/")[0]
    message = Notification(channel, receiver, group, (), transition.sequence, reason, transition.at, (told,))
    lists = {"firing": (), "resolved": ()} | {transition.state: (transition.alert_id,)}
    row = NotificationRow(message.id, channel, group, message.number, message.at, body=message.to_json(), **lists)
    after = last_batch(database, "notifications")
    assert append_notifications(database, [row], writer="test", after=after, now=transition.at)
    attempts = [
        AttemptRow(message.id, number, channel, status, "" if status == "sent" else "HTTP 503", at, 120)
        for number, status in enumerate(statuses, 1)
        for at in [transition.at + timedelta(seconds=number)]
    ]
    if attempts:
        store_attempts(database, attempts)


def explain(database, transition, **fields):
    """Store evidence for *transition*, and return it."""
    begin, end = transition.at - 60 * MINUTE, transition.at
    found = Evidence(
        **{
            "alert_id": transition.alert_id,
            "gathered_at": end,
            "start": begin,
            "end": end,
            "summary": "GET /pay fails since version 2",
            "error_budget_spent": 0.02,
            "traces": (EvidenceTrace(TRACE, "GET /pay", begin, 812.5, True, "cd" * 8, "till", "POST /charge"),),
            "spenders": (Spender("till", "POST /charge", 9, 0.9),),
            "differences": (Difference("service.version", "2", 0.9, 0.1, 9.0),),
            "deployments": (Deployment("till", "2", "1", begin + 50 * MINUTE),),
            "experiments": (Experiment("run-1", "Till is slow", begin + 55 * MINUTE, None),),
            "runbook": "https://runbooks.example/shop",
        }
        | fields
    )
    save_evidence(database, transition.alert_id, found.to_json(), "<html>", at=end)
    return found
