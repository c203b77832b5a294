"""A test of one alert channel: what is sent, to which host, and what came of it."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alerts.channels.build import build_channels
from alerts.config import AlertingConfig, default_config, read_config
from alerts.errors import ChannelError, InvalidAlert
from alerts.message import Links, Message, message_of
from alerts.receivers import AppriseConfig, ChannelConfig, EmailConfig, PagerDutyConfig
from alerts.transition import AlertDetails, AlertState, Transition
from ninelives.authorship import author
from ninelives.settings import Settings

UNKNOWN: Final = "an unknown host"


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A channel of the configuration; `host` is where its messages go, without anything that may be secret."""

    name: str
    receiver: str
    kind: str
    host: str
    config: AlertingConfig


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a test message; `error` is "" if the channel took it, `permanent` says that no retry would help."""

    channel: str
    host: str
    sent: bool
    took_ms: int
    error: str = ""
    permanent: bool = False

    def words(self) -> str:
        """Return it in one plain sentence."""
        took = f"{self.took_ms:,} ms"
        if self.sent:
            return f"{self.channel}: {self.host} accepted the test message after {took}"
        after = "an alert would be given up at once" if self.permanent else "an alert would be tried again"
        return f"{self.channel}: {self.host} did not take the test message ({took}): {self.error}; {after}"


def channels_in(path: Path, webhooks: Sequence[str]) -> list[KnownChannel]:
    """Return the channels of the file at *path*, and those of *webhooks*; the default file need not be there.

    Raises:
        InvalidConfig: the file cannot be used.
        OSError: the file cannot be read, or is not where somebody said.
        UnicodeDecodeError: the file is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if path != Settings.model_fields["alerts"].default:
            raise
        config = default_config(webhooks)
    else:
        config = read_config(text, str(path), folder=path.parent, webhooks=webhooks)
    return [
        KnownChannel(name, receiver.name, kind, _host(settings), replace(config, receivers=(receiver,)))
        for receiver in config.receivers
        for name, kind, settings in receiver.channels()
    ]


def send_to(known: KnownChannel, dashboard_url: str) -> Trial:
    """Send a test message through the channel as the evaluator would, once.

    PagerDuty is told at once that it is over: an incident that nobody closes would page somebody again.
    """
    (channel,) = (item for item in build_channels(known.config)[known.receiver] if item.name == known.name)
    key = secrets.token_hex(4)
    states: tuple[AlertState, ...] = ("firing", "resolved") if known.kind == "pagerduty" else ("firing",)
    began = time.monotonic()
    error, permanent = "", False
    try:
        for state in states:
            channel.send(_message(known, state, key, dashboard_url))
    except ChannelError as refusal:
        error, permanent = str(refusal), refusal.permanent
    took_ms = round((time.monotonic() - began) * 1000)
    return Trial(known.name, known.host, not error, took_ms, error, permanent)


def _message(known: KnownChannel, state: AlertState, key: str, dashboard_url: str) -> Message:
    now = datetime.now(UTC)
    by = author() or "somebody"
    transition = Transition(
        alert_id=f"test-{key}",
        sequence=1 if state == "firing" else 2,
        rule="test",
        slo_id="",
        service="ninelives",
        environment="",
        severity="ticket",
        state=state,
        at=now,
        started_at=now,
        fired_at=now,
        resolved_at=now if state == "resolved" else None,
        summary=f"This is a test of {known.name} that {by} asked for. Nothing is wrong.",
        details=AlertDetails(alert_name="NinelivesTest", slo_name="Test message"),
    )
    return message_of(transition, known.receiver, Links(dashboard_url))


def _host(settings: ChannelConfig) -> str:
    """Return the host that messages go to: of an address the rest may be secret, and of Apprise's the host too."""
    try:
        match settings:
            case EmailConfig():
                return settings.smarthost
            case PagerDutyConfig():
                return urlsplit(settings.url).netloc.rpartition("@")[2]
            case AppriseConfig():
                return f"{settings.secret_value('url').partition('://')[0]} (apprise)"
            case _:
                (field, *_) = settings.SECRETS
                return urlsplit(settings.secret_value(field)).netloc.rpartition("@")[2]
    except InvalidAlert:  # the file of a secret cannot be read, which the message that is sent says
        return UNKNOWN
