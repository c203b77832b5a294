"""Delivery to PagerDuty: one event of its Events API v2 for each alert.

Format and limits: https://developer.pagerduty.com/docs/send-alert-event (summary 1,024 characters, event 512 kB).
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from alerts.address_guard import AddressGuard
from alerts.channels.http_post import TIMEOUT_S, HttpPost, utc_now
from alerts.errors import ChannelError
from alerts.facts import alert_facts
from alerts.message import Message, MessageAlert
from alerts.plain_text import one_line

EVENTS_URL: Final = "https://events.pagerduty.com/v2/enqueue"
SUMMARY_LIMIT: Final = 1024
_SEVERITIES: Final = {"page": "critical", "ticket": "warning"}


class PagerDutyChannel:
    """Triggers and resolves incidents of the service that *routing_key* belongs to; *url* is that of the region.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(
        self,
        name: str,
        routing_key: str,
        *,
        url: str = EVENTS_URL,
        guard: AddressGuard | None = None,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._routing_key = routing_key
        self._post = HttpPost(name, url, guard=guard, timeout_s=timeout_s, secrets=(routing_key,), now=now)

    @property
    def name(self) -> str:
        return self._name

    def send(self, message: Message) -> None:
        """Deliver *message*, one event an alert: a repetition finds the incidents that it has made already.

        Raises:
            ChannelError: PagerDuty could not be reached, which ends the attempt; or it refused an event, which
                does not keep the other events from being sent.
        """
        refused: list[ChannelError] = []
        for alert in message.alerts:
            body = json.dumps(event(alert, self._routing_key, message.external_url)).encode()
            try:
                self._post.send(body, {"Idempotency-Key": f"{message.idempotency_key}-{alert.transition.alert_id}"})
            except ChannelError as error:
                if not error.permanent:
                    raise
                refused.append(error)
        if refused:
            raise ChannelError(f"{refused[0]} ({len(refused)} of {len(message.alerts)} events)", permanent=True)

    def close(self) -> None:
        self._post.close()


def event(alert: MessageAlert, routing_key: str, client_url: str = "") -> dict[str, Any]:
    """Return the event of *alert*; its `dedup_key` is the same from the alert's first firing to its end."""
    facts = alert_facts(alert)
    identity = {"routing_key": routing_key, "dedup_key": facts.alert_id[:255]}
    if alert.status == "resolved":
        return identity | {"event_action": "resolve"}
    payload = {
        "summary": one_line(f"{facts.where}: {facts.headline}", SUMMARY_LIMIT),
        "source": facts.where,
        "severity": _SEVERITIES[facts.severity],
        "timestamp": alert.transition.started_at.isoformat(),
        "component": alert.labels.get("service_name", facts.where)[:255],
        "group": alert.labels.get("environment", "")[:255],
        "class": facts.name,
        "custom_details": {question: "\n".join(answers) for question, answers in facts.rows} | {"Labels": facts.labels},
    }
    links = [{"href": link.url, "text": link.title} for link in facts.links]
    client = {"client": "Ninelives"} | ({"client_url": client_url} if client_url else {})
    return identity | {"event_action": "trigger", "payload": payload, "links": links} | client
