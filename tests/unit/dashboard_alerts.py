"""What the API knows of the shop's alerts beyond the list: evidence, timeline, silences and incidents."""

from datetime import timedelta

from api import models as m
from tests.unit.dashboard_answers import ATTACK, GUILTY, TRACE_ID, alerts, now

MINUTE = timedelta(minutes=1)


def evidence() -> m.AlertEvidence:
    fired = now() - 27 * MINUTE
    return m.AlertEvidence(
        gathered_at=fired,
        start=fired - 60 * MINUTE,
        end=fired,
        summary="7.3 % of requests to checkout in prod failed in the last 5 minutes (812 of 11,123), since 14:02 UTC. "
        "93 % of the failures are charged to payments, Charge.",
        error_budget_spent=0.021,
        error_budget_remaining=0.41,
        forecasts=[
            m.EvidenceForecast(hours=1, exhausted_at=now() + timedelta(hours=51)),
            m.EvidenceForecast(hours=24, exhausted_at=None),
        ],
        traces=[
            m.EvidenceTrace(
                trace_id=TRACE_ID,
                route="POST /orders",
                started_at=fired,
                duration_ms=812.5,
                error=True,
                guilty_span_id=GUILTY,
                guilty_service="payments",
                guilty_operation=f"Charge {ATTACK}",
            )
        ],
        spenders=[
            m.EvidenceSpender(service="payments", operation="Charge", bad=755, share=0.93),
            m.EvidenceSpender(service="checkout", operation="POST /orders", bad=57, share=0.07),
        ],
        differences=[
            m.EvidenceDifference(
                attribute="service.version", value="1.8.2", share_of_bad=0.97, share_of_good=0.2, lift=4.85
            ),
            m.EvidenceDifference(
                attribute="cloud.region", value="eu-west", share_of_bad=0.4, share_of_good=0.0, lift=None
            ),
        ],
        deployments=[m.EvidenceDeployment(service="payments", version="1.8.2", before="1.8.1", at=fired - 5 * MINUTE)],
        experiments=[
            m.EvidenceExperiment(
                run_id="r-41", title="redis +300 ms", started_at=fired - 2 * MINUTE, ended_at=fired + 2 * MINUTE
            )
        ],
        logs=[
            m.EvidenceLog(
                at=fired, severity="ERROR", service="payments", body=f"card refused {ATTACK}", trace_id=TRACE_ID
            )
        ],
        past=[
            m.PastAlert(alert_id="a-0", fired_at=fired - timedelta(days=9), lasted_s=540.0, note="pool was too small"),
            m.PastAlert(alert_id="a-9", fired_at=fired - timedelta(days=30), lasted_s=None, note=""),
        ],
        owner="team shop",
        missing=["related logs of checkout: not enough time"],
    )


def record(item: m.Alert) -> m.AlertRecord:
    """Return *item* with all that is on record of it; only the firing one has evidence."""
    firing = item.state == "firing"
    at = item.started_at
    timeline = [
        m.TimelineEvent(at=at, kind="firing", text="fires: burn rate 14.2x over 1 h", alert_id=item.id),
        m.TimelineEvent(
            at=at + MINUTE, kind="delivery", text="sent to oncall/slack-1", channel="oncall/slack-1", status="sent"
        ),
        m.TimelineEvent(at=at + 3 * MINUTE, kind="acknowledgement", text=f"Ann has it {ATTACK}", author="Ann"),
    ]
    more = {
        "evidence": evidence() if firing else None,
        "evidence_url": f"https://nl.example/{item.id}/evidence?token=t" if firing else "",
        "timeline": timeline,
    }
    return m.AlertRecord.model_validate(item.model_dump() | more)


def silence() -> m.Silence:
    return m.Silence(
        id="s-1",
        state="active",
        matchers=['service_name="inventory"', 'severity="ticket"'],
        starts_at=now() - 30 * MINUTE,
        ends_at=now() + 90 * MINUTE,
        author="Ann",
        comment=f"moving racks {ATTACK}",
        created_at=now() - 30 * MINUTE,
        until_resolved=False,
        expired_at=None,
        alert_ids=["a-3"],
    )


def incident() -> m.Incident:
    began = now() - 27 * MINUTE
    return m.Incident(
        id="a-1",
        service="checkout",
        environment="prod",
        state="firing",
        title="checkout availability burns its budget",
        began_at=began,
        detected_at=began + MINUTE,
        acknowledged_at=began + 3 * MINUTE,
        resolved_at=None,
        time_to_detect_s=60.0,
        time_to_acknowledge_s=120.0,
        time_to_resolve_s=None,
        pages=1,
        tickets=1,
        alert_ids=["a-1", "a-2"],
        note_count=1,
    )


def incident_record() -> m.IncidentRecord:
    notes = [m.IncidentNote(at=now() - 20 * MINUTE, author="Ann", text="rolled 1.8.2 back")]
    members = [item for item in alerts() if item.id in ("a-1", "a-2")]
    return m.IncidentRecord.model_validate(incident().model_dump() | {"alerts": members, "notes": notes})


def incident_metrics() -> m.IncidentMetrics:
    return m.IncidentMetrics(
        service="checkout",
        environment="prod",
        start=now() - timedelta(days=30),
        end=now(),
        incidents=4,
        mttd_s=312.0,
        mtta_s=95.5,
        mttr_s=1804.0,
        mtbf_s=600_000.0,
    )
