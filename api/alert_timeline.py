"""What happened around an alert, in plain sentences, in the order in which it happened."""

from collections.abc import Iterable, Sequence
from typing import Final

from alerts.evidence import Evidence
from alerts.notification import Notification
from alerts.silence import Silence
from alerts.transition import AlertState, Transition
from api import models as m
from storage.acknowledgements import AcknowledgementRow
from storage.delivery_attempts import Delivery
from storage.incident_notes import IncidentNoteRow

_STATES: Final[dict[AlertState, str]] = {"pending": "Pending", "firing": "Fired", "resolved": "Resolved"}


def in_order(*events: Iterable[m.TimelineEvent]) -> list[m.TimelineEvent]:
    """Return all *events*, oldest first; those of one moment in the order in which they are given."""
    return sorted((event for some in events for event in some), key=lambda event: event.at)


def of_transitions(transitions: Iterable[Transition]) -> list[m.TimelineEvent]:
    """Return the changes of state; that a firing alert waits to be clear for long enough is none."""
    return [
        m.TimelineEvent(
            at=item.at, kind=item.state, text=f"{_STATES[item.state]}: {item.summary}", alert_id=item.alert_id
        )
        for item in transitions
        if item.changes_state
    ]


def of_notifications(notifications: Iterable[Notification], alert_id: str) -> list[m.TimelineEvent]:
    """Return the messages that were decided on and tell of the alert."""
    return [
        m.TimelineEvent(
            at=item.at,
            kind="notification",
            text=f"{item.channel} is to be told: {item.reason}",
            alert_id=alert_id,
            channel=item.channel,
            status=item.reason,
        )
        for item in notifications
        if any(told.alert_id == alert_id for told in item.alerts)
    ]


def of_deliveries(deliveries: Iterable[Delivery], alert_id: str) -> list[m.TimelineEvent]:
    """Return the attempts, the oldest first."""
    return [
        m.TimelineEvent(
            at=item.at,
            kind="delivery",
            text=_attempt(item),
            alert_id=alert_id,
            channel=item.channel,
            status=item.status,
        )
        for item in sorted(deliveries, key=lambda item: (item.at, item.number, item.attempt))
    ]


def of_acknowledgements(rows: Iterable[AcknowledgementRow]) -> list[m.TimelineEvent]:
    return [
        m.TimelineEvent(
            at=row.at,
            kind="acknowledgement",
            text=f"Acknowledged by {row.author}" + (f": {row.comment}" if row.comment else ""),
            alert_id=row.alert_id,
            author=row.author,
            status=row.via,
        )
        for row in rows
    ]


def of_silences(silences: Iterable[Silence], alert: Transition, labels: dict[str, str]) -> list[m.TimelineEvent]:
    """Return the silences that matched the alert while it went on."""
    touching = (item for item in silences if item.matches(labels) and item.end > alert.started_at)
    return [
        m.TimelineEvent(
            at=item.starts_at,
            kind="silence",
            text=f"Silenced by {item.author} until {item.end:%Y-%m-%d %H:%M} UTC: {item.comment}",
            alert_id=alert.alert_id,
            author=item.author,
        )
        for item in touching
        if alert.resolved_at is None or item.starts_at < alert.resolved_at
    ]


def of_notes(notes: Iterable[IncidentNoteRow]) -> list[m.TimelineEvent]:
    return [m.TimelineEvent(at=note.at, kind="note", text=note.text, author=note.author) for note in notes]


def of_evidence(evidence: Sequence[Evidence]) -> list[m.TimelineEvent]:
    """Return the deployments and experiments that were found, each once."""
    deployments = {item for each in evidence for item in each.deployments}
    experiments = {item.run_id: item for each in evidence for item in each.experiments}
    deployed = [
        m.TimelineEvent(
            at=item.at,
            kind="deployment",
            text=f"{item.service} {item.version} was deployed" + (f" in place of {item.before}" if item.before else ""),
        )
        for item in deployments
    ]
    ran = [
        m.TimelineEvent(
            at=item.started_at, kind="experiment", text=f"Experiment: {item.title}", url=f"/run?id={item.run_id}"
        )
        for item in experiments.values()
    ]
    return [*sorted(deployed, key=lambda event: (event.at, event.text)), *ran]


def _attempt(item: Delivery) -> str:
    if item.status == "sent":
        return f"Sent to {item.channel} in {item.took_ms} ms"
    verdict = "was given up" if item.status == "dead" else "failed and is tried again"
    return f"Attempt {item.attempt} to tell {item.channel} {verdict}: {item.error}"
