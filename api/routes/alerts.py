"""Alerts: the last transition of each episode, what is known of its cause, and who took it on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final, cast, get_args

from fastapi import APIRouter, Query

from alerts.acknowledgement import Acknowledgement
from alerts.errors import AlertError
from alerts.evidence import Evidence
from alerts.labels import readable_labels
from alerts.message import Links
from alerts.notification import Notification
from alerts.transition import Transition
from api import alert_timeline as timeline
from api import models as m
from api.alert_records import SHOWN_FOR, AlertRecords, read_alerts
from api.context import Context, Ctx
from api.problem import ProblemError
from api.silence_answer import stored_silences
from api.window import since_of
from storage.acknowledgements import AcknowledgementRow, acknowledge
from storage.alert_evidence import evidence
from storage.channel_health import ChannelHealth, channel_health
from storage.delivery_attempts import Delivery, delivery_log
from storage.notifications import notifications
from storage.transitions import transitions

router = APIRouter(tags=["alerts"])

MOST_DELIVERIES: Final = 1000
BEGINNING = datetime.fromtimestamp(0, UTC)


@router.get("/alerts")
def list_alerts(
    ctx: Ctx,
    state: str = "",
    service: str = "",
    environment: str = "",
    severity: str = "",
    slo_id: str = "",
    since: datetime | None = None,
) -> m.Page[m.Alert]:
    """Return the alerts that changed since *since* (30 days ago), and those that have not ended, newest first."""
    _one_of("state", state, get_args(m.AlertState))
    _one_of("severity", severity, ("page", "ticket"))
    now = datetime.now(UTC)
    begin = since_of(since, now, SHOWN_FOR)
    asked = {"state": state, "service": service, "environment": environment, "severity": severity, "slo_id": slo_id}
    records = read_alerts(ctx, begin, now)
    found = [
        alert
        for alert in records.episodes.values()
        if (alert.at >= begin or alert.state != "resolved")
        and all(not value or getattr(alert, name) == value for name, value in asked.items())
    ]
    newest_first = sorted(found, key=lambda alert: (alert.started_at, alert.alert_id), reverse=True)
    return m.Page(items=[records.answer(alert) for alert in newest_first])


# registered before the routes of one alert: "channels" and "deliveries" would be taken for its id
@router.get("/alerts/channels")
def list_channels(ctx: Ctx) -> m.Page[m.AlertChannel]:
    """Return the configured channels by receiver, and those that messages once went to; no address, no secret."""
    known = channel_health(ctx.database)
    configured = {name: receiver for receiver, names in ctx.channels().items() for name in names}
    gone = {name: name.rpartition("/")[0] for name in sorted(known.keys() - configured.keys())}
    return m.Page(
        items=[
            *(_channel(name, receiver, known, configured=True) for name, receiver in configured.items()),
            *(_channel(name, receiver, known, configured=False) for name, receiver in gone.items()),
        ]
    )


@router.get("/alerts/deliveries")
def list_deliveries(
    ctx: Ctx,
    status: str = "",
    channel: str = "",
    alert_id: str = "",
    since: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES)] = MOST_DELIVERIES,
) -> m.Page[m.AlertDelivery]:
    """Return the newest attempts to deliver messages since *since* (30 days ago), newest first."""
    _one_of("status", status, get_args(m.DeliveryStatus))
    begin = since_of(since, datetime.now(UTC), SHOWN_FOR)
    found = delivery_log(ctx.database, since=begin, alert_id=alert_id, channel=channel, status=status, limit=limit)
    return m.Page(items=[_delivery(item) for item in found])


@router.get("/alerts/{alert_id}")
def get_alert(ctx: Ctx, alert_id: str) -> m.AlertRecord:
    """Return an alert with its evidence and everything that happened to it."""
    past, records = _past(ctx, alert_id)
    return _record(ctx, past, records)


@router.post("/alerts/{alert_id}/acknowledge")
def acknowledge_alert(ctx: Ctx, alert_id: str, asked: m.NewAcknowledgement) -> m.AlertRecord:
    """Take an alert on while it fires: nobody is reminded of it any more. The last to do so has it."""
    past, _ = _past(ctx, alert_id)
    last = past[-1]
    if last.state == "resolved":
        raise ProblemError(
            409,
            f"alert {alert_id!r} resolved at {last.at.isoformat()}, there is nothing left to take on; "
            "write a note on its incident instead",
        )
    if last.state == "pending":
        raise ProblemError(409, f"alert {alert_id!r} is pending, nobody was told of it; acknowledge it once it fires")
    try:
        taken = Acknowledgement(alert_id, datetime.now(UTC), asked.author, asked.comment, asked.via)
    except AlertError as error:
        raise ProblemError(422, str(error)) from error
    acknowledge(ctx.database, AcknowledgementRow(taken.alert_id, taken.at, taken.author, taken.comment, taken.via))
    return _record(ctx, *_past(ctx, alert_id))


def _past(ctx: Context, alert_id: str) -> tuple[list[Transition], AlertRecords]:
    """Return the transitions of an alert, oldest first, and the records of its time."""
    past = [Transition.from_json(body) for body in transitions(ctx.database, since=BEGINNING, alert_id=alert_id)]
    if not alert_id or not past:
        raise ProblemError(404, f"no alert {alert_id!r}; GET /api/v1/alerts lists them")
    return past, read_alerts(ctx, past[-1].started_at, datetime.now(UTC))


def _record(ctx: Context, past: list[Transition], records: AlertRecords) -> m.AlertRecord:
    last = past[-1]
    stored = evidence(ctx.database, last.alert_id)
    found = None if stored is None else Evidence.from_json(stored[0])
    told = [Notification.from_json(body) for body in notifications(ctx.database, since=last.started_at)]
    alert = records.answer(last)
    events = timeline.in_order(
        timeline.of_evidence([] if found is None else [found]),
        timeline.of_transitions(past),
        timeline.of_silences(stored_silences(ctx.database, since=last.started_at), last, readable_labels(last)),
        timeline.of_notifications(told, last.alert_id),
        timeline.of_deliveries(
            delivery_log(ctx.database, since=last.started_at, alert_id=last.alert_id), last.alert_id
        ),
        timeline.of_acknowledgements(records.acknowledgements.get(last.alert_id, [])),
        timeline.of_notes(records.notes.get(alert.incident_id, [])),
    )
    fields = alert.model_dump() | {"runbook": alert.runbook or ("" if found is None else found.runbook)}
    shown = None if found is None else m.AlertEvidence.model_validate(found, from_attributes=True)
    url = "" if found is None else _evidence_url(ctx, last.alert_id, records.now)
    return m.AlertRecord(**fields, evidence=shown, evidence_url=url, timeline=events)


def _evidence_url(ctx: Context, alert_id: str, now: datetime) -> str:
    """Return the address of the frozen page, signed where tokens are asked for: a browser cannot send one."""
    # by the hour: an address that changed with every look could not be compared, or opened twice
    hour = now.replace(minute=0, second=0, microsecond=0)
    token = "" if ctx.links is None or ctx.tokens is None else ctx.links.sign_at("view", alert_id, hour)
    return Links(api_url=ctx.public_url).evidence(alert_id, token)


def _delivery(item: Delivery) -> m.AlertDelivery:
    return m.AlertDelivery(
        notification_id=item.notification_id,
        channel=item.channel,
        at=item.at,
        attempt=item.attempt,
        status=cast("m.DeliveryStatus", item.status),
        error=item.error,
        took_ms=item.took_ms,
        alert_ids=[*item.firing, *item.resolved],
    )


def _channel(name: str, receiver: str, known: Mapping[str, ChannelHealth], *, configured: bool) -> m.AlertChannel:
    kind = name.rpartition("/")[2].rpartition("-")[0]
    last = known.get(name, ChannelHealth(name, None, None, ""))
    return m.AlertChannel(
        name=name,
        receiver=receiver,
        kind=kind,
        configured=configured,
        last_success_at=last.last_success_at,
        last_failure_at=last.last_failure_at,
        last_error=last.last_error,
    )


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value and value not in known:
        raise ProblemError(422, f"{name}={value!r}: use {', '.join(known[:-1])} or {known[-1]}")
