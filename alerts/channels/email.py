"""Delivery by e-mail: plain text and HTML in one message, threaded by group."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from typing import Final

from alerts.channels.http_post import utc_now
from alerts.channels.smtp import TIMEOUT_S, Smarthost, deliver
from alerts.errors import ChannelError, InvalidAlert
from alerts.message import Message
from alerts.plain_text import cut, one_line
from alerts.rendering import Renderer

SUBJECT_LIMIT: Final = 200
TEXT_LIMIT: Final = 200_000
_REMEMBERED: Final = 1000


class EmailChannel:
    """Sends a message to every address of *to* through *smarthost*.

    A message that some recipients got and others may get later is repeated for the others alone.

    Raises:
        InvalidAlert: an address is none.
    """

    def __init__(
        self,
        name: str,
        to: Sequence[str],
        sender: str,
        smarthost: Smarthost,
        renderer: Renderer,
        *,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._name = name
        self._to = tuple(_addresses(name, to))
        self._sender = _addresses(name, [sender])[0]
        self._smarthost = smarthost
        self._renderer = renderer
        self._timeout_s = timeout_s
        self._now = now
        self._left: dict[str, tuple[str, ...]] = {}

    @property
    def name(self) -> str:
        return self._name

    def send(self, message: Message) -> None:
        """Deliver *message*.

        Raises:
            ChannelError: the server could not be reached, or refused it for at least one recipient.
        """
        mail = self.mail(message)
        recipients = self._left.get(message.idempotency_key, self._to)
        refused = deliver(self._name, self._smarthost, mail, recipients, timeout_s=self._timeout_s)
        later = tuple(who for who, error in refused.items() if not error.permanent)
        self._remember(message.idempotency_key, later)
        if refused:
            words = "; ".join(str(error) for error in refused.values())
            raise ChannelError(one_line(f"{words}; the other recipients have it", 500), permanent=not later)

    def mail(self, message: Message) -> EmailMessage:
        """Return the e-mail, the same in every attempt but for its date."""
        domain = self._sender.rpartition("@")[2]
        mail = EmailMessage()
        mail["Subject"] = one_line(self._renderer.title(message), SUBJECT_LIMIT)
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = f"<{_word(message.idempotency_key)}@{domain}>"
        # nobody has sent the message that all of a group answer to: so the first needs not be known to be answered
        thread = f"<group-{_word(self._name + message.group_key)}@{domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Idempotency-Key"] = one_line(message.idempotency_key)
        mail.set_content(cut(self._renderer.body(message, "text"), TEXT_LIMIT), cte="quoted-printable")
        html = self._renderer.body(message, "html")
        if len(html) <= 2 * TEXT_LIMIT:  # HTML that is cut may show nothing at all; the text is there
            mail.add_alternative(html, subtype="html", cte="quoted-printable")
            mail.set_boundary(f"=_{_word(message.idempotency_key)}")
        return mail

    def _remember(self, key: str, recipients: tuple[str, ...]) -> None:
        self._left.pop(key, None)
        if recipients:
            self._left[key] = recipients
            while len(self._left) > _REMEMBERED:
                del self._left[next(iter(self._left))]


def _addresses(channel: str, texts: Sequence[str]) -> list[str]:
    found = [address for _, address in getaddresses(list(texts))]
    whole = all(text.isprintable() for text in texts)  # a line break would begin another header
    for address in found:
        local, _, domain = address.rpartition("@")
        if not (whole and local and domain) or " " in address:
            raise InvalidAlert(f"channel {channel!r}: {address or list(texts)!r} is no e-mail address")
    if not found:
        raise InvalidAlert(f"channel {channel!r}: it needs an e-mail address")
    return found


def _word(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()
