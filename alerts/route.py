"""Which receivers are told of an alert, in which group, and how often: Alertmanager's tree of routes.

Meaning: https://prometheus.io/docs/alerting/latest/configuration/#route. An alert goes down the tree from its root: of
a route's children the first that matches takes it, and the ones after that only if it says `continue`; where no child
takes it, the route itself does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.matcher import Matcher, match_all, quoted

EVERY_LABEL: Final = "..."
GROUP_WAIT: Final = timedelta(0)
GROUP_INTERVAL: Final = timedelta(minutes=5)
REPEAT_INTERVAL: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class GroupTiming:
    """When a group is told.

    `group_wait`: how long the first alert of a group waits for others. `group_interval`: the shortest time between two
    messages about a group. `repeat_interval`: how long after its last message a group that still fires is told again.
    """

    group_wait: timedelta = GROUP_WAIT
    group_interval: timedelta = GROUP_INTERVAL
    repeat_interval: timedelta = REPEAT_INTERVAL


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one route sends an alert: the receiver, and the group that the alert is told in."""

    receiver: str
    group_key: str
    group_labels: tuple[tuple[str, str], ...]
    timing: GroupTiming


@dataclass(frozen=True, slots=True)
class Route:
    """One route with everything that it inherits. `group_by` ("...",) makes a group of each set of labels."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    group_by: tuple[str, ...] = ()
    timing: GroupTiming = GroupTiming()
    routes: tuple["Route", ...] = ()

    def routes_of(self, labels: Mapping[str, str]) -> tuple[Destination, ...]:
        """Return where an alert with *labels* goes, in the order of the routes; () where this route does not match."""
        return tuple(_destination(route, path, labels) for route, path in _taking(self, labels, ""))


def _taking(route: Route, labels: Mapping[str, str], above: str) -> list[tuple[Route, str]]:
    """Return the routes that take the alert, each with the matchers on the way to it."""
    if not match_all(route.matchers, labels):
        return []
    path = above + "{" + ",".join(matcher.text() for matcher in route.matchers) + "}"
    found: list[tuple[Route, str]] = []
    for child in route.routes:
        taken = _taking(child, labels, path + "/")
        found += taken
        if taken and not child.continues:
            break
    return found or [(route, path)]


def _destination(route: Route, path: str, labels: Mapping[str, str]) -> Destination:
    names = labels if EVERY_LABEL in route.group_by else route.group_by
    group = tuple(sorted((name, labels[name]) for name in names if labels.get(name)))
    return Destination(route.receiver, f"{path}:{_braced(group)}", group, route.timing)


def _braced(labels: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{name}={quoted(value)}" for name, value in labels) + "}"
