"""The message that channels send: Alertmanager's webhook payload, version "4".

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Whatever receives Alertmanager's
webhooks receives ours.
"""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from alerts.causes import deployment_text, difference_text, experiment_text, spent_by
from alerts.evidence import Evidence
from alerts.facts import forecasts
from alerts.labels import fingerprint
from alerts.message import Message, MessageAlert
from alerts.plain_text import one_line
from alerts.transition import AlertDetails, ConditionDetails, WindowDetails
from slo.wording import percent_of_target

STILL_FIRING: Final = "0001-01-01T00:00:00Z"


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class WebhookAlert(_Model):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str
    generator_url: str = Field(validation_alias="generatorURL", serialization_alias="generatorURL")
    fingerprint: str


class WebhookPayload(_Model):
    receiver: str
    status: Literal["firing", "resolved"]
    alerts: tuple[WebhookAlert, ...]
    group_labels: dict[str, str]
    common_labels: dict[str, str]
    common_annotations: dict[str, str]
    external_url: str = Field(validation_alias="externalURL", serialization_alias="externalURL")
    version: Literal["4"] = "4"
    group_key: str
    truncated_alerts: int = 0

    def to_json(self) -> bytes:
        return self.model_dump_json().encode()


def build_payload(message: Message) -> WebhookPayload:
    """Return *message* in Alertmanager's form."""
    alerts = tuple(_alert(alert) for alert in message.alerts)
    return WebhookPayload(
        receiver=message.receiver,
        status=message.status,
        alerts=alerts,
        group_labels=dict(message.group_labels),
        common_labels=message.common_labels,
        common_annotations=_common(tuple(alert.annotations for alert in alerts)),
        external_url=message.external_url.rstrip("/"),
        group_key=message.group_key,
        truncated_alerts=message.truncated,
    )


def annotations_of(alert: MessageAlert) -> dict[str, str]:
    """Return what is told of *alert* beside its identity."""
    transition, details = alert.transition, alert.transition.details
    texts = {
        "summary": transition.summary,
        "alert_id": transition.alert_id,
        "objective": _objective(details),
        "conditions": "; ".join(_condition_text(condition) for condition in details.conditions),
        "burn_rates": ", ".join(_burn_rate_texts(details)),
        "error_budget_remaining": _number(details.error_budget_remaining),
        "alert_url": alert.alert_url,
        "evidence_url": alert.evidence_url,
        "acknowledge_url": alert.acknowledge_url,
        "runbook_url": alert.runbook,
        "exemplar_trace_ids": ",".join(alert.trace_ids),
        "exemplar_url": alert.trace_urls[0] if alert.trace_urls else "",
        "exemplar_urls": ",".join(alert.trace_urls),
    }
    texts |= _evidence_texts(alert.evidence)
    others = (link for link in details.links if link.url != alert.runbook)
    texts |= {f"link_{number}": f"{link.title}: {link.url}" for number, link in enumerate(others, 1)}
    return {name: text for name, text in texts.items() if text}


def _evidence_texts(evidence: Evidence | None) -> dict[str, str]:
    if evidence is None:
        return {}
    return {
        "evidence_summary": one_line(evidence.summary, 500),
        "error_budget_spent": _number(evidence.error_budget_spent),
        "spent_by": "; ".join(spent_by(evidence)),
        "top_difference": "".join(difference_text(difference) for difference in evidence.differences[:1]),
        "deployments": "; ".join(deployment_text(deployment) for deployment in evidence.deployments[:5]),
        "experiments": "; ".join(experiment_text(experiment) for experiment in evidence.experiments[:5]),
        "forecast": "; ".join(forecasts(evidence)),
        "owner": one_line(evidence.owner),
    }


def _alert(alert: MessageAlert) -> WebhookAlert:
    transition, labels = alert.transition, dict(alert.labels)
    return WebhookAlert(
        status=alert.status,
        labels=labels,
        annotations=annotations_of(alert),
        starts_at=rfc3339(transition.started_at),
        ends_at=STILL_FIRING if transition.resolved_at is None else rfc3339(transition.resolved_at),
        generator_url=alert.alert_url,
        fingerprint=fingerprint(labels),
    )


def _common(annotations: tuple[dict[str, str], ...]) -> dict[str, str]:
    first, *others = annotations
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}


def _objective(details: AlertDetails) -> str:
    if details.target is None or details.slo_window is None:
        return ""
    return f"{percent_of_target(details.target)} over {details.slo_window.window}"


def _condition_text(condition: ConditionDetails) -> str:
    windows = f"{_events_text(condition.long)} and {_events_text(condition.short)}"
    return f"burn rate above {condition.factor:g} {'met' if condition.met else 'not met'}: {windows}"


def _events_text(window: WindowDetails) -> str:
    return f"{window.bad} bad of {window.total} in {window.window}"


def _burn_rate_texts(details: AlertDetails) -> list[str]:
    windows = [window for condition in details.conditions for window in (condition.long, condition.short)]
    rates = {window.window: window.burn_rate for window in windows}
    return [f"{window} {_number(rate)}" for window, rate in rates.items() if rate is not None]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def rfc3339(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
