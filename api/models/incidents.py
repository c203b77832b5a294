from datetime import datetime
from typing import Literal

from api.models.alerts import Alert, TimelineEvent
from api.models.base import Model


class IncidentNote(Model):
    at: datetime
    author: str
    text: str


class NewIncidentNote(Model):
    author: str
    text: str


class Incident(Model):
    """Alerts of one service and environment whose times touch; `id` is that of the alert that opened it.

    `began_at` is when the first condition was met, `detected_at` when the first alert fired, `acknowledged_at` when
    somebody first took one on, `resolved_at` when the last alert ended; None: not yet. The times in seconds are
    detected - began, acknowledged - detected, and resolved - detected. `title` is the name of the
    objective or rule that opened it.
    """

    id: str
    service: str
    environment: str
    state: Literal["firing", "resolved"]
    title: str
    began_at: datetime
    detected_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    time_to_detect_s: float
    time_to_acknowledge_s: float | None
    time_to_resolve_s: float | None
    pages: int
    tickets: int
    alert_ids: list[str]
    note_count: int = 0


class IncidentRecord(Incident):
    """An incident with its alerts, notes and timeline, oldest first."""

    alerts: list[Alert] = []
    notes: list[IncidentNote] = []
    timeline: list[TimelineEvent] = []


class IncidentMetrics(Model):
    """Of the `incidents` of a service and environment that began in [start, end), mean times in seconds.

    MTTD = detected - began, MTTA = acknowledged - detected, MTTR = resolved - detected, MTBF = from one beginning to
    the next. Each is None where nothing can be averaged: MTBF needs two incidents, MTTR one that is resolved.
    """

    service: str
    environment: str
    start: datetime
    end: datetime
    incidents: int
    mttd_s: float | None
    mtta_s: float | None
    mttr_s: float | None
    mtbf_s: float | None
