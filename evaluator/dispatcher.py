"""Decides after each tick who is told of what, stores that, and hands it to the courier."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerts.courier import Courier
from alerts.dispatch import due
from alerts.errors import InvalidAlert
from alerts.evidence import Evidence
from alerts.group_message import Sign, group_message
from alerts.message import Links
from alerts.notification import Notification
from alerts.past import Past
from evaluator.hushed import Hushed
from evaluator.live_alerts import LiveAlerts
from evaluator.live_routing import Routing
from storage.append_log import last_batch
from storage.client import Database
from storage.evaluators import Heartbeat, living_writers
from storage.notifications import NotificationRow, Unsettled, append_notifications, notifications, unsettled

log = logging.getLogger(__name__)

REMEMBERED: Final = timedelta(days=30)
STILL_SENT: Final = timedelta(days=7)

EvidenceOf = Callable[[Sequence[str]], Mapping[str, Evidence]]


class Dispatcher:
    """Everything that it must remember is in the database, so that a restart, or another evaluator, goes on.

    Args:
        database: where notifications are stored.
        courier: sends them.
        routing: returns who is told now.
        writer: names this process among several evaluators; it sends the notifications that it was first to store.
        links: where links of messages lead.
        sign: signs links; see `alerts.group_message`.
        evidence: looks up what is known of the causes of alerts, by id.
        alone: no other evaluator can run on this database, so that any other writer is dead.
    """

    def __init__(
        self,
        database: Database,
        courier: Courier,
        routing: Callable[[], Routing],
        *,
        writer: str,
        links: Links,
        sign: Sign | None = None,
        evidence: EvidenceOf = lambda _ids: {},
        alone: bool = False,
    ) -> None:
        self._database = database
        self._courier = courier
        self._routing = routing
        self._writer = writer
        self._links = links
        self._sign = sign
        self._evidence = evidence
        self._alone = alone
        self._alerts = LiveAlerts(database)
        self._hushed = Hushed(database)
        self._heartbeat = Heartbeat(database, writer)
        self._past: Past | None = None
        self._batch = 0

    def resume(self, now: datetime) -> None:
        """Have sent what was left unsent, and decide nothing: what fires now is not known before an evaluation."""
        self._beat(now)
        self._catch_up(now)
        self._routing()  # the courier gets its channels
        self._send(now)

    def run(self, now: datetime) -> None:
        """Decide who is told at *now*, and have sent what is not sent yet."""
        self._beat(now)
        self._decide(now)
        self._send(now)

    def stop(self, timeout_s: float) -> bool:
        """Send nothing more; False when a receiver still has not answered after *timeout_s*."""
        return self._courier.stop(timeout_s)

    def _beat(self, now: datetime) -> None:
        if not self._alone:
            self._heartbeat.beat(now)

    def _decide(self, now: datetime) -> None:
        """Store what is due; where another evaluator was first nothing is, and the next tick decides anew."""
        past = self._catch_up(now)
        alerts = self._alerts.read(now, past.open_alerts())
        silences = self._hushed.silences(alerts, now)
        routing = self._routing()
        acknowledged = self._hushed.acknowledged(alerts)
        decided = due(alerts, routing.route, routing.channels_of, past, silences, acknowledged, now)
        if decided and self._append([_row(item) for item in decided], now):
            self._past = past.with_all(decided)

    def _catch_up(self, now: datetime) -> Past:
        """Return what was told so far, by whomever."""
        batch = last_batch(self._database, "notifications")
        past = self._past
        if past is None or batch < self._batch:
            begun = [item.started_at for item in self._alerts.read(now) if item.state != "resolved"]
            past = Past.of(self._read(since=min([now - REMEMBERED, *begun])))
        elif batch > self._batch:
            new = self._read(since=now - REMEMBERED, after=self._batch)
            past = past.with_all([item for item in new if not _knows(past, item)])
        self._past, self._batch = past, batch
        return past

    def _read(self, *, since: datetime, after: int = 0) -> list[Notification]:
        bodies = notifications(self._database, since=since, after=after)
        return [Notification.from_json(body) for body in bodies]

    def _append(self, rows: Sequence[NotificationRow], now: datetime) -> bool:
        if not append_notifications(self._database, rows, writer=self._writer, after=self._batch, now=now):
            return False
        self._batch += 1
        return True

    def _send(self, now: datetime) -> None:
        """Offer the courier what is not settled and this writer's, each group in order."""
        held = self._courier.holds()  # asked before the store is: what is settled in between must not be sent again
        waiting = unsettled(self._database, since=now - STILL_SENT)
        mine = self._claimed([item for item in waiting if item.row.id not in held], now)
        stuck: set[tuple[str, str]] = set()  # groups with an earlier message that somebody else, or nobody, sends
        ready: list[tuple[Notification, Unsettled]] = []
        for item in waiting:
            group = (item.row.channel, item.row.group_key)
            if item.row.id in held:
                continue
            if item.row.id not in mine or group in stuck:
                stuck.add(group)
                continue
            ready.append((Notification.from_json(item.row.body), item))
        self._offer(ready)

    def _claimed(self, waiting: Sequence[Unsettled], now: datetime) -> set[str]:
        """Return the ids that this writer sends, those among them that it takes over from the dead just now."""
        mine = {item.row.id for item in waiting if item.writer == self._writer}
        others = [item for item in waiting if item.writer != self._writer]
        living = set() if self._alone or not others else living_writers(self._database, now)
        orphans = [item.row for item in others if item.writer not in living]
        if orphans and self._append(orphans, now):
            log.info("%d messages that another evaluator left unsent are sent by this one", len(orphans))
            mine |= {row.id for row in orphans}
        return mine

    def _offer(self, ready: Sequence[tuple[Notification, Unsettled]]) -> None:
        transitions = self._alerts.told_by(item for item, _ in ready)
        evidence = self._evidence(sorted({told.alert_id for item, _ in ready for told in item.alerts}))
        full: set[str] = set()
        for item, stored in ready:
            if item.channel in full:
                continue  # what comes later in its group must not go first
            told = [
                transitions[key] for alert in item.alerts if (key := (alert.alert_id, alert.sequence)) in transitions
            ]
            if not told:
                self._courier.refuse(item, "the alerts that it tells of are not stored any more", stored.attempts)
                continue
            try:
                message = group_message(item, told, self._links, evidence=evidence, sign=self._sign)
            except InvalidAlert as error:
                self._courier.refuse(item, str(error), stored.attempts)
                continue
            if not self._courier.offer(item, message, stored.attempts):
                full.add(item.channel)


def _knows(past: Past, item: Notification) -> bool:
    """Return whether *item* is counted in *past* already: what another evaluator took over is stored once more."""
    group = past.groups.get((item.channel, item.group_key))
    return group is not None and item.number <= group.number


def _row(item: Notification) -> NotificationRow:
    return NotificationRow(
        item.id,
        item.channel,
        item.group_key,
        item.number,
        item.at,
        tuple(told.alert_id for told in item.alerts if told.state == "firing"),
        tuple(told.alert_id for told in item.alerts if told.state == "resolved"),
        item.to_json(),
    )
