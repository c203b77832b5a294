"""Posting alerts to one Alertmanager."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson

from alerts.errors import ChannelError, InvalidAlert
from alerts.peers import PostedAlert

BATCH: Final = 256
TIMEOUT_S: Final = 5.0
ROUND_S: Final = 12.0  # of one post with all its batches: the next is due after 15 s
_PATH: Final = "/api/v2/alerts"
_REASON_BYTES: Final = 1000
_KNOWN_BYTES: Final = 32 << 20
# of the content: 400 an alert makes no sense, 413 too much at once, 422 the body does not fit the API's schema
_REFUSALS: Final = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An alert that the peer does not take, and what it says."""

    alert: PostedAlert
    reason: str


class Alertmanager:
    """One peer, used by one thread at a time.

    Args:
        url: Where it is, with its path prefix if it has one, without `/api/v2`; a user and password in it are used.
        timeout_s: How long one request may wait for the network.
        clock: Seconds that never go back.

    Raises:
        InvalidAlert: *url* is no http(s) address.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = _alerts_url(url)
        self._clock = clock
        self._doubtful: set[str] = set()
        # trust_env=False: a proxy meant for the outside must not swallow messages to a local peer
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, follow_redirects=False)

    @property
    def name(self) -> str:
        """Return host, port and path prefix, which are no secret."""
        return self._url.netloc.decode() + self._url.path.removesuffix(_PATH)

    def post(self, alerts: Sequence[PostedAlert]) -> list[Refusal]:
        """Tell the peer of *alerts*; return those that it refuses.

        One bad alert has the peer refuse a request whose other alerts it may have stored or not: they are then sent
        one by one. What was refused is sent by itself from then on, so that it costs the others nothing.

        Raises:
            ChannelError: the peer did not answer or refuses everything; what it has taken by then is not known.
        """
        until = self._clock() + ROUND_S
        clean = [alert for alert in alerts if alert.fingerprint not in self._doubtful]
        batches = [clean[start : start + BATCH] for start in range(0, len(clean), BATCH)]
        batches += [[alert] for alert in alerts if alert.fingerprint in self._doubtful]
        refusals: list[Refusal] = []
        while batches:
            if self._clock() > until:
                left = sum(len(batch) for batch in batches)
                raise ChannelError(f"{self.name} is slow: {left} alerts were left after {ROUND_S:g} s", permanent=False)
            batch = batches.pop(0)
            reason = self._post(batch)
            if not reason:
                continue
            if len(batch) == 1:
                refusals.append(Refusal(batch[0], reason))
            else:
                batches = [[alert] for alert in batch] + batches
        self._doubtful = {refusal.alert.fingerprint for refusal in refusals}
        return refusals

    def fingerprints(self, alert_names: Collection[str]) -> set[str]:
        """Return the fingerprints of the alerts with one of these names that fire there.

        Raises:
            ChannelError: the peer did not answer, or not in the form of its API.
        """
        pattern = "|".join(_literal(name) for name in sorted(alert_names))
        text = self._request("GET", params={"filter": f"alertname=~{orjson.dumps(pattern).decode()}"})
        try:
            found = orjson.loads(text)
            return {alert["fingerprint"] for alert in found}
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ChannelError(f"{self.name} does not answer as an Alertmanager does", permanent=True) from error

    def close(self) -> None:
        self._http.close()

    def _post(self, batch: Sequence[PostedAlert]) -> str:
        """Post *batch*; return "", or why the peer refuses what is in it."""
        try:
            self._request("POST", content=orjson.dumps([alert.to_json() for alert in batch]))
        except orjson.JSONEncodeError as error:
            return f"it cannot be written as JSON: {error}"
        except _ContentRefused as refused:
            return str(refused)
        return ""

    def _request(self, method: str, *, params: Mapping[str, str] | None = None, content: bytes | None = None) -> bytes:
        """Return the body of the answer, of which no more than is of use is read."""
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            with self._http.stream(method, self._url, params=params, content=content, headers=headers) as answer:
                good = answer.is_success
                text = _read(answer, _KNOWN_BYTES if good and content is None else _REASON_BYTES)
                status = answer.status_code
        except httpx.HTTPError as error:
            raise ChannelError(f"cannot reach {self.name}: {error or type(error).__name__}", permanent=False) from error
        if good:
            return text
        if content is not None and status in _REFUSALS:
            raise _ContentRefused(f"{status} {_reason(text)}".strip())
        hint = "; redirects are not followed, write the final address" if 300 <= status < 400 else ""
        raise ChannelError(f"{self.name} answered {status}{hint}", permanent=400 <= status < 500)


class _ContentRefused(Exception):  # noqa: N818 - the name already says what is wrong
    """The peer answers, and does not take what was sent."""


def _alerts_url(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidAlert(f"Alertmanager {url!r} is no address ({error}); write http://host:9093") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidAlert(f"Alertmanager {url!r} must start with http:// or https:// and name a host")
    return address.copy_with(path=f"{address.path.rstrip('/')}{_PATH}", query=None, fragment=None)


def _read(answer: httpx.Response, limit: int) -> bytes:
    pieces, size = [], 0
    for piece in answer.iter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size >= limit:
            break
    return b"".join(pieces)[:limit]


def _literal(text: str) -> str:
    r"""Return the RE2 pattern of *text* itself, in which nothing needs quoting but the backslash.

    >>> _literal("Queue.Full 2")
    'Queue\\x{2e}Full 2'
    """
    return "".join(char if char.isalnum() or char in "_ " else f"\\x{{{ord(char):x}}}" for char in text)


def _reason(text: bytes) -> str:
    """Return what an error's body says in one line: Alertmanager sends a string, or an object with a message."""
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = text.decode(errors="replace")
    if isinstance(found, dict):
        found = found.get("message", found)
    return " ".join(str(found).split())[:300]
