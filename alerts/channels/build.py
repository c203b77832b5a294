"""The channels of alerts.yaml. What a channel needs is imported when one of its kind is configured."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from alerts.address_guard import AddressGuard
from alerts.channels.base import Channel
from alerts.errors import ChannelError, InvalidAlert
from alerts.message import Message
from alerts.receivers import (
    AppriseConfig,
    ChannelConfig,
    EmailConfig,
    PagerDutyConfig,
    ReceiverConfig,
    SlackConfig,
    TeamsConfig,
    WebhookConfig,
)

log = logging.getLogger(__name__)

Maker: TypeAlias = Callable[[], Channel]


class ChannelSettings(Protocol):
    """What of the alerting configuration channels are made of."""

    @property
    def receivers(self) -> Sequence[ReceiverConfig]: ...

    @property
    def allow_private_addresses(self) -> bool: ...

    @property
    def templates(self) -> Path | None: ...


class UnusableChannel:
    """A channel whose settings do not work now, such as a secret's file that is missing; each message tries again."""

    def __init__(self, name: str, make: Maker) -> None:
        self._name: Final = name
        self._make = make
        self._made: Channel | None = None

    @property
    def name(self) -> str:
        return self._name

    def send(self, message: Message) -> None:
        """Deliver *message* if the channel can be made by now.

        Raises:
            ChannelError: it cannot, or it did not deliver.
        """
        try:
            self._made = self._made or self._make()
        except InvalidAlert as error:
            raise ChannelError(f"{self._name}: {error}", permanent=False) from error
        self._made.send(message)


def build_channels(config: ChannelSettings) -> dict[str, list[Channel]]:
    """Return the channels of every receiver; one that cannot be made is logged, and says so to every message.

    What is wrong with templates is logged too: it is better known now than when somebody is paged.
    """
    for problem in _template_problems(config.templates):
        log.error("%s", problem)
    return {
        receiver.name: [
            _built(name, partial(_make, name, settings, config, receiver)) for name, _, settings in receiver.channels()
        ]
        for receiver in config.receivers
    }


def _template_problems(templates: Path | None) -> Sequence[object]:
    if templates is None:
        return ()
    from alerts.rendering import Renderer  # noqa: PLC0415 - see the top

    return Renderer(templates).problems()


def _built(name: str, make: Maker) -> Channel:
    try:
        return make()
    except InvalidAlert as error:
        log.error("channel %s cannot be used: %s", name, error)  # noqa: TRY400 - the reason is whole, a trace adds none
        return UnusableChannel(name, make)


def _make(name: str, settings: ChannelConfig, config: ChannelSettings, receiver: ReceiverConfig) -> Channel:
    guard = AddressGuard(allow_private=config.allow_private_addresses or receiver.allow_private_addresses)
    match settings:
        case WebhookConfig():
            return _webhook(name, settings, guard)
        case PagerDutyConfig():
            return _pagerduty(name, settings, guard)
        case SlackConfig():
            return _slack(name, settings, guard, config.templates)
        case TeamsConfig():
            return _teams(name, settings, guard, config.templates)
        case EmailConfig():
            return _email(name, settings, config.templates)
        case AppriseConfig():  # pragma: no branch -- every kind is above
            return _apprise(name, settings, config.templates)


def _webhook(name: str, settings: WebhookConfig, guard: AddressGuard) -> Channel:
    from alerts.channels.webhook import WebhookChannel  # noqa: PLC0415 - see the top

    return WebhookChannel(name, settings.secret_value("url"), secret=settings.secret_value("secret"), guard=guard)


def _pagerduty(name: str, settings: PagerDutyConfig, guard: AddressGuard) -> Channel:
    from alerts.channels.pagerduty import PagerDutyChannel  # noqa: PLC0415 - see the top

    return PagerDutyChannel(name, settings.secret_value("routing_key"), url=settings.url, guard=guard)


def _slack(name: str, settings: SlackConfig, guard: AddressGuard, templates: Path | None) -> Channel:
    from alerts.channels.slack import SlackChannel  # noqa: PLC0415 - see the top
    from alerts.rendering import Renderer  # noqa: PLC0415 - see the top

    return SlackChannel(name, settings.secret_value("api_url"), Renderer(templates), guard=guard)


def _teams(name: str, settings: TeamsConfig, guard: AddressGuard, templates: Path | None) -> Channel:
    from alerts.channels.msteams import MsTeamsChannel  # noqa: PLC0415 - see the top
    from alerts.rendering import Renderer  # noqa: PLC0415 - see the top

    return MsTeamsChannel(name, settings.secret_value("webhook_url"), Renderer(templates), guard=guard)


def _email(name: str, settings: EmailConfig, templates: Path | None) -> Channel:
    from alerts.channels.email import EmailChannel  # noqa: PLC0415 - see the top
    from alerts.channels.smtp import Smarthost  # noqa: PLC0415 - see the top
    from alerts.rendering import Renderer  # noqa: PLC0415 - see the top

    smarthost = Smarthost(
        settings.host,
        settings.port,
        username=settings.auth_username,
        password=settings.secret_value("auth_password"),
        require_tls=settings.require_tls,
        hello=settings.hello,
        implicit_tls=settings.port == 465,
    )
    return EmailChannel(name, settings.to, settings.sender, smarthost, Renderer(templates))


def _apprise(name: str, settings: AppriseConfig, templates: Path | None) -> Channel:
    from alerts.channels.apprise import AppriseChannel  # noqa: PLC0415 - see the top
    from alerts.rendering import Renderer  # noqa: PLC0415 - see the top

    return AppriseChannel(name, settings.secret_value("url"), Renderer(templates))
