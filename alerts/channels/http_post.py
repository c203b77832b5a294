"""POSTing a message over HTTP, and what the answer means: shared by the channels that do."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, unquote

import httpx

from alerts.address_guard import AddressGuard, ForbiddenAddress, GuardedTransport, UnknownHost
from alerts.channels.deadline import Deadline
from alerts.errors import ChannelError, InvalidAlert
from alerts.plain_text import one_line

TIMEOUT_S: Final = 10.0
ANSWER_LIMIT: Final = 1024
_WORTH_RETRYING: Final = frozenset({408, 425, 429})
_LONGEST_WAIT_S: Final = 86_400.0
_HIDDEN: Final = "***"
_SECRET_LENGTH: Final = 6


def utc_now() -> datetime:
    return datetime.now(UTC)


class HttpPost:
    """POSTs bodies to *url* on behalf of the channel *name*.

    Errors name the channel and the host, never the path, nor any of *secrets*. A conversation ends after *timeout_s*.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        guard: AddressGuard | None = None,
        timeout_s: float = TIMEOUT_S,
        secrets: Iterable[str] = (),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._url = _address(name, url)
        self._timeout_s = timeout_s
        self._secrets = (*(secret for secret in secrets if secret), *_secret_parts(self._url))
        self._now = now
        # a client would log whole addresses, follow what it is told to, and ask the environment for proxies
        self._transport = GuardedTransport(guard or AddressGuard())

    @property
    def host(self) -> str:
        return self._url.host

    def send(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """POST *body* as JSON; return when the receiver has accepted it with 2xx.

        Raises:
            ChannelError: it has not; permanent if it never will.
        """
        # an answer that is not compressed cannot grow while it is read
        sent = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "ninelives"}
        with Deadline(self._timeout_s) as deadline:
            request = httpx.Request(
                "POST",
                self._url,
                content=body,
                headers=sent | _authorization(self._url) | dict(headers or {}),
                extensions={"trace": deadline.trace, "timeout": httpx.Timeout(self._timeout_s).as_dict()},
            )
            try:
                with closing(self._transport.handle_request(request)) as answer:
                    self._judge(answer)
            except ForbiddenAddress as error:
                raise ChannelError(f"{self._name}: {error}", permanent=True) from error
            except (httpx.HTTPError, UnknownHost, OSError) as error:
                reason = f"no answer within {self._timeout_s:g} s" if deadline.passed else self._reason(error)
                raise ChannelError(f"{self._name}: cannot reach {self.host}: {reason}", permanent=False) from None

    def close(self) -> None:
        self._transport.close()

    def _judge(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if 200 <= status < 300:
            return
        problem = f"{self._name}: {self.host} answered {status}"
        if 300 <= status < 400:
            raise ChannelError(f"{problem}; redirects are not followed, write the final address", permanent=True)
        if status >= 500 or status in _WORTH_RETRYING:
            wait = retry_after_s(answer.headers.get("Retry-After", ""), self._now())
            raise ChannelError(problem, permanent=False, retry_after_s=wait)
        said = self._without_secrets(_beginning(answer))
        raise ChannelError(f"{problem}: {said}" if said else problem, permanent=True)

    def _reason(self, error: Exception) -> str:
        return self._without_secrets(str(error)) or type(error).__name__

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return one_line(text, 200)


def retry_after_s(header: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, at most a day, None where it says nothing.

    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> retry_after_s("120", noon), retry_after_s("Sun, 01 Mar 2026 12:01:00 GMT", noon), retry_after_s("soon", noon)
    (120.0, 60.0, None)
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT_S)


def _beginning(answer: httpx.Response) -> str:
    """Return the first kilobyte of the body at most: a receiver could make it endless."""
    read = b""
    try:
        for chunk in answer.iter_raw():
            read += chunk
            if len(read) >= ANSWER_LIMIT:
                break
    except httpx.HTTPError:
        pass  # the status has said what matters
    return read[:ANSWER_LIMIT].decode("utf-8", "replace")


def _authorization(url: httpx.URL) -> dict[str, str]:
    if not url.userinfo:
        return {}
    login = b64encode(f"{url.username}:{url.password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {login}"}


def _secret_parts(url: httpx.URL) -> tuple[str, ...]:
    """Return what of *url* may be a secret: its path, query and login, whole and in parts, encoded and decoded."""
    encoded = (url.raw_path.decode("ascii"), url.userinfo.decode("ascii"), quote(url.password))
    whole = (*encoded, *(unquote(text) for text in encoded))
    parts = {part for text in whole for part in re.split(r"[/?&=:]", text) if len(part) >= _SECRET_LENGTH}
    return (*(text for text in whole if len(text) > 1), *sorted(parts, key=len, reverse=True))


def _address(name: str, url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidAlert(f"channel {name!r}: its URL cannot be read ({error}); write https://host/path") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidAlert(f"channel {name!r}: its URL must start with http:// or https:// and name a host")
    return address
