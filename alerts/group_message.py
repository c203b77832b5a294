"""What a notification says: the alerts that it tells of, with their evidence and links."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, TypeAlias

from alerts.evidence import Evidence
from alerts.labels import labels_of
from alerts.message import Links, Message, MessageAlert
from alerts.notification import Notification
from alerts.transition import Transition

MOST_ALERTS: Final = 100
Sign: TypeAlias = Callable[[Literal["acknowledge", "evidence"], str, datetime], str]


def group_message(
    notification: Notification,
    transitions: Sequence[Transition],
    links: Links,
    *,
    evidence: Mapping[str, Evidence] | None = None,
    sign: Sign | None = None,
) -> Message:
    """Return the message of *notification*, the same whenever it is asked for with the same evidence.

    Args:
        notification: the decision to send it.
        transitions: of each of its alerts the one that is told, at least one; of more than 100 the rest is counted.
        links: where links lead.
        evidence: what is known of the causes, by alert.
        sign: returns the token of a link for a purpose, an alert and the time that it is made; without it no link
            acknowledges an alert.

    Raises:
        InvalidAlert: a label of an alert has a name that receivers would refuse.
    """
    ordered = sorted(transitions, key=_importance)
    listed = tuple(
        _message_alert(item, notification, links, (evidence or {}).get(item.alert_id), sign)
        for item in ordered[:MOST_ALERTS]
    )
    return Message(
        idempotency_key=notification.id,
        receiver=notification.receiver,
        status=listed[0].status,
        group_key=notification.group_key,
        group_labels=dict(notification.group_labels),
        alerts=listed,
        external_url=links.dashboard_url.rstrip("/"),
        truncated=len(ordered) - len(listed),
    )


def _importance(transition: Transition) -> tuple[bool, bool, datetime, str]:
    return (
        transition.state == "resolved",
        transition.severity != "page",
        transition.started_at,
        transition.alert_id,
    )


def _message_alert(
    transition: Transition, notification: Notification, links: Links, evidence: Evidence | None, sign: Sign | None
) -> MessageAlert:
    def token(purpose: Literal["acknowledge", "evidence"]) -> str:
        return "" if sign is None else sign(purpose, transition.alert_id, notification.at)

    acknowledges = sign is not None and links.api_url and transition.state == "firing"
    return MessageAlert(
        transition,
        labels_of(transition),
        evidence=evidence,
        alert_url=links.alert(transition.alert_id),
        evidence_url=links.evidence(transition.alert_id, token("evidence")) if links.api_url else "",
        acknowledge_url=links.acknowledge(token("acknowledge")) if acknowledges else "",
        trace_urls=_trace_urls(transition, links, evidence),
        runbook=transition.details.runbook or ("" if evidence is None else evidence.runbook),
    )


def _trace_urls(transition: Transition, links: Links, evidence: Evidence | None) -> tuple[str, ...]:
    """Return links to traces, at the span that is to blame where that is known."""
    if evidence is not None and evidence.traces:
        return tuple(links.trace(trace.trace_id, trace.guilty_span_id) for trace in evidence.traces)
    return tuple(links.trace(trace_id) for trace_id in transition.details.exemplar_trace_ids)
