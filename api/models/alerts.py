from datetime import datetime
from typing import Any, Literal

from api.models.alert_evidence import AlertEvidence
from api.models.base import Model

AlertState = Literal["pending", "firing", "resolved"]
AlertSeverity = Literal["page", "ticket"]
AcknowledgedVia = Literal["command", "page", "link"]
DeliveryStatus = Literal["sent", "failed", "dead"]
TimelineKind = Literal[
    "pending",
    "firing",
    "resolved",
    "notification",
    "delivery",
    "acknowledgement",
    "silence",
    "note",
    "deployment",
    "experiment",
]


class Acknowledgement(Model):
    """Who took an alert on, when, and from where: a command, the dashboard's page, or the link of a message."""

    at: datetime
    author: str
    comment: str
    via: AcknowledgedVia


class NewAcknowledgement(Model):
    author: str
    comment: str = ""
    via: Literal["command", "page"] = "command"


class Alert(Model):
    """An episode of an alert, as its last transition left it.

    `rule` and `severity` name the alert over all of its episodes. `started_at` is when the condition was first met,
    `fired_at` when the alert fired, None if it has not. `acknowledgements` are the oldest first: the last one has it.
    `silenced_by` are the ids of the silences that match it now, `inhibited` says that a page of the same objective
    fires. `delivered`: some message about it reached a channel. `incident_id` is "" of an alert that never fired.
    """

    id: str
    slo_id: str
    service: str
    environment: str
    severity: AlertSeverity
    state: AlertState
    started_at: datetime
    resolved_at: datetime | None
    summary: str
    exemplar_trace_ids: list[str]
    details: dict[str, Any] = {}
    delivered: bool = False
    rule: str = ""
    fired_at: datetime | None = None
    flapping: bool = False
    labels: dict[str, str] = {}
    runbook: str = ""
    acknowledgements: list[Acknowledgement] = []
    silenced_by: list[str] = []
    inhibited: bool = False
    incident_id: str = ""


class TimelineEvent(Model):
    """Something that happened to an alert or in an incident, in one plain sentence.

    `author` is the person, for an acknowledgement or a note; `channel` and `status` ("sent", "failed", "dead" ...) are
    those of a notification or a delivery. `alert_id` is "" where it belongs to no one alert. `url` is a page of the
    dashboard, without its address, "" where there is none.
    """

    at: datetime
    kind: TimelineKind
    text: str
    alert_id: str = ""
    author: str = ""
    channel: str = ""
    status: str = ""
    url: str = ""


class AlertRecord(Alert):
    """An alert with all that is on record of it; `evidence` None: not gathered, or not yet. `timeline` oldest first.

    `evidence_url` opens the frozen page, for a day also without a token; "" while there is none. It begins with a slash
    where the API does not know under which address people reach it.
    """

    evidence: AlertEvidence | None = None
    evidence_url: str = ""
    timeline: list[TimelineEvent] = []


class AlertDelivery(Model):
    """Attempt number `attempt` (from 1) to deliver a message; `alert_ids` are those that it tells of.

    `status`: "failed" is tried again, "dead" was given up. `error` is "" of what was sent.
    """

    notification_id: str
    channel: str
    at: datetime
    attempt: int
    status: DeliveryStatus
    error: str
    took_ms: int
    alert_ids: list[str]


class AlertChannel(Model):
    """A channel of a receiver, and what the delivery log last said of it; None: never.

    An Alertmanager has no receiver, and is not in the log: it is told of all that fires, each 15 s. `configured` False:
    messages went there once, and the configuration no longer has it.
    """

    name: str
    receiver: str
    kind: str
    configured: bool = True
    last_success_at: datetime | None = None
    last_failure_at: datetime | None = None
    last_error: str = ""
