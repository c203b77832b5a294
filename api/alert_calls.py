"""The client's calls about alerts, silences and incidents."""

from datetime import datetime

from api import models as m
from api.transport import Transport, segment


class AlertCalls(Transport):
    """Typed calls; times that are None leave the choice to the server: the last 30 days."""

    def alerts(
        self,
        *,
        state: str = "",
        service: str = "",
        environment: str = "",
        severity: str = "",
        slo_id: str = "",
        since: datetime | None = None,
    ) -> list[m.Alert]:
        """Return the alerts that began or changed after *since*, newest first; "" is any."""
        return self._get(
            m.Page[m.Alert],
            "alerts",
            state=state,
            service=service,
            environment=environment,
            severity=severity,
            slo_id=slo_id,
            since=_text(since),
        ).items

    def alert(self, alert_id: str) -> m.AlertRecord:
        """Return an alert with its evidence and timeline."""
        return self._get(m.AlertRecord, f"alerts/{segment(alert_id)}")

    def acknowledge_alert(self, alert_id: str, acknowledgement: m.NewAcknowledgement) -> m.AlertRecord:
        """Take an alert on; refused for one that does not fire."""
        return self._post(m.AlertRecord, f"alerts/{segment(alert_id)}/acknowledge", acknowledgement)

    def alert_channels(self) -> list[m.AlertChannel]:
        return self._get(m.Page[m.AlertChannel], "alerts/channels").items

    def alert_deliveries(
        self, *, status: str = "", channel: str = "", alert_id: str = "", since: datetime | None = None
    ) -> list[m.AlertDelivery]:
        """Return the newest attempts to deliver messages, newest first; "" is any."""
        asked = {"status": status, "channel": channel, "alert_id": alert_id, "since": _text(since)}
        return self._get(m.Page[m.AlertDelivery], "alerts/deliveries", **asked).items

    def silences(self, *, expired: bool = False) -> list[m.Silence]:
        """Return the silences that are or will be in force, and with *expired* those that were, newest first."""
        return self._get(m.Page[m.Silence], "silences", expired=expired).items

    def add_silence(self, silence: m.NewSilence) -> m.Silence:
        return self._post(m.Silence, "silences", silence)

    def expire_silence(self, silence_id: str) -> m.Silence:
        """End a silence now, or call it off before it begins."""
        answer = self._send("POST", f"silences/{segment(silence_id)}/expire")
        return m.Silence.model_validate_json(answer.content)

    def incidents(self, *, service: str = "", environment: str = "", since: datetime | None = None) -> list[m.Incident]:
        """Return the incidents that were not over before *since*, newest first."""
        return self._get(
            m.Page[m.Incident], "incidents", service=service, environment=environment, since=_text(since)
        ).items

    def incident(self, incident_id: str) -> m.IncidentRecord:
        """Return the incident that *incident_id* opened, or that this alert is part of."""
        return self._get(m.IncidentRecord, f"incidents/{segment(incident_id)}")

    def add_incident_note(self, incident_id: str, note: m.NewIncidentNote) -> m.IncidentNote:
        return self._post(m.IncidentNote, f"incidents/{segment(incident_id)}/notes", note)

    def postmortem(self, incident_id: str) -> str:
        """Return the draft of an incident's post-mortem, in Markdown."""
        return self._send("GET", f"incidents/{segment(incident_id)}/postmortem").text

    def incident_metrics(
        self,
        *,
        service: str = "",
        environment: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[m.IncidentMetrics]:
        """Return MTTD, MTTA, MTTR and MTBF of each service over [since, until)."""
        return self._get(
            m.Page[m.IncidentMetrics],
            "incidents/metrics",
            service=service,
            environment=environment,
            since=_text(since),
            until=_text(until),
        ).items


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
