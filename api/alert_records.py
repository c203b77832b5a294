"""Alerts with what people and channels did about them: what answers are made of, read at one moment."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from pydantic import TypeAdapter

from alerts.incident import Incident, incidents_of
from alerts.labels import readable_labels
from alerts.silence import Silence
from alerts.transition import AlertDetails, Transition, readable
from api import models as m
from api.context import Context
from api.silence_answer import stored_silences
from storage.acknowledgements import AcknowledgementRow, acknowledgements
from storage.alert_episodes import episodes
from storage.alert_evidence import exemplar_traces_of
from storage.delivery_attempts import delivered_alerts
from storage.incident_notes import IncidentNoteRow, incident_notes

SHOWN_FOR: Final = timedelta(days=30)
# an incident that began longer ago than this before the time asked for is seen without its beginning
LONGEST_INCIDENT: Final = timedelta(days=30)
_DETAILS: Final = TypeAdapter(AlertDetails)


@dataclass(frozen=True)
class AlertRecords:
    """The episodes that changed since a time or have not ended, by alert id, and what is known of them at `now`.

    `silences` are those in force at `now`, `runbooks` those of objectives, by id, and `exemplars` the traces in the
    evidence of alerts.
    """

    now: datetime
    episodes: Mapping[str, Transition]
    acknowledgements: Mapping[str, list[AcknowledgementRow]]
    notes: Mapping[str, list[IncidentNoteRow]]
    silences: tuple[Silence, ...]
    delivered: frozenset[str]
    runbooks: Mapping[str, str]
    exemplars: Mapping[str, list[str]]

    @cached_property
    def incidents(self) -> list[Incident]:
        """The incidents that the episodes make, in the order in which they were detected."""
        first = {alert_id: min(row.at for row in rows) for alert_id, rows in self.acknowledgements.items()}
        return incidents_of(self.episodes.values(), first)

    @cached_property
    def homes(self) -> dict[str, Incident]:
        """The incident of each alert that has fired, by alert id."""
        return {alert.alert_id: incident for incident in self.incidents for alert in incident.alerts}

    @cached_property
    def open_labels(self) -> dict[str, dict[str, str]]:
        """The labels of the alerts that have not ended, by alert id."""
        return {key: readable_labels(alert) for key, alert in self.episodes.items() if alert.state != "resolved"}

    @cached_property
    def paging(self) -> frozenset[str]:
        """The objectives of which a page fires: their tickets are held back."""
        firing = (alert for alert in self.episodes.values() if alert.state == "firing" and alert.severity == "page")
        return frozenset(alert.slo_id for alert in firing if alert.slo_id)

    def answer(self, alert: Transition) -> m.Alert:
        """Return what the API tells of the episode whose last transition is *alert*."""
        home = self.homes.get(alert.alert_id)
        labels = self.open_labels.get(alert.alert_id)
        return m.Alert(
            id=alert.alert_id,
            rule=alert.rule,
            slo_id=alert.slo_id,
            service=alert.service,
            environment=alert.environment,
            severity=alert.severity,
            state=alert.state,
            started_at=alert.started_at,
            fired_at=alert.fired_at,
            resolved_at=alert.resolved_at,
            summary=alert.summary,
            flapping=alert.flapping,
            labels=readable_labels(alert) if labels is None else labels,
            runbook=self.runbook(alert),
            exemplar_trace_ids=self.exemplars.get(alert.alert_id, list(alert.details.exemplar_trace_ids)),
            details=_DETAILS.dump_python(alert.details, mode="json"),
            delivered=alert.alert_id in self.delivered,
            acknowledgements=[
                m.Acknowledgement.model_validate(row, from_attributes=True)
                for row in self.acknowledgements.get(alert.alert_id, [])
            ],
            silenced_by=[] if labels is None else [item.id for item in self.silences if item.matches(labels)],
            inhibited=alert.state == "firing" and alert.severity == "ticket" and alert.slo_id in self.paging,
            incident_id="" if home is None else home.id,
        )

    def runbook(self, alert: Transition) -> str:
        """Return the runbook that the rule of *alert* names, else that of its objective, "" without one."""
        return alert.details.runbook or self.runbooks.get(alert.slo_id, "")


def read_alerts(ctx: Context, since: datetime, now: datetime) -> AlertRecords:
    """Return the alerts that changed since *since* or have not ended, and enough before for whole incidents."""
    begin = since - LONGEST_INCIDENT
    found = readable(episodes(ctx.database, since=begin))
    oldest = min([begin, *(alert.started_at for alert in found)])
    taken: defaultdict[str, list[AcknowledgementRow]] = defaultdict(list)
    for row in acknowledgements(ctx.database, since=oldest):
        taken[row.alert_id].append(row)
    notes: defaultdict[str, list[IncidentNoteRow]] = defaultdict(list)
    for note in incident_notes(ctx.database, since=oldest):
        notes[note.incident_id].append(note)
    silences = stored_silences(ctx.database, since=now)
    slos = ctx.catalog.load(ctx.database, now).slos
    return AlertRecords(
        now=now,
        episodes={alert.alert_id: alert for alert in found},
        acknowledgements=taken,
        notes=notes,
        silences=tuple(item for item in silences if item.active(now)),
        delivered=frozenset(delivered_alerts(ctx.database, since=oldest)),
        runbooks={slo.id: slo.runbook for slo in slos.values() if slo.runbook},
        exemplars=exemplar_traces_of(ctx.database, [alert.alert_id for alert in found]),
    )
