"""Telling every Alertmanager at each tick what fires; none of them waits for another, nor for the database."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from alerts.alertmanager import Alertmanager, Refusal
from alerts.errors import ChannelError, InvalidAlert
from alerts.peers import RESOLVED_FOR, Describe, PostedAlert, Posting, posting, unsilenced, watchdog
from alerts.transition import Transition
from evaluator.background import Background
from evaluator.liveness import Liveness
from storage.client import Database
from storage.errors import StorageError
from storage.live_transitions import live_transitions

log = logging.getLogger(__name__)

READ_S: Final = 3.0  # how long a tick waits for the database before it sends what it last read

Read = Callable[[datetime], Iterable[Transition]]
Silenced = Callable[[Iterable[Transition], datetime], Collection[str]]


@dataclass(frozen=True, slots=True)
class PeerState:
    """How one peer takes it: `alerts` were told at `last_ok`, `refused` names those that it will not have, and why."""

    name: str
    last_ok: datetime | None = None
    last_error: str = ""
    alerts: int = 0
    sent: int = 0
    errors: int = 0
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _News:
    """What was last read of the database."""

    transitions: tuple[Transition, ...] = ()
    silenced: Collection[str] = ()


class Peers:
    """Posts to all peers. Nothing needs to survive a restart: everything is sent again, and peers know what they know.

    While the database is away, what was last read goes on being posted: a peer must not call resolved what nobody has
    evaluated. The watchdog tells that something is wrong, by ending.

    Args:
        addresses: Returns the URLs of the Alertmanagers, asked at each tick: they may change.
        read: Returns the last transitions of what fires or has ended lately.
        describe: Gives labels, links and annotations of a transition.
        liveness: Whether evaluation and delivery work.
        silenced: Returns the ids of those alerts that a silence of ours matches.
        url: Where the watchdog leads.
        connect: Makes the sender to an address.
    """

    def __init__(
        self,
        addresses: Callable[[], Iterable[str]],
        read: Read,
        describe: Describe,
        liveness: Liveness,
        *,
        silenced: Silenced = lambda _transitions, _now: (),
        url: str = "",
        connect: Callable[[str], Alertmanager] = Alertmanager,
    ) -> None:
        self._addresses = addresses
        self._connect = connect
        self._peers: dict[str, _Peer] = {}
        self._unusable: frozenset[str] = frozenset()
        self._read = read
        self._describe = describe
        self._liveness = liveness
        self._silenced = silenced
        self._url = url
        self._reader = Background("peers-read")
        self._news: _News | None = None
        self._problems: tuple[str, ...] = ()
        self.read_error = ""

    @property
    def states(self) -> list[PeerState]:
        return [peer.state for peer in self._peers.values()]

    def tick(self, now: datetime) -> None:
        """Start a post to every peer that has answered the one before; it returns within a few seconds."""
        self._follow(self._addresses())
        if not self._peers:
            return
        self._reader.start(lambda: self._refresh(now))
        self._reader.wait(READ_S)
        news = self._news or _News()
        found = posting(news.transitions, self._describe, now)
        self._report(found)
        alive = watchdog(self._liveness.alive_at(now), self._url)
        always = [alive] if alive else []
        for peer in self._peers.values():
            peer.start(always, found.alerts, news.silenced, now)

    def wait(self, timeout_s: float) -> bool:
        """Wait until every peer has answered, at most *timeout_s* for each; False when one has not."""
        return all(peer.background.wait(timeout_s) for peer in self._peers.values())

    def close(self) -> None:
        for peer in self._peers.values():
            peer.alertmanager.close()

    def _follow(self, addresses: Iterable[str]) -> None:
        """Keep the peers that are still named, and connect to new ones."""
        before, found, unusable = self._peers, {}, set()
        for address in addresses:
            try:
                found[address] = before.get(address) or _Peer(self._connect(address))
            except InvalidAlert as error:
                unusable.add(str(error))
        for text in unusable - self._unusable:
            log.error("%s", text)
        self._unusable = frozenset(unusable)
        self._peers = found
        for address in before.keys() - found.keys():
            peer = before[address]
            peer.background.start(peer.alertmanager.close)  # not in the middle of a post

    def _refresh(self, now: datetime) -> None:
        try:
            transitions = tuple(self._read(now))
            self._news = _News(transitions, frozenset(self._silenced(transitions, now)))
        except StorageError as error:
            reason = f"{type(error).__name__}: {error}"[:300]
            if reason != self.read_error:
                log.warning("the Alertmanagers are told what was last read: %s", reason)
            self.read_error = reason
        else:
            self.read_error = ""

    def _report(self, found: Posting) -> None:
        """Log once what no peer can be told."""
        for problem in found.problems:
            if problem not in self._problems:
                log.warning("no Alertmanager can be told of %s", problem)
        self._problems = found.problems


@dataclass(slots=True)
class _Peer:
    """One peer, and the ids of the alerts that it was told of last."""

    alertmanager: Alertmanager
    state: PeerState = field(init=False)
    background: Background = field(init=False)
    told: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.state = PeerState(self.alertmanager.name)
        self.background = Background(f"alertmanager-{self.alertmanager.name}")

    def start(
        self, always: list[PostedAlert], alerts: Sequence[PostedAlert], silenced: Collection[str], now: datetime
    ) -> None:
        if not self.background.start(lambda: self._tell(always, alerts, silenced, now)):
            self._failed(f"{self.state.name} has not answered the post before this one")

    def _tell(
        self, always: list[PostedAlert], alerts: Sequence[PostedAlert], silenced: Collection[str], now: datetime
    ) -> None:
        chosen = [*always, *unsilenced(alerts, self._known(alerts, silenced), silenced)]
        self.told = frozenset(alert.alert_id for alert in chosen)  # it may arrive even if no answer does
        try:
            refusals = self.alertmanager.post(chosen)
        except ChannelError as error:
            self._failed(str(error))
        else:
            self._succeeded(len(chosen) - len(refusals), refusals, now)

    def _known(self, alerts: Sequence[PostedAlert], silenced: Collection[str]) -> Collection[str]:
        """Return the ids of silenced *alerts* that fire at the peer.

        It is asked, for we may have begun anew since it was told, and so may it. If it does not answer that, it knows
        what it was told last.
        """
        hidden = [alert for alert in alerts if alert.alert_id in silenced]
        if not hidden:
            return ()
        try:
            there = self.alertmanager.fingerprints({alert.labels.get("alertname", "") for alert in hidden})
        except ChannelError:
            return self.told
        return {alert.alert_id for alert in hidden if alert.fingerprint in there}

    def _succeeded(self, count: int, refusals: Sequence[Refusal], now: datetime) -> None:
        if self.state.last_error:
            log.info("Alertmanager %s answers again", self.state.name)
        refused = tuple(f"{refusal.alert.name}: {refusal.reason}" for refusal in refusals)
        for text in refused:
            if text not in self.state.refused:
                log.warning("Alertmanager %s refuses %s", self.state.name, text)
        self.state = replace(
            self.state, last_ok=now, last_error="", alerts=count, sent=self.state.sent + count, refused=refused
        )

    def _failed(self, reason: str) -> None:
        if not self.state.last_error:  # once, and not at every tick
            log.warning("an Alertmanager was not told: %s", reason)
        self.state = replace(self.state, last_error=reason, errors=self.state.errors + 1)


def stored_transitions(database: Database) -> Read:
    """Return what reads the last transition of every alert that fires or changed lately.

    A row that cannot be read is logged once, and keeps no other alert from being told.
    """
    unreadable: set[str] = set()

    def read(now: datetime) -> list[Transition]:
        found = []
        for body in live_transitions(database, since=now - RESOLVED_FOR):
            try:
                found.append(Transition.from_json(body))
            except InvalidAlert as error:
                if body not in unreadable:
                    log.error("no Alertmanager is told of a stored alert: %s", str(error)[:300])  # noqa: TRY400
                unreadable.add(body)
        return found

    return read
