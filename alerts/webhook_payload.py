"""The message that channels send: Alertmanager's webhook payload, version "4".

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Whatever receives Alertmanager's
webhooks receives ours.
"""

import re
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from alerts.errors import InvalidAlert
from alerts.transition import AlertDetails, ConditionDetails, Transition, WindowDetails
from slo.wording import percent_of_target

STILL_FIRING: Final = "0001-01-01T00:00:00Z"

_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = 0x100000001B3


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


def build_payload(transition: Transition, receiver: str, external_url: str) -> WebhookPayload:
    """Return the message that tells *receiver* of *transition*; links start with *external_url*, the dashboard's.

    Raises:
        InvalidAlert: the transition is pending, which nobody is told of.
    """
    if transition.state == "pending":
        raise InvalidAlert(f"alert {transition.alert_id!r} is pending; only firing and resolved alerts are sent")
    external = external_url.rstrip("/")
    labels = _labels(transition)
    annotations = _annotations(transition, external)
    group = {name: labels[name] for name in ("alertname", "slo_id", "severity")}
    alert = WebhookAlert(
        status=transition.state,
        labels=labels,
        annotations=annotations,
        starts_at=_rfc3339(transition.started_at),
        ends_at=STILL_FIRING if transition.resolved_at is None else _rfc3339(transition.resolved_at),
        generator_url=alert_url(external, transition.alert_id),
        fingerprint=fingerprint(labels),
    )
    return WebhookPayload(
        receiver=receiver,
        status=transition.state,
        alerts=(alert,),
        group_labels=group,
        common_labels=labels,
        common_annotations=annotations,
        external_url=external,
        group_key="{}:{" + ", ".join(f'{name}="{value}"' for name, value in sorted(group.items())) + "}",
    )


def alert_url(external_url: str, alert_id: str) -> str:
    return f"{external_url}/alert?{urlencode({'id': alert_id})}"


def trace_url(external_url: str, trace_id: str) -> str:
    return f"{external_url}/trace?{urlencode({'trace': trace_id})}"


def fingerprint(labels: dict[str, str]) -> str:
    """Return the identity of a label set as Prometheus computes it: FNV-1a over names and values in order of name."""
    digest = _FNV_OFFSET
    for name, value in sorted(labels.items()):
        for byte in (*name.encode(), 0xFF, *value.encode(), 0xFF):
            digest = (digest ^ byte) * _FNV_PRIME & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def check_label_names(labels: dict[str, str]) -> dict[str, str]:
    """Return *labels* without the empty ones.

    Raises:
        InvalidAlert: a name that receivers before UTF-8 label names would refuse.
    """
    for name in labels:
        if _LABEL_NAME.fullmatch(name) is None:
            raise InvalidAlert(f"label name {name!r} must be letters, digits and _; write it with _")
    return {name: value for name, value in labels.items() if value}


def _labels(transition: Transition) -> dict[str, str]:
    """Return the alert's identity; numbers and trace ids stay out of it, or every message would be a new alert."""
    return check_label_names(
        {
            "alertname": transition.details.alert_name,
            "slo_id": transition.slo_id,
            "slo_name": transition.details.slo_name,
            "service_name": transition.service,
            "environment": transition.environment,
            "severity": transition.severity,
            "slo_window": transition.details.slo_window.window,
        }
    )


def _annotations(transition: Transition, external_url: str) -> dict[str, str]:
    details = transition.details
    traces = details.exemplar_trace_ids
    texts = {
        "summary": transition.summary,
        "alert_id": transition.alert_id,
        "objective": f"{percent_of_target(details.target)} over {details.slo_window.window}",
        "conditions": "; ".join(_condition_text(condition) for condition in details.conditions),
        "burn_rates": ", ".join(_burn_rate_texts(details)),
        "error_budget_remaining": _number(details.error_budget_remaining),
        "alert_url": alert_url(external_url, transition.alert_id),
        "exemplar_trace_ids": ",".join(traces),
        "exemplar_url": trace_url(external_url, traces[0]) if traces else "",
        "exemplar_urls": ",".join(trace_url(external_url, trace_id) for trace_id in traces),
    }
    texts |= {f"link_{number}": f"{link.title}: {link.url}" for number, link in enumerate(details.links, 1)}
    return {name: text for name, text in texts.items() if text}


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


def _rfc3339(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
