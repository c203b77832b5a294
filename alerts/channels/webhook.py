"""Delivery to an HTTP address."""

from types import TracebackType
from typing import Final, Self

import httpx

from alerts.errors import ChannelError, InvalidAlert
from alerts.message import Message
from alerts.webhook_payload import build_payload

TIMEOUT_S: Final = 10.0
_WORTH_RETRYING: Final = frozenset({408, 425, 429})


class WebhookChannel:
    """POSTs the payload as JSON to *url*.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(self, name: str, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._name = name
        self._url = _address(name, url)
        # trust_env=False: a proxy meant for the outside must not swallow messages to a local receiver
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False)

    @property
    def name(self) -> str:
        return self._name

    def send(self, message: Message) -> None:
        """Deliver *message*.

        Raises:
            ChannelError: the receiver could not be reached or did not answer 2xx.
        """
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.idempotency_key}
        body = build_payload(message).to_json()
        try:
            # the answer's body is never read: a receiver could make it endless
            with self._http.stream("POST", self._url, content=body, headers=headers) as answer:
                self._judge(answer.status_code)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ChannelError(f"cannot reach {self._url.host}: {reason}", permanent=False) from error

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _judge(self, status: int) -> None:
        if 200 <= status < 300:
            return
        # only the host is named: the path of a webhook address is often its secret
        problem = f"{self._url.host} answered {status}"
        if 300 <= status < 400:
            raise ChannelError(f"{problem}; redirects are not followed, write the final address", permanent=True)
        raise ChannelError(problem, permanent=status < 500 and status not in _WORTH_RETRYING)


def _address(name: str, url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidAlert(f"channel {name!r}: its URL cannot be read ({error}); write https://host/path") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidAlert(f"channel {name!r}: its URL must start with http:// or https:// and name a host")
    return address
