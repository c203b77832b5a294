"""Delivery to everything else, through the apprise library: over a hundred services, named by an address each.

The library answers yes or no and logs why; what it logged is kept for the error, without the address, which is a
secret as a whole.
"""

import logging
import re
from typing import Final

import apprise

from alerts.errors import ChannelError, InvalidAlert
from alerts.facts import facts_of
from alerts.message import Message
from alerts.plain_text import cut, one_line
from alerts.rendering import Renderer

TIMEOUT_S: Final = 30.0
_SHORT: Final = 1000
_REFUSED: Final = re.compile(r"error[=: ]+(4\d\d)\b")
_WORTH_RETRYING: Final = frozenset({"408", "425", "429"})
_TYPES: Final = {
    "PAGE": apprise.NotifyType.FAILURE,
    "TICKET": apprise.NotifyType.WARNING,
    "RESOLVED": apprise.NotifyType.SUCCESS,
}


class AppriseChannel:
    """Sends messages to the service of *url*, for example "ntfy://ntfy.sh/topic".

    Raises:
        InvalidAlert: *url* names no service that the library knows.
    """

    def __init__(self, name: str, url: str, renderer: Renderer, *, timeout_s: float = TIMEOUT_S) -> None:
        self._name = name
        self._renderer = renderer
        self._timeout_s = timeout_s
        self._kind = one_line(url.partition("://")[0], 20) if "://" in url else "apprise"
        self._secrets = tuple(sorted(set(re.split(r"[:/@?&=,]+", url)), key=len, reverse=True))
        _keep_out_of_logs()
        asset = apprise.AppriseAsset(secure_logging=True, http_redirects=False, service_timeout=timeout_s)
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        if service is None:
            raise InvalidAlert(
                f"channel {name!r}: its address ({self._kind}) is none that apprise knows; "
                "see https://appriseit.com/services/ (the address is not shown, it may hold a secret)"
            )
        self._body_limit: int = service.body_maxlen
        self._title_limit: int = service.title_maxlen
        self._apprise = apprise.Apprise(asset=asset)
        self._apprise.add(service)

    @property
    def name(self) -> str:
        return self._name

    def send(self, message: Message) -> None:
        """Deliver *message*, as plain text, cut to what the service takes.

        Raises:
            ChannelError: the service did not take it.
        """
        title, body = self._texts(message)
        result = self._apprise.notify(
            body=body,
            title=title,
            notify_type=_TYPES[facts_of(message).tag],
            body_format=apprise.NotifyFormat.TEXT,
            timeout=self._timeout_s,
        )
        if not result:
            reasons = [self._without_secrets(entry.message) for entry in result.logs()]
            reason = one_line("; ".join(reasons), 300) or f"no answer within {self._timeout_s:g} s"
            raise ChannelError(f"{self._name}: {self._kind} did not deliver: {reason}", permanent=_permanent(reason))

    def _texts(self, message: Message) -> tuple[str, str]:
        title = self._renderer.title(message)
        if self._body_limit < _SHORT:
            # a text message: what is wrong, and where to read on
            links = facts_of(message).alerts[0].links
            place = next((link.url for link in links if link.title in {"Evidence", "Alert"}), "")
            space = self._body_limit - len(place) - 1
            return "", f"{cut(title, space)}\n{place}" if place and space >= 40 else cut(title, self._body_limit)
        kept = max(0, self._title_limit)
        own = cut(title, kept) if kept else title  # a service without titles gets it as the first line of the body
        return own, cut(self._renderer.body(message, "text"), self._body_limit - len(own) - 2)

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            if len(secret) > 3 and secret != self._kind:
                text = text.replace(secret, "***")
        return text


def _keep_out_of_logs() -> None:
    """Keep what the library says to itself: it names addresses, and below warnings whole requests."""
    log = logging.getLogger("apprise")
    log.setLevel(logging.WARNING)
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _permanent(reason: str) -> bool:
    """Return whether the service refused the message itself: the library tells statuses in words only."""
    found = _REFUSED.search(reason)
    return found is not None and found[1] not in _WORTH_RETRYING
