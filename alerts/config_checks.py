"""What can be wrong in alerts.yaml although each of its values is right."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from alerts.config_file import AlertsFile, RouteConfig
from alerts.config_values import ConfigWithSecrets
from alerts.errors import InvalidAlert
from alerts.route import EVERY_LABEL
from alerts.yaml_plain import Location

DEFAULT_RECEIVER: Final = "default"


def problems_in(written: AlertsFile, webhooks: Sequence[str]) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong although each value for itself is right."""
    names = [receiver.name for receiver in written.receivers]
    if written.receivers and written.route is None:
        yield ("receivers",), f"no route leads to them; write route: {{receiver: {names[0]}}}"
    for index, receiver in enumerate(written.receivers):
        here: Location = ("receivers", index)
        if receiver.name in names[:index]:
            yield (
                (*here, "name"),
                f"two receivers are named {receiver.name!r}; rename one, or put their channels together",
            )
        if webhooks and receiver.name == DEFAULT_RECEIVER:
            yield (*here, "name"), f"{receiver.name!r} is the receiver of NINELIVES_WEBHOOKS; write another name"
        if not receiver.channel_names:
            yield here, f"receiver {receiver.name!r} has no channel; add one, such as webhook_configs: [{{url: …}}]"
    rules = [rule.name for rule in written.rules]
    for index, rule in enumerate(rules):
        if rule in rules[:index]:
            yield ("rules", index, "name"), f"two rules are named {rule!r}; rename one"
    if written.route is not None:
        yield from _root_problems(written.route)
        yield from _route_problems(written.route, ("route",), names)


def _root_problems(root: RouteConfig) -> Iterator[tuple[Location, str]]:
    if not root.receiver:
        yield ("route",), "receiver is missing; write receiver: with the name of one of the receivers"
    if root.matchers:
        yield ("route", "matchers"), "the first route takes every alert; move the matchers to a route below it"
    if root.continues:
        yield ("route", "continue"), "nothing comes after the first route; leave continue out"


def _route_problems(route: RouteConfig, here: Location, names: Sequence[str]) -> Iterator[tuple[Location, str]]:
    if route.receiver and route.receiver not in names:
        known = ", ".join(names) or "none; write receivers:"
        yield (*here, "receiver"), f"there is no receiver {route.receiver!r}; the receivers are {known}"
    labels = route.group_by or ()
    for index, label in enumerate(labels):
        if label in labels[:index]:
            yield (*here, "group_by", index), f"{label!r} is written twice; keep one"
    if EVERY_LABEL in labels and len(labels) > 1:
        yield (*here, "group_by"), f"'{EVERY_LABEL}' already means every label; write it alone"
    if route.repeat_interval == timedelta(0):
        yield (*here, "repeat_interval"), "0 would repeat without end; write a longer time, such as 4h"
    for index, child in enumerate(route.routes):
        yield from _route_problems(child, (*here, "routes", index), names)


def warnings_of(written: AlertsFile) -> Iterator[tuple[Location, str]]:
    """Yield what keeps one part from working, and none of the others."""
    if written.templates is not None:
        yield from _wrong_templates(written.templates)
    if written.heartbeat is not None:
        yield from _unreadable(written.heartbeat, ("heartbeat",))
    named = set() if written.route is None else set(_named(written.route))
    for index, receiver in enumerate(written.receivers):
        here: Location = ("receivers", index)
        if receiver.name not in named:
            yield (*here, "name"), f"no route leads to {receiver.name!r}; name it in a route, or leave it out"
        for name, kind, config in receiver.channels():
            yield from _unreadable(config, (*here, f"{kind}_configs", int(name.rpartition("-")[2]) - 1))


def _wrong_templates(folder: Path) -> Iterator[tuple[Location, str]]:
    if not folder.is_dir():
        yield ("templates",), f"{folder} is no folder; the templates that come with Ninelives are used"
        return
    from alerts.rendering import Renderer  # noqa: PLC0415 - Jinja2 is loaded by those alone who have templates

    for problem in Renderer(folder).problems():
        yield ("templates",), str(problem)


def _unreadable(config: ConfigWithSecrets, here: Location) -> Iterator[tuple[Location, str]]:
    for secret in config.SECRETS:
        try:
            config.secret_value(secret)
        except InvalidAlert as error:
            yield (*here, f"{secret}_file"), str(error)


def _named(route: RouteConfig) -> Iterator[str]:
    yield route.receiver
    for child in route.routes:
        yield from _named(child)
