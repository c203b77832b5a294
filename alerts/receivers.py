"""Who can be told, and by which channels: the receivers of alerts.yaml.

The fields have Alertmanager's names where it has them. There is no `send_resolved`: whoever was told that an alert
fires is told that it is over.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from alerts.config_values import ConfigModel, ConfigWithSecrets, HttpAddress, SecretFile

Kind = Literal["webhook", "slack", "msteamsv2", "pagerduty", "email", "apprise"]
PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"


def _mail_address(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if not local or not domain or any(character.isspace() for character in value):
        raise ValueError(f"{value!r} is no e-mail address; write name@host")
    return value


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class WebhookConfig(ConfigWithSecrets):
    """POSTs Alertmanager's payload to `url`; with `secret` signed by HMAC."""

    SECRETS: ClassVar[dict[str, bool]] = {"url": True, "secret": False}

    url: HttpAddress = Field(default="", repr=False, validate_default=False)
    url_file: SecretFile | None = None
    secret: str = Field(default="", repr=False)
    secret_file: SecretFile | None = None


class SlackConfig(ConfigWithSecrets):
    """`api_url` is the address of an incoming webhook."""

    SECRETS: ClassVar[dict[str, bool]] = {"api_url": True}

    api_url: HttpAddress = Field(default="", repr=False, validate_default=False)
    api_url_file: SecretFile | None = None


class TeamsConfig(ConfigWithSecrets):
    """`webhook_url` is the address of a Workflows webhook of Microsoft Teams."""

    SECRETS: ClassVar[dict[str, bool]] = {"webhook_url": True}

    webhook_url: HttpAddress = Field(default="", repr=False, validate_default=False)
    webhook_url_file: SecretFile | None = None


class PagerDutyConfig(ConfigWithSecrets):
    """`routing_key` is the integration key of a service (Events API v2)."""

    SECRETS: ClassVar[dict[str, bool]] = {"routing_key": True}

    routing_key: str = Field(default="", repr=False)
    routing_key_file: SecretFile | None = None
    url: HttpAddress = PAGERDUTY_URL


class EmailConfig(ConfigWithSecrets):
    """Mail from `sender` (written `from`) to `to`, one address or several, through `smarthost` (host:port).

    `require_tls` False sends where the server offers no STARTTLS; port 465 speaks TLS from the start.
    """

    SECRETS: ClassVar[dict[str, bool]] = {"auth_password": False}
    model_config = ConfigDict(validate_by_alias=True, validate_by_name=False)

    to: tuple[MailAddress, ...] = Field(min_length=1)
    sender: MailAddress = Field(alias="from")
    smarthost: str
    hello: str = ""
    auth_username: str = ""
    auth_password: str = Field(default="", repr=False)
    auth_password_file: SecretFile | None = None
    require_tls: bool = True

    @field_validator("to", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(","))
        return tuple(value) if isinstance(value, list) else value

    @field_validator("smarthost")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) <= 65535:
            raise ValueError(f"{value!r} is no mail server; write host:port, such as smtp.example.com:587")
        return value

    @property
    def host(self) -> str:
        return self.smarthost.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        return int(self.smarthost.rpartition(":")[2])


class AppriseConfig(ConfigWithSecrets):
    """`url` is an address as the Apprise library writes it: https://github.com/caronc/apprise/wiki."""

    SECRETS: ClassVar[dict[str, bool]] = {"url": True}

    url: str = Field(default="", repr=False)
    url_file: SecretFile | None = None

    @field_validator("url")
    @classmethod
    def _has_scheme(cls, value: str) -> str:
        if "://" not in value:
            raise ValueError("this is no address for Apprise; write service://…, such as ntfy://topic")
        return value


ChannelConfig: TypeAlias = WebhookConfig | SlackConfig | TeamsConfig | PagerDutyConfig | EmailConfig | AppriseConfig


class ReceiverConfig(ConfigModel):
    """A name for routes, and its channels.

    `allow_private_addresses` lets its channels reach loopback and private networks even where the file forbids it.
    """

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
    webhook_configs: tuple[WebhookConfig, ...] = ()
    slack_configs: tuple[SlackConfig, ...] = ()
    msteamsv2_configs: tuple[TeamsConfig, ...] = ()
    pagerduty_configs: tuple[PagerDutyConfig, ...] = ()
    email_configs: tuple[EmailConfig, ...] = ()
    apprise_configs: tuple[AppriseConfig, ...] = ()
    allow_private_addresses: bool = False

    def channels(self) -> Iterator[tuple[str, Kind, ChannelConfig]]:
        """Yield name, kind and settings of each channel; the first of its kind is `<receiver>/<kind>-1`."""
        kinds: dict[Kind, Sequence[ChannelConfig]] = {
            "webhook": self.webhook_configs,
            "slack": self.slack_configs,
            "msteamsv2": self.msteamsv2_configs,
            "pagerduty": self.pagerduty_configs,
            "email": self.email_configs,
            "apprise": self.apprise_configs,
        }
        for kind, configs in kinds.items():
            for index, config in enumerate(configs, 1):
                yield f"{self.name}/{kind}-{index}", kind, config

    @property
    def channel_names(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.channels())
