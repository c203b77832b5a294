"""alerts.yaml: who is told of which alerts, by which channels, and which rules beside the objectives raise alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from alerts.config_checks import DEFAULT_RECEIVER, problems_in, warnings_of
from alerts.config_file import AlertsFile, HeartbeatConfig, RouteConfig
from alerts.config_problems import InvalidConfig, problems_of
from alerts.receivers import ReceiverConfig, WebhookConfig
from alerts.route import GroupTiming, Route
from alerts.silent_service import NoDataRule
from alerts.threshold import ThresholdRule
from alerts.yaml_plain import Location, PlainDocument, document_of, path_of
from slo.errors import DocumentError, SloFileProblem
from slo.yaml_document import yaml_documents

DEFAULT_GROUP_BY: Final = ("alertname", "slo_id", "severity", "environment")
_NO_DATA: Final = NoDataRule()
NO_ROUTE: Final = Route("")  # leads to a receiver that has no channels
# what a route inherits that says nothing: all alerts in one group would wait for each other
_USUAL: Final = Route("", group_by=("service_name", "environment"))


@dataclass(frozen=True, slots=True)
class AlertingConfig:
    """What is in force. `warnings` are about things that can still be put right without another file."""

    route: Route = NO_ROUTE
    receivers: tuple[ReceiverConfig, ...] = ()
    alertmanagers: tuple[str, ...] = ()
    heartbeat: HeartbeatConfig | None = None
    allow_private_addresses: bool = False
    templates: Path | None = None
    rules: tuple[ThresholdRule, ...] = ()
    no_data: NoDataRule = _NO_DATA
    warnings: tuple[SloFileProblem, ...] = ()

    @property
    def channels_of(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the channels of each receiver, as `alerts.dispatch.due` takes them."""
        return {receiver.name: receiver.channel_names for receiver in self.receivers}

    @property
    def secret_files(self) -> frozenset[Path]:
        """The files that the secrets of channels are kept in."""
        settings = (found for receiver in self.receivers for _, _, found in receiver.channels())
        return frozenset(path for found in settings for path in found.secret_files)

    @property
    def told(self) -> dict[str, tuple[str, ...]]:
        """Return `channels_of`, and under "" the Alertmanagers, which are told of everything that fires."""
        peers = tuple(f"alertmanager-{number}" for number, _ in enumerate(self.alertmanagers, start=1))
        return self.channels_of | ({"": peers} if peers else {})


def default_config(webhooks: Sequence[str] = ()) -> AlertingConfig:
    """Return what is in force without a file: every alert to every one of *webhooks*, as soon as it is known.

    They are addresses that whoever starts the process has set, so they may be private ones.
    """
    if not webhooks:
        return AlertingConfig()
    timing = GroupTiming(group_interval=timedelta(0))
    route = Route(DEFAULT_RECEIVER, group_by=DEFAULT_GROUP_BY, timing=timing)
    channels = tuple(WebhookConfig(url=url) for url in webhooks)
    receiver = ReceiverConfig(name=DEFAULT_RECEIVER, webhook_configs=channels, allow_private_addresses=True)
    return AlertingConfig(route=route, receivers=(receiver,))


def read_config(text: str, file: str, *, folder: Path | None = None, webhooks: Sequence[str] = ()) -> AlertingConfig:
    """Return what *text* says; *webhooks* are told of every alert beside that.

    Args:
        text: YAML.
        file: its name, for problems.
        folder: where relative paths in it start; None leaves them as they are.
        webhooks: addresses of NINELIVES_WEBHOOKS.

    Raises:
        InvalidConfig: it cannot be used; its problems name line, field, value and remedy.
    """
    document = _document(text, file)
    try:
        written = AlertsFile.model_validate(document.value or {}, context={"folder": folder})
    except ValidationError as error:
        raise InvalidConfig(problems_of(error, document, file)) from error
    problems = [*problems_in(written, webhooks)]
    if problems:
        raise InvalidConfig([_problem(document, file, location, reason) for location, reason in problems])
    warnings = tuple(
        replace(_problem(document, file, location, reason), level="warning")
        for location, reason in warnings_of(written)
    )
    return _with_webhooks(_config(written, warnings), webhooks)


def _document(text: str, file: str) -> PlainDocument:
    try:
        found = [document_of(value) for value in yaml_documents(text, file)]
    except DocumentError as error:
        raise InvalidConfig([SloFileProblem(file, error.line, str(error), path=error.path)]) from error
    if len(found) != 1:
        reason = "several documents; keep one, without ---" if found else "empty; write a route and receivers"
        raise InvalidConfig(
            [SloFileProblem(file, None, f"the file holds {reason}" if found else f"the file is {reason}")]
        )
    return found[0]


def _config(written: AlertsFile, warnings: tuple[SloFileProblem, ...]) -> AlertingConfig:
    return AlertingConfig(
        route=NO_ROUTE if written.route is None else _route(written.route, _USUAL),
        receivers=written.receivers,
        alertmanagers=written.alertmanagers,
        heartbeat=written.heartbeat,
        allow_private_addresses=written.allow_private_addresses,
        templates=written.templates,
        rules=written.rules,
        no_data=written.no_data,
        warnings=warnings,
    )


def _route(written: RouteConfig, around: Route) -> Route:
    names = ("group_wait", "group_interval", "repeat_interval")
    given = {name: getattr(written, name) for name in names if getattr(written, name) is not None}
    route = Route(
        receiver=written.receiver or around.receiver,
        matchers=tuple(matcher for matchers in written.matchers for matcher in matchers),
        continues=written.continues,
        group_by=around.group_by if written.group_by is None else written.group_by,
        timing=replace(around.timing, **given),
    )
    return replace(route, routes=tuple(_route(child, route) for child in written.routes))


def _with_webhooks(config: AlertingConfig, webhooks: Sequence[str]) -> AlertingConfig:
    """Return *config* with a route for *webhooks* before its own; both take every alert."""
    if not webhooks:
        return config
    own = default_config(webhooks)
    routes = (replace(own.route, continues=True), config.route)
    return replace(config, route=replace(own.route, routes=routes), receivers=(*own.receivers, *config.receivers))


def _problem(document: PlainDocument, file: str, location: Location, reason: str) -> SloFileProblem:
    return SloFileProblem(file, document.line(location), reason, path=path_of(location))
