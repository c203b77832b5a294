"""Incidents: what alerts of one service and time have in common, what people wrote, and how fast they were."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from fastapi import APIRouter, Response

from alerts.errors import InvalidAlert
from alerts.evidence import Evidence
from alerts.incident import Incident, IncidentMetrics, incident_metrics
from alerts.message import Links
from alerts.postmortem import Happening, postmortem
from alerts.transition import Transition
from api import alert_timeline as timeline
from api import models as m
from api.alert_records import LONGEST_INCIDENT, SHOWN_FOR, AlertRecords, read_alerts
from api.context import Context, Ctx
from api.incident_impact import impacts
from api.problem import ProblemError
from api.window import since_of, utc
from storage.alert_evidence import evidence_bodies
from storage.incident_notes import IncidentNoteRow, add_incident_note
from storage.transitions import transitions

router = APIRouter(tags=["incidents"])

BEGINNING = datetime.fromtimestamp(0, UTC)
LONGEST_NOTE = 10_000
LONGEST_AUTHOR = 200
MOST_EVIDENCE = 100


@router.get("/incidents")
def list_incidents(
    ctx: Ctx, service: str = "", environment: str = "", since: datetime | None = None
) -> m.Page[m.Incident]:
    """Return the incidents that were not over before *since* (30 days ago), the newest first."""
    now = datetime.now(UTC)
    begin = since_of(since, now, SHOWN_FOR)
    records = read_alerts(ctx, begin, now)
    found = [
        incident
        for incident in _of(records, service, environment)
        if incident.resolved_at is None or incident.resolved_at >= begin
    ]
    return m.Page(items=[_answer(incident, records) for incident in reversed(found)])


# registered before the routes of one incident: "metrics" would be taken for its id
@router.get("/incidents/metrics")
def get_metrics(
    ctx: Ctx,
    service: str = "",
    environment: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> m.Page[m.IncidentMetrics]:
    """Return MTTD, MTTA, MTTR and MTBF of each service with incidents that began in [since, until), by name.

    Without *since* it is the last 30 days before *until*, without *until* up to now.
    """
    now = datetime.now(UTC)
    end = now if until is None else min(utc(until), now)
    start = since_of(since, now, now - end + SHOWN_FOR)
    groups: defaultdict[tuple[str, str], list[Incident]] = defaultdict(list)
    for incident in _of(read_alerts(ctx, start, now), service, environment):
        groups[incident.service, incident.environment].append(incident)
    try:
        found = [(key, incident_metrics(incidents, start, end)) for key, incidents in sorted(groups.items())]
        none = incident_metrics([], start, end)
    except InvalidAlert as error:
        raise ProblemError(422, f"since and until: {error}") from error
    shown = [(key, metrics) for key, metrics in found if metrics.incidents]
    if service and not shown:
        shown = [((service, environment), none)]
    return m.Page(items=[_metrics(key, metrics, start, end) for key, metrics in shown])


@router.get("/incidents/{incident_id}")
def get_incident(ctx: Ctx, incident_id: str) -> m.IncidentRecord:
    """Return the incident that an alert opened, or is part of, with its alerts, notes and timeline."""
    incident, records = _find(ctx, incident_id)
    notes = [m.IncidentNote.model_validate(row, from_attributes=True) for row in records.notes.get(incident.id, [])]
    return m.IncidentRecord(
        **_answer(incident, records).model_dump(),
        alerts=[records.answer(alert) for alert in incident.alerts],
        notes=notes,
        timeline=_timeline(ctx, incident, records, _evidence(ctx, incident)),
    )


@router.post("/incidents/{incident_id}/notes", status_code=201)
def post_note(ctx: Ctx, incident_id: str, asked: m.NewIncidentNote) -> m.IncidentNote:
    """Write a note on an incident, also on one that is over."""
    for name, value, longest in (("author", asked.author, LONGEST_AUTHOR), ("text", asked.text, LONGEST_NOTE)):
        if not value.strip():
            raise ProblemError(422, f"{name} is empty; write {'who notes it' if name == 'author' else 'the note'}")
        if len(value) > longest:
            raise ProblemError(422, f"{name} has {len(value)} characters, more than {longest}; write less, or a link")
    incident, _ = _find(ctx, incident_id)
    now = datetime.now(UTC)
    note = IncidentNoteRow(
        incident.id, now.replace(microsecond=now.microsecond // 1000 * 1000), asked.author, asked.text
    )
    add_incident_note(ctx.database, note)
    return m.IncidentNote.model_validate(note, from_attributes=True)


@router.get("/incidents/{incident_id}/postmortem")
def get_postmortem(ctx: Ctx, incident_id: str) -> Response:
    """Return the draft of a post-mortem in Markdown, with links to the pinned traces."""
    incident, records = _find(ctx, incident_id)
    found = _evidence(ctx, incident)
    happened = [Happening(event.at, event.text, event.author) for event in _timeline(ctx, incident, records, found)]
    cost = impacts(ctx, incident, found, datetime.now(UTC))
    links = Links(dashboard_url=ctx.addresses.get("dashboard", ""))
    return Response(postmortem(incident, happened, cost, found, links), media_type="text/markdown; charset=utf-8")


def _of(records: AlertRecords, service: str, environment: str) -> list[Incident]:
    return [
        incident
        for incident in records.incidents
        if (not service or incident.service == service) and (not environment or incident.environment == environment)
    ]


def _find(ctx: Context, incident_id: str) -> tuple[Incident, AlertRecords]:
    past = [Transition.from_json(body) for body in transitions(ctx.database, since=BEGINNING, alert_id=incident_id)]
    if not incident_id or not past:
        raise ProblemError(404, f"no incident {incident_id!r}; GET /api/v1/incidents lists them")
    records = read_alerts(ctx, past[0].started_at, datetime.now(UTC))
    if incident_id not in records.homes:
        raise ProblemError(404, f"alert {incident_id!r} never fired, so it is part of no incident")
    return records.homes[incident_id], records


def _evidence(ctx: Context, incident: Incident) -> list[Evidence]:
    """Return the evidence of its first alerts that have any; what repeats a hundred times says nothing new."""
    wanted = [alert.alert_id for alert in incident.alerts[:MOST_EVIDENCE]]
    bodies = evidence_bodies(ctx.database, wanted)
    return [Evidence.from_json(bodies[alert_id]) for alert_id in wanted if alert_id in bodies]


def _timeline(ctx: Context, incident: Incident, records: AlertRecords, found: list[Evidence]) -> list[m.TimelineEvent]:
    """Return what happened, without messages: those are told by alert."""
    members = {alert.alert_id for alert in incident.alerts}
    bodies = transitions(ctx.database, since=incident.began_at - LONGEST_INCIDENT)
    changes = [item for item in map(Transition.from_json, bodies) if item.alert_id in members]
    taken = [row for alert_id in sorted(members) for row in records.acknowledgements.get(alert_id, [])]
    return timeline.in_order(
        timeline.of_evidence(found),
        timeline.of_transitions(changes),
        timeline.of_acknowledgements(taken),
        timeline.of_notes(records.notes.get(incident.id, [])),
    )


def _answer(incident: Incident, records: AlertRecords) -> m.Incident:
    return m.Incident(
        id=incident.id,
        service=incident.service,
        environment=incident.environment,
        state=incident.state,
        title=incident.title,
        began_at=incident.began_at,
        detected_at=incident.detected_at,
        acknowledged_at=incident.acknowledged_at,
        resolved_at=incident.resolved_at,
        time_to_detect_s=incident.time_to_detect.total_seconds(),
        time_to_acknowledge_s=_seconds(incident.time_to_acknowledge),
        time_to_resolve_s=_seconds(incident.time_to_resolve),
        pages=incident.pages,
        tickets=incident.tickets,
        alert_ids=[alert.alert_id for alert in incident.alerts],
        note_count=len(records.notes.get(incident.id, [])),
    )


def _metrics(key: tuple[str, str], found: IncidentMetrics, start: datetime, end: datetime) -> m.IncidentMetrics:
    service, environment = key
    return m.IncidentMetrics(
        service=service,
        environment=environment,
        start=start,
        end=end,
        incidents=found.incidents,
        mttd_s=_number(found.mttd_s),
        mtta_s=_number(found.mtta_s),
        mttr_s=_number(found.mttr_s),
        mtbf_s=_number(found.mtbf_s),
    )


def _seconds(taken: timedelta | None) -> float | None:
    return None if taken is None else taken.total_seconds()


def _number(mean: Fraction | None) -> float | None:
    return None if mean is None else float(mean)
