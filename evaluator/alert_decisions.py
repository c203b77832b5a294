"""What the signals of one tick do to alerts, stored as one batch."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from alerts.decide import closed, decide
from alerts.signal import AlertSignal
from alerts.transition import Transition
from evaluator.alert_store import AlertKey, AlertStore
from evaluator.objectives import NotEvaluatedError
from evaluator.signals import Explaining, SignalSource
from storage.errors import DatabaseError

log = logging.getLogger(__name__)

Retired: TypeAlias = Mapping[tuple[str, str], str]
AT_ONCE: Final = timedelta(seconds=10)  # shorter than the time between two ticks


def _nobody(_now: datetime) -> Retired:
    return {}


class AlertDecisions:
    """Asks every source, decides, and stores.

    Args:
        store: where transitions are kept.
        sources: what is asked, in this order; of two signals of one alert the first counts.
        retired: returns the (service, environment) that nobody waits for any more, and why: their alerts end.

    Attributes:
        failures: why sources failed at the last tick, by the name of their class.
        elsewhere: another evaluator decides on alerts at this tick; it gathers their evidence, and tells of them.
    """

    def __init__(
        self, store: AlertStore, sources: Sequence[SignalSource], retired: Callable[[datetime], Retired] = _nobody
    ) -> None:
        self.failures: dict[str, str] = {}
        self.elsewhere = False
        self._store = store
        self._sources = tuple(sources)
        self._retired = retired
        self._owners: dict[AlertKey, SignalSource] = {}

    def make(self, now: datetime) -> list[Transition]:
        """Decide on every alert at *now*, and return what was stored: nothing when another evaluator was first.

        Then the next tick decides on what that one stored.

        Raises:
            DatabaseError: the transitions cannot be read or stored.
        """
        self.elsewhere = False
        signals, failed = self._gather(now)
        latest = self._store.latest()
        self.elsewhere = self._store.others_at is not None and now - self._store.others_at < AT_ONCE
        ended = self._ended(latest, now)
        over = {(change.rule, change.severity) for change in ended}
        going_on = {key: signal for key, signal in signals.items() if key not in over}
        changes = [decide(latest.get(key), signal, now, signal.timing) for key, signal in going_on.items()]
        made = [*ended, *(change for change in changes if change is not None)]
        made += self._closed(latest, signals.keys() | over, failed, now)
        if not made:
            return []
        if not self._store.append(made, now):
            log.info("another evaluator decided first; the next tick goes on from there")
            self.elsewhere = True
            return []
        for change in made:
            log.info("alert %s is %s: %s", change.alert_id, change.state, change.summary)
        return made

    def _ended(self, latest: Mapping[AlertKey, Transition], now: datetime) -> list[Transition]:
        """Return the ends of the alerts of services that are retired: frozen without data, they would fire for ever."""
        try:
            retired = self._retired(now)
        except DatabaseError as error:  # then they end at a later tick
            log.warning("who is retired is not known at %s: %s", now.isoformat(), str(error)[:300])
            return []
        return [
            closed(last, now, retired[last.service, last.environment])
            for last in latest.values()
            if last.state != "resolved" and now > last.at and (last.service, last.environment) in retired
        ]

    def _gather(self, now: datetime) -> tuple[dict[AlertKey, AlertSignal], list[SignalSource]]:
        """Return what the sources say, and those that failed."""
        found: dict[AlertKey, AlertSignal] = {}
        failures: dict[str, str] = {}
        failed: list[SignalSource] = []
        for source in self._sources:
            try:
                signals = source.signals(now)
            except Exception as error:  # a fault in one kind of rules must not silence the others
                name = type(source).__name__
                failed.append(source)
                failures[name] = f"{type(error).__name__}: {error}"[:500]
                # a database that is away is no fault of ours: one line
                trace = not isinstance(error, DatabaseError | NotEvaluatedError)
                log.warning("%s failed at %s: %s", name, now.isoformat(), failures[name], exc_info=trace)
                continue
            for signal in signals:
                key = signal.rule, signal.severity
                if found.setdefault(key, signal) is signal:
                    self._owners[key] = source
        self.failures = failures
        return found, failed

    def _closed(
        self,
        latest: Mapping[AlertKey, Transition],
        known: Collection[AlertKey],
        failed: Collection[SignalSource],
        now: datetime,
    ) -> list[Transition]:
        """Return the ends of alerts that nothing is said of any more, with the reason: nothing would resolve them."""
        objectives = {rule for rule, _ in known}
        found = []
        for key, last in latest.items():
            if key in known or last.state == "resolved" or now <= last.at:
                continue
            owner = self._owners.get(key)  # not known after a start: then it may be any that failed
            if owner in failed or (owner is None and failed):
                continue
            gone = last.slo_id and last.slo_id not in objectives
            reason = self._why_unsaid(last.rule)
            if reason is None:
                reason = f"the {'objective' if gone else 'rule'} was removed"
            if reason:
                found.append(closed(last, now, reason))
        return found

    def _why_unsaid(self, rule: str) -> str | None:
        reasons = (source.why_unsaid(rule) for source in self._sources if isinstance(source, Explaining))
        return next((reason for reason in reasons if reason is not None), None)
