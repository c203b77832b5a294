"""One conversation with a mail server, and what its answers mean."""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final

from alerts.channels.deadline import Deadline
from alerts.errors import ChannelError
from alerts.plain_text import one_line

TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Smarthost:
    """The mail server that takes our messages; `require_tls` refuses to go on where it offers no STARTTLS.

    `implicit_tls` speaks TLS from the start, as is the custom on port 465. `tls` is how certificates are checked: None
    means as this machine does.
    """

    host: str
    port: int = 587
    username: str = ""
    password: str = field(default="", repr=False)
    require_tls: bool = True
    hello: str = ""
    implicit_tls: bool = False
    tls: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        return self.tls or ssl.create_default_context()


class _WatchedSmtp(smtplib.SMTP):
    """Tells *deadline* of its connection before the server's first word."""

    def __init__(self, smarthost: Smarthost, deadline: Deadline, timeout_s: float) -> None:
        self._smarthost = smarthost
        self._deadline = deadline
        super().__init__(smarthost.host, smarthost.port, local_hostname=smarthost.hello or None, timeout=timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout, self.source_address)
        self._deadline.watch(connection)
        if not self._smarthost.implicit_tls:
            return connection
        with connection:  # TLS takes the socket over; what fails before must not stay open
            return self._smarthost.context().wrap_socket(connection, server_hostname=host)


def deliver(
    channel: str,
    smarthost: Smarthost,
    mail: EmailMessage,
    recipients: Sequence[str],
    *,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, ChannelError]:
    """Hand *mail* to the server; return the recipients that it refused, while it took others.

    Raises:
        ChannelError: nobody gets it. Codes 4xx and lost connections are worth another try, 5xx is for ever.
    """
    prefix = f"{channel}: {smarthost.host}:{smarthost.port}"
    with Deadline(timeout_s) as deadline:
        try:
            with _WatchedSmtp(smarthost, deadline, timeout_s) as smtp:
                refused = _talk(smtp, smarthost, mail, recipients)
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
            raise _combined(_errors(prefix, refused)) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(prefix, error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            words = f"{prefix}: {error}; allow it at the server, or set require_tls: false if the network is trusted"
            raise ChannelError(words, permanent=True) from None
        except ssl.SSLCertVerificationError as error:
            raise ChannelError(f"{prefix}: {one_line(str(error))}", permanent=False) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            reason = f"no answer within {timeout_s:g} s" if deadline.passed else one_line(str(error))
            raise ChannelError(f"{prefix}: cannot deliver: {reason}", permanent=False) from None
    return _errors(prefix, refused)


def _talk(
    smtp: smtplib.SMTP, smarthost: Smarthost, mail: EmailMessage, recipients: Sequence[str]
) -> dict[str, tuple[int, bytes]]:
    smtp.ehlo()
    if not smarthost.implicit_tls and (smarthost.require_tls or smtp.has_extn("starttls")):
        smtp.starttls(context=smarthost.context())
        smtp.ehlo()
    if smarthost.username:
        smtp.login(smarthost.username, smarthost.password)
    return dict(smtp.send_message(mail, to_addrs=list(recipients)))


def _errors(prefix: str, refused: dict[str, tuple[int, bytes]]) -> dict[str, ChannelError]:
    return {who: _refusal(f"{prefix}: {who}", code, answer) for who, (code, answer) in refused.items()}


def _combined(errors: dict[str, ChannelError]) -> ChannelError:
    """Return one error for all; it is permanent only if every one is."""
    text = "; ".join(str(error) for error in errors.values())
    return ChannelError(one_line(text, 500), permanent=all(error.permanent for error in errors.values()))


def _refusal(prefix: str, code: int, answer: bytes | str) -> ChannelError:
    said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return ChannelError(f"{prefix} answered {code} {one_line(said)}".rstrip(), permanent=code >= 500)
