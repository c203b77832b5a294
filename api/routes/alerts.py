"""Alerts: the last transition of each episode."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from pydantic import TypeAdapter

from alerts.transition import AlertDetails, Transition
from api import models as m
from api.context import Context, Ctx
from api.problem import ProblemError
from storage.transitions import delivered_alerts, transitions

router = APIRouter(tags=["alerts"])

SHOWN_FOR = timedelta(days=30)
DETAILS = TypeAdapter(AlertDetails)


@router.get("/alerts")
def list_alerts(ctx: Ctx, state: str = "") -> m.Page[m.Alert]:
    """Return the alerts of the last 30 days, newest first."""
    if state not in {"", "pending", "firing", "resolved"}:
        raise ProblemError(422, f"state={state!r}: use pending, firing or resolved")
    found = sorted(_episodes(ctx), key=lambda alert: alert.started_at, reverse=True)
    return m.Page(items=[alert for alert in found if not state or alert.state == state])


@router.get("/alerts/{alert_id}")
def get_alert(ctx: Ctx, alert_id: str) -> m.Alert:
    found = _episodes(ctx, alert_id)
    if not found:
        raise ProblemError(404, f"no alert {alert_id!r} in the last {SHOWN_FOR.days} days")
    return found[0]


def _episodes(ctx: Context, alert_id: str = "") -> list[m.Alert]:
    since = datetime.now(UTC) - SHOWN_FOR
    last: dict[str, Transition] = {}
    for body in transitions(ctx.database, since=since, alert_id=alert_id):
        transition = Transition.from_json(body)
        last[transition.alert_id] = transition
    delivered = delivered_alerts(ctx.database, since=since)
    return [_answer(transition, transition.alert_id in delivered) for transition in last.values()]


def _answer(transition: Transition, delivered: bool) -> m.Alert:
    return m.Alert(
        id=transition.alert_id,
        slo_id=transition.slo_id,
        service=transition.service,
        environment=transition.environment,
        severity=transition.severity,
        state=transition.state,
        started_at=transition.started_at,
        resolved_at=transition.resolved_at,
        summary=transition.summary,
        exemplar_trace_ids=list(transition.details.exemplar_trace_ids),
        details=DETAILS.dump_python(transition.details, mode="json"),
        delivered=delivered,
    )
