"""What each channel was told: all that deciding on the next message needs to know of the earlier ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias

from alerts.notification import Notification

Group: TypeAlias = tuple[str, str]  # channel and group key
TEST: Final = "test"


@dataclass(frozen=True, slots=True)
class GroupPast:
    """The last message about a group: its number, its time, and the alerts that it said are firing."""

    number: int
    at: datetime
    labels: tuple[tuple[str, str], ...]
    receiver: str
    firing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Past:
    """`groups` by channel and group key; `open` by channel: alert id to the group key in which it was told firing.

    An alert is open from the message that says it fires to the one that says it is over. Nothing else is remembered, so
    the last message of each group, and those since the oldest open alert began, are enough to build it again.
    """

    groups: Mapping[Group, GroupPast] = field(default_factory=dict)
    open: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @staticmethod
    def of(notifications: Iterable[Notification]) -> "Past":
        """Return what *notifications*, in any order, told."""
        return Past().with_all(sorted(notifications, key=lambda item: (item.channel, item.group_key, item.number)))

    def with_all(self, notifications: Iterable[Notification]) -> "Past":
        """Return the past after *notifications*, those of a group in their order."""
        groups = dict(self.groups)
        told = {channel: dict(alerts) for channel, alerts in self.open.items()}
        for item in notifications:
            key = item.channel, item.group_key
            if item.reason == TEST:  # it tells of no alert, and only takes a number
                before = groups.get(key) or GroupPast(0, item.at, item.group_labels, item.receiver, frozenset())
                groups[key] = replace(before, number=item.number)
                continue
            firing = frozenset(alert.alert_id for alert in item.alerts if alert.state == "firing")
            groups[key] = GroupPast(item.number, item.at, item.group_labels, item.receiver, firing)
            alerts = told.setdefault(item.channel, {})
            for alert_id in firing:
                alerts.setdefault(alert_id, item.group_key)
            for alert in item.alerts:
                if alert.state == "resolved":
                    alerts.pop(alert.alert_id, None)
        return Past(groups, {channel: alerts for channel, alerts in told.items() if alerts})

    def open_alerts(self) -> frozenset[str]:
        """Return the alerts of which some channel knows that they fire and not that they are over.

        Whoever asks `due` hands in the last transition of each of them, however old it is.
        """
        return frozenset(alert_id for alerts in self.open.values() for alert_id in alerts)
