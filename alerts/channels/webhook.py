"""Delivery to an HTTP address of the user's own, as Alertmanager's webhooks are."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from alerts.address_guard import AddressGuard
from alerts.channels.http_post import TIMEOUT_S, HttpPost, utc_now
from alerts.message import Message
from alerts.webhook_payload import build_payload

SIGNATURE_HEADER: Final = "X-Ninelives-Signature"


class WebhookChannel:
    """POSTs the payload as JSON to *url*, signed with *secret* if there is one.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        secret: str = "",
        guard: AddressGuard | None = None,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._secret = secret
        self._now = now
        self._post = HttpPost(name, url, guard=guard, timeout_s=timeout_s, secrets=(secret,), now=now)

    @property
    def name(self) -> str:
        return self._name

    def send(self, message: Message) -> None:
        """Deliver *message*.

        Raises:
            ChannelError: the receiver could not be reached or did not answer 2xx.
        """
        body = build_payload(message).to_json()
        headers = {"Idempotency-Key": message.idempotency_key}
        if self._secret:
            headers[SIGNATURE_HEADER] = signature(self._secret, body, self._now())
        self._post.send(body, headers)

    def close(self) -> None:
        self._post.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def signature(secret: str, body: bytes, at: datetime) -> str:
    """Return the signature of *body*: HMAC-SHA256 over "<unix time>.<body>", so that an old one cannot be replayed."""
    time = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time},v1={digest}"
