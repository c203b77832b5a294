"""What one channel is asked to tell: a group of alerts, with everything that a message may show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

from alerts.errors import InvalidAlert
from alerts.evidence import Evidence
from alerts.labels import labels_of
from alerts.transition import Transition

MessageStatus = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class MessageAlert:
    """One alert of a message. The links are absolute; "" where there is none."""

    transition: Transition
    labels: Mapping[str, str]
    evidence: Evidence | None = None
    alert_url: str = ""
    evidence_url: str = ""
    acknowledge_url: str = ""
    trace_urls: tuple[str, ...] = ()
    runbook: str = ""

    @property
    def trace_ids(self) -> tuple[str, ...]:
        """The traces that show it, the most telling first."""
        if self.evidence is not None and self.evidence.traces:
            return tuple(trace.trace_id for trace in self.evidence.traces)
        return self.transition.details.exemplar_trace_ids

    @property
    def status(self) -> MessageStatus:
        return "resolved" if self.transition.state == "resolved" else "firing"


@dataclass(frozen=True, slots=True)
class Message:
    """A notification for one receiver.

    `idempotency_key` is the same in every attempt to deliver it. `alerts` is never empty; firing ones come first,
    pages before tickets. `truncated` alerts more are not listed.
    """

    idempotency_key: str
    receiver: str
    status: MessageStatus
    group_key: str
    group_labels: Mapping[str, str]
    alerts: tuple[MessageAlert, ...]
    external_url: str = ""
    truncated: int = 0

    @property
    def firing(self) -> tuple[MessageAlert, ...]:
        return tuple(alert for alert in self.alerts if alert.status == "firing")

    @property
    def resolved(self) -> tuple[MessageAlert, ...]:
        return tuple(alert for alert in self.alerts if alert.status == "resolved")

    @property
    def common_labels(self) -> dict[str, str]:
        first, *others = (alert.labels for alert in self.alerts)
        return {name: value for name, value in first.items() if all(labels.get(name) == value for labels in others)}


@dataclass(frozen=True, slots=True)
class Links:
    """Where links of messages lead: the dashboard's pages, and what the API serves itself."""

    dashboard_url: str = ""
    api_url: str = ""

    def alert(self, alert_id: str) -> str:
        return f"{self.dashboard_url.rstrip('/')}/alert?{urlencode({'id': alert_id})}"

    def trace(self, trace_id: str, span_id: str = "") -> str:
        parameters = {"trace": trace_id} | ({"span": span_id} if span_id else {})
        return f"{self.dashboard_url.rstrip('/')}/trace?{urlencode(parameters)}"

    def evidence(self, alert_id: str, token: str = "") -> str:
        """Return the address of the frozen page; *token* opens it where the API asks for one."""
        page = f"{self.api_url.rstrip('/')}/api/v1/alerts/{quote(alert_id, safe='')}/evidence"
        return f"{page}?{urlencode({'token': token})}" if token else page

    def acknowledge(self, token: str) -> str:
        return f"{self.api_url.rstrip('/')}/api/v1/acknowledge?{urlencode({'token': token})}"


def message_of(transition: Transition, receiver: str, links: Links) -> Message:
    """Return the message that tells *receiver* of *transition* alone.

    Raises:
        InvalidAlert: the transition is pending, which nobody is told of.
    """
    if transition.state == "pending":
        raise InvalidAlert(f"alert {transition.alert_id!r} is pending; only firing and resolved alerts are sent")
    labels = labels_of(transition)
    alert = MessageAlert(
        transition,
        labels,
        alert_url=links.alert(transition.alert_id),
        trace_urls=tuple(links.trace(trace_id) for trace_id in transition.details.exemplar_trace_ids),
    )
    return Message(
        idempotency_key=transition.idempotency_key,
        receiver=receiver,
        status=alert.status,
        group_key=transition.alert_id,
        group_labels={name: labels[name] for name in ("alertname", "slo_id", "severity") if name in labels},
        alerts=(alert,),
        external_url=links.dashboard_url.rstrip("/"),
    )
