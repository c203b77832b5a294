"""alerts.yaml as it is written."""

import re
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf

from alerts.config_values import ConfigModel, ConfigWithSecrets, HttpAddress, SecretFile, TimeSpan
from alerts.errors import InvalidMatcher
from alerts.matcher import Matcher, parse_matchers
from alerts.receivers import ReceiverConfig
from alerts.route import EVERY_LABEL
from alerts.silent_service import NoDataRule
from alerts.threshold import ThresholdRule

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


def _matchers(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no matcher; write 'name=\"value\"' in quotes")  # noqa: TRY004 -- pydantic takes this one
    try:
        return parse_matchers(value)
    except InvalidMatcher as error:
        raise ValueError(str(error)) from error


def _group_label(value: str) -> str:
    if value != EVERY_LABEL and _LABEL.fullmatch(value) is None:
        raise ValueError(f"{value!r} is no label; write letters, digits and _, or '...' alone for every label")
    return value


class RouteConfig(ConfigModel):
    """A route as it is written: what is left out is inherited from the route around it."""

    receiver: str = ""
    matchers: tuple[Annotated[tuple[InstanceOf[Matcher], ...], BeforeValidator(_matchers)], ...] = ()
    continues: bool = Field(default=False, alias="continue")
    group_by: tuple[Annotated[str, AfterValidator(_group_label)], ...] | None = None
    group_wait: TimeSpan | None = None
    group_interval: TimeSpan | None = None
    repeat_interval: TimeSpan | None = None
    routes: tuple["RouteConfig", ...] = ()


class HeartbeatConfig(ConfigWithSecrets):
    """`url` is asked for every minute while everything works."""

    SECRETS: ClassVar[dict[str, bool]] = {"url": True}

    url: HttpAddress = Field(default="", repr=False, validate_default=False)
    url_file: SecretFile | None = None


class AlertsFile(ConfigModel):
    """The file as it is written."""

    route: RouteConfig | None = None
    receivers: tuple[ReceiverConfig, ...] = ()
    alertmanagers: tuple[HttpAddress, ...] = ()
    heartbeat: HeartbeatConfig | None = None
    allow_private_addresses: bool = False
    templates: SecretFile | None = None
    rules: tuple[ThresholdRule, ...] = ()
    no_data: NoDataRule = NoDataRule()
