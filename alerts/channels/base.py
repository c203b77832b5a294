"""What every channel can do."""

from typing import Protocol

from alerts.webhook_payload import WebhookPayload


class Channel(Protocol):
    """A way to tell someone. Its name is the receiver in messages and the key of its deliveries."""

    @property
    def name(self) -> str: ...

    def send(self, payload: WebhookPayload, idempotency_key: str) -> None:
        """Deliver *payload* or raise; a repeated *idempotency_key* means that the message may have arrived already.

        Raises:
            ChannelError: not delivered; `permanent` says whether to try again.
        """
