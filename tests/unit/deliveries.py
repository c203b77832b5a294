"""Notifications and messages for tests of delivery."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from alerts.delivery import Parcel
from alerts.labels import labels_of
from alerts.message import Message, MessageAlert
from alerts.notification import Notification, Told
from alerts.transition import AlertDetails, Transition, WindowDetails

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DETAILS = AlertDetails("SLOErrorBudgetBurn", "pay", Decimal("0.999"), slo_window=WindowDetails("30d", 9, 1, 10, 100.0))


def transition(alert_id="a-page-1", state="firing", at=NOW, sequence=1):
    ended = at if state == "resolved" else None
    return Transition(
        alert_id, sequence, "pay", "pay", "", "page", state, at, at, at, ended, f"{alert_id} {state}", DETAILS
    )


def notification(group="shop", number=1, *, channel="team/hook-1", at=NOW, told=None):
    alerts = (Told("a-page-1", 1, "firing"),) if told is None else tuple(told)
    return Notification(channel, "team", group, (("service_name", group),), number, "firing", at, alerts)


def message(item):
    alert = transition()
    return Message(
        idempotency_key=item.id,
        receiver=item.receiver,
        status="firing",
        group_key=item.group_key,
        group_labels=dict(item.group_labels),
        alerts=(MessageAlert(alert, labels_of(alert)),),
    )


def parcel(group="shop", number=1, *, attempts=0):
    item = notification(group, number)
    return Parcel(item, message(item), attempts)


def always(seconds):
    """Return a backoff of the same wait after every attempt."""
    return lambda _attempt, _key: timedelta(seconds=seconds)
