"""One tick: count minutes, evaluate, decide, store, gather evidence, deliver."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.burn_rate import signals_of
from alerts.decide import AlertMemory, decide, remember
from alerts.signal import AlertSignal
from alerts.transition import Transition
from evaluator.alert_store import AlertStore
from evaluator.dispatcher import Dispatcher
from evaluator.evidence import with_exemplars
from evaluator.minutes import MinuteCounter
from evaluator.revisions import RevisionKeeper
from storage.client import Database
from storage.errors import DatabaseError
from storage.slo_catalog import SloCatalog
from storage.standing import Standing, standings

log = logging.getLogger(__name__)

BACKFILL_BUDGET = timedelta(seconds=4)
Key = tuple[str, str]  # (SLO id, severity)


@dataclass(slots=True)
class TickState:
    """How the last tick went, for status pages. `problems`: what is wrong with indicators, by the objective's id."""

    last_at: datetime | None = None
    last_error: str = ""
    seconds: float = 0.0
    minutes: int = 0
    standings: list[Standing] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)


class Evaluator:
    """Runs ticks. Everything it must remember is in the database, so a restart goes on where it stopped."""

    def __init__(
        self,
        database: Database,
        catalog: SloCatalog,
        store: AlertStore,
        *,
        raw_retention: timedelta,
        dispatcher: Dispatcher | None = None,
        revisions: RevisionKeeper | None = None,
        metrics_retention: timedelta = timedelta(days=31),
        rollup_retention: timedelta = timedelta(days=400),
    ) -> None:
        self.state = TickState()
        self._database = database
        self._catalog = catalog
        self._store = store
        self._dispatcher = dispatcher
        self._counter = MinuteCounter(
            database,
            raw_retention=raw_retention,
            metrics_retention=metrics_retention,
            rollup_retention=rollup_retention,
        )
        self._memories: dict[Key, AlertMemory] | None = None
        self._revisions = revisions

    def tick(self, now: datetime) -> None:
        """Evaluate everything as of *now*. A failure is noted and does not stop the next tick, nor delivery."""
        started = time.perf_counter()
        outcomes = [self._succeeds(step, now) for step in (self._evaluate, self._dispatch, self._revise)]
        self.state.seconds = time.perf_counter() - started
        if all(outcomes):
            self.state.last_error = ""
            self.state.last_at = now

    def backfill(self, _now: datetime) -> None:
        """Go on counting the past of new indicators, for a few seconds at most. A failure is tried again next time."""
        try:
            self._counter.backfiller.work(BACKFILL_BUDGET)
        except DatabaseError as error:
            log.warning("the backfill stopped: %s", str(error)[:300])

    def stop(self, timeout_s: float) -> bool:
        """Send no more messages; False when a receiver still has not answered after *timeout_s*."""
        return self._dispatcher is None or self._dispatcher.stop(timeout_s)

    def _succeeds(self, step: Callable[[datetime], object], now: datetime) -> bool:
        try:
            step(now)
        except DatabaseError as error:  # a database that is away is no fault of ours: one line, and the next tick
            self.state.last_error = f"{type(error).__name__}: {error}"[:500]
            log.warning("the tick of %s failed: %s", now.isoformat(), str(error)[:300])
            return False
        except Exception as error:
            self.state.last_error = f"{type(error).__name__}: {error}"[:500]
            log.exception("the tick of %s failed", now.isoformat())
            return False
        return True

    def _evaluate(self, now: datetime) -> None:
        slos = list(self._catalog.load(self._database, now).slos.values())
        self.state.minutes = self._counter.update(slos, now)
        self.state.problems = self._counter.problems(slos)
        self.state.standings = standings(self._database, slos, now)
        memories = self._recall()
        for standing in self.state.standings:
            for signal in signals_of(standing.slo, standing.evaluation):
                self._decide(memories, standing, signal, now)
        self._close_removed(memories, (slo.id for slo in slos), now)

    def _dispatch(self, now: datetime) -> None:
        if self._dispatcher is not None:
            self._dispatcher.run(now)

    def _revise(self, now: datetime) -> None:
        if self._revisions is not None:
            self._revisions.update((standing.slo for standing in self.state.standings), now)

    def _recall(self) -> dict[Key, AlertMemory]:
        if self._memories is None:
            self._memories = {(last.slo_id, last.severity): AlertMemory(last) for last in self._store.latest()}
        return self._memories

    def _decide(self, memories: dict[Key, AlertMemory], standing: Standing, signal: AlertSignal, now: datetime) -> None:
        key = (standing.slo.id, signal.severity)
        before = memories.get(key)
        change = decide(before, signal, now)
        if change is not None:
            if change.state == "firing":
                change = with_exemplars(self._database, change, standing.slo, standing.evaluation, standing.as_of)
            if not self._stored(change):
                return
        after = remember(before, change, signal, now)
        if after is not None:
            memories[key] = after

    def _stored(self, change: Transition) -> bool:
        """Store *change*. When another evaluator was first, what it stored is read before the next tick."""
        if self._store.store(change):
            log.info("alert %s is %s: %s", change.alert_id, change.state, change.summary)
            return True
        self._memories = None
        return False

    def _close_removed(self, memories: dict[Key, AlertMemory], present: Iterable[str], now: datetime) -> None:
        """Resolve the alerts of objectives that are gone: nothing would ever resolve them."""
        ids = set(present)
        for key, memory in list(memories.items()):
            last = memory.last
            if key[0] in ids or last.state == "resolved" or now <= last.at:
                continue
            closed = replace(
                last,
                sequence=last.sequence + 1,
                state="resolved",
                at=now,
                resolved_at=now,
                summary=f"{last.details.slo_name}: the objective was removed",
            )
            if self._stored(closed):
                memories[key] = AlertMemory(closed)
