"""Who has to be told what now.

Pure: from the same alerts, past and time, everybody decides on the same notifications, under the same ids. What is
decided is stored before it is sent, and `Past` says what was stored; whether it has arrived makes no difference. So a
channel that is down holds nothing up and loses nothing: its messages wait, at most one a group and group interval, and
are sent in the order of their numbers, none in the place of another.

How it differs from Alertmanager, on purpose:
- Whoever was told that an alert fires is told that it is over, silenced, inhibited or routed elsewhere meanwhile.
- The group interval counts from the last message, so that a change after a quiet time is told at once.
- One channel is told of an alert in one group: the first that its routes lead to, and from then on that one until it is
  over, also when the routes change. A new configuration therefore repeats nothing early, and ends what was begun.
- Groups whose firing alerts are all acknowledged are not repeated.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from alerts.labels import readable_labels
from alerts.notification import Notification, Reason, Told
from alerts.past import Group, GroupPast, Past
from alerts.route import Destination, GroupTiming, Route
from alerts.silence import Silence
from alerts.transition import Transition

Labels: TypeAlias = Mapping[str, str]


@dataclass(slots=True)
class _Members:
    """The alerts of one group on one channel: those to speak of, and those whose end is still to be told."""

    receiver: str
    labels: tuple[tuple[str, str], ...]
    timing: GroupTiming
    firing: list[Transition] = field(default_factory=list)
    ended: list[Transition] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Grouping:
    """Puts alerts into groups, but for those that nobody was told of and nobody is to hear of."""

    past: Past
    muted: Collection[str]
    groups: dict[Group, _Members] = field(default_factory=dict)

    def place(self, channel: str, destination: Destination, item: Transition) -> None:
        """Put *item* into its group on *channel*: the one in which it was told, else the one of its route."""
        told_in = self.past.open.get(channel, {}).get(item.alert_id)
        if told_in is None and (item.state != "firing" or item.alert_id in self.muted):
            return
        key = channel, destination.group_key if told_in is None else told_in
        before = self.past.groups.get(key)
        labels = destination.group_labels if before is None else before.labels
        members = self.groups.setdefault(key, _Members(destination.receiver, labels, destination.timing))
        if item.state != "firing":
            members.ended.append(item)
        elif item.alert_id not in self.muted:
            members.firing.append(item)

    def place_elsewhere(self, known: Sequence[Transition], channels: Collection[str]) -> None:
        """Put what ended into the group in which it was told, where no route leads to that channel any more."""
        placed = {(channel, item.alert_id) for (channel, _), group in self.groups.items() for item in group.ended}
        ended = {item.alert_id: item for item in known if item.state != "firing"}
        for channel in channels:
            for alert_id, group_key in self.past.open.get(channel, {}).items():
                if alert_id in ended and (channel, alert_id) not in placed:
                    before = self.past.groups[channel, group_key]
                    group = _Members(before.receiver, before.labels, GroupTiming())
                    self.groups.setdefault((channel, group_key), group).ended.append(ended[alert_id])


def due(  # noqa: PLR0917 - all that a decision rests on, in the order in which it is looked at
    alerts: Sequence[Transition],
    route: Route,
    channels_of: Mapping[str, Sequence[str]],
    past: Past,
    silences: Sequence[Silence],
    acknowledged: Collection[str],
    now: datetime,
) -> list[Notification]:
    """Return what is to be told at *now*, in order of channel and group.

    Nobody is told of a pending alert, nor of one that ended before anybody was told that it fires.

    Args:
        alerts: the last transition of each alert that fires, and of each of `past.open_alerts()`.
        route: the root of the tree.
        channels_of: the names of the channels of each receiver.
        past: what was told.
        silences: those in force among them keep firing alerts from being told.
        acknowledged: ids of alerts that somebody took on.
        now: the present, UTC.
    """
    known = _latest(alerts)
    labels = {item.alert_id: readable_labels(item) for item in known}
    firing = [item for item in known if item.state == "firing"]
    muted = _silenced(firing, labels, silences, now) | _inhibited(firing)
    grouping = _Grouping(past, muted)
    for item in known:
        for channel, destination in _channels(route, labels[item.alert_id], channels_of).items():
            grouping.place(channel, destination, item)
    grouping.place_elsewhere(known, {channel for channels in channels_of.values() for channel in channels})
    groups = grouping.groups
    decided = (_decided(key, groups[key], past.groups.get(key), acknowledged, now) for key in sorted(groups))
    return [notification for notification in decided if notification is not None]


def _latest(alerts: Sequence[Transition]) -> list[Transition]:
    """Return the last transition of each alert that has fired, the alert that fired first first."""
    latest: dict[str, Transition] = {}
    for item in alerts:
        if item.fired_at is not None and item.sequence >= getattr(latest.get(item.alert_id), "sequence", 0):
            latest[item.alert_id] = item
    return sorted(latest.values(), key=lambda item: (item.severity, item.fired_at, item.alert_id))


def _silenced(
    firing: Sequence[Transition], labels: Mapping[str, Labels], silences: Sequence[Silence], now: datetime
) -> set[str]:
    active = [silence for silence in silences if silence.active(now)]
    return {item.alert_id for item in firing if any(silence.matches(labels[item.alert_id]) for silence in active)}


def _inhibited(firing: Sequence[Transition]) -> set[str]:
    paged = {item.slo_id for item in firing if item.severity == "page" and item.slo_id}
    return {item.alert_id for item in firing if item.severity == "ticket" and item.slo_id in paged}


def _channels(route: Route, labels: Labels, channels_of: Mapping[str, Sequence[str]]) -> dict[str, Destination]:
    """Return the channels that an alert is told on, each with the first of the routes that lead to it."""
    found: dict[str, Destination] = {}
    for destination in route.routes_of(labels):
        for channel in channels_of.get(destination.receiver, ()):
            found.setdefault(channel, destination)
    return found


def _decided(
    key: Group, members: _Members, before: GroupPast | None, acknowledged: Collection[str], now: datetime
) -> Notification | None:
    reason = _reason(members, before, acknowledged, now)
    if reason is None:
        return None
    channel, group_key = key
    return Notification(
        channel=channel,
        receiver=members.receiver,
        group_key=group_key,
        group_labels=members.labels,
        number=1 if before is None else before.number + 1,
        reason=reason,
        at=now,
        alerts=tuple(Told(item.alert_id, item.sequence, item.state) for item in members.firing + members.ended),
    )


def _reason(members: _Members, before: GroupPast | None, acknowledged: Collection[str], now: datetime) -> Reason | None:
    """Return why the group is to be told now, None where it is not."""
    timing = members.timing
    told = before.firing if before is not None else frozenset()
    new = [item for item in members.firing if item.alert_id not in told]
    if new and not told and now >= min(item.fired_at or item.at for item in new) + timing.group_wait:
        return "firing"
    if before is None or now - before.at < timing.group_interval:
        return None
    if new and told:
        return "more alerts"
    if members.ended:
        return "fewer alerts" if members.firing else "resolved"
    forgotten = any(item.alert_id not in acknowledged for item in members.firing)
    return "repeat" if told and forgotten and now - before.at >= timing.repeat_interval else None
