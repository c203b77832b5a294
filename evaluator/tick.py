"""One tick: evaluate, decide, store, gather evidence, deliver."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from alerts.transition import Transition
from evaluator.alert_decisions import AlertDecisions, Retired
from evaluator.alert_store import AlertStore
from evaluator.evidence_queue import EvidenceQueue
from evaluator.minutes import MinuteCounter
from evaluator.objectives import ExhaustionSource, ObjectiveSource
from evaluator.revisions import RevisionKeeper
from evaluator.signals import SignalSource
from storage.client import Database
from storage.errors import DatabaseError
from storage.slo_catalog import SloCatalog
from storage.standing import Standing

log = logging.getLogger(__name__)

BACKFILL_BUDGET = timedelta(seconds=4)
SLOW_S = 10.0  # a tick comes every 15 s


@dataclass(slots=True)
class TickState:
    """How the last tick went, for status pages.

    `problems`: what is wrong with indicators, by the objective's id. `failures`: why sources of signals failed, by
    their names; the alerts of such a source stayed as they were.
    """

    last_at: datetime | None = None
    last_error: str = ""
    seconds: float = 0.0
    minutes: int = 0
    standings: list[Standing] = field(default_factory=list)
    problems: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Delivery(Protocol):
    """What tells people of alerts; `resume` sends what was decided before, and decides nothing."""

    def resume(self, now: datetime) -> None: ...

    def run(self, now: datetime) -> None: ...

    def stop(self, timeout_s: float) -> bool: ...


class Evaluator:
    """Runs ticks. Everything it must remember is in the database, so a restart goes on where it stopped.

    *sources* are asked for signals beside the objectives.
    """

    def __init__(
        self,
        database: Database,
        catalog: SloCatalog,
        store: AlertStore,
        *,
        raw_retention: timedelta,
        dispatcher: Delivery | None = None,
        evidence: EvidenceQueue | None = None,
        retired: Callable[[datetime], Retired] | None = None,
        revisions: RevisionKeeper | None = None,
        sources: Sequence[SignalSource] = (),
        metrics_retention: timedelta = timedelta(days=31),
        rollup_retention: timedelta = timedelta(days=400),
    ) -> None:
        self.state = TickState()
        self._database = database
        self._dispatcher = dispatcher
        self._counter = MinuteCounter(
            database,
            raw_retention=raw_retention,
            metrics_retention=metrics_retention,
            rollup_retention=rollup_retention,
        )
        self._objectives = ObjectiveSource(database, catalog, self._counter)
        exhaustion = ExhaustionSource(database, self._objectives)
        self._decisions = AlertDecisions(store, (self._objectives, exhaustion, *sources), retired or (lambda _now: {}))
        self._evidence = evidence
        self._revisions = revisions
        self._first = True

    def tick(self, now: datetime) -> None:
        """Evaluate everything as of *now*. A failure is noted and does not stop the next tick, nor delivery.

        That a source of signals fails is told too, but objectives alone decide whether evaluation works: one broken
        rule must not stop the signs of life.
        """
        started = time.perf_counter()
        outcomes, told = [], []
        for name, step in self._steps():
            began = time.perf_counter()
            outcomes.append(self._succeeds(step, now))
            told.append(f"{name} {time.perf_counter() - began:.1f} s")
        self.state.seconds = time.perf_counter() - started
        if self.state.seconds > SLOW_S:
            log.warning("the tick of %s took %.1f s: %s", now.isoformat(), self.state.seconds, ", ".join(told))
        if all(outcomes):
            texts = (f"{source}: {reason}" for source, reason in self.state.failures.items())
            self.state.last_error = "; ".join(texts)[:500]
            if type(self._objectives).__name__ not in self.state.failures:
                self.state.last_at = now

    def backfill(self, _now: datetime) -> None:
        """Go on counting the past of new indicators, for a few seconds at most. A failure is tried again next time."""
        try:
            self._counter.backfiller.work(BACKFILL_BUDGET)
        except DatabaseError as error:
            log.warning("the backfill stopped: %s", str(error)[:300])

    def stop(self, timeout_s: float) -> bool:
        """Send no more messages and gather nothing more; False when what was begun has not ended after *timeout_s*."""
        until = time.monotonic() + timeout_s
        ended = self._dispatcher is None or self._dispatcher.stop(timeout_s)
        left_s = max(until - time.monotonic(), 0)
        return (self._evidence is None or self._evidence.stop(left_s)) and ended

    def _steps(self) -> list[tuple[str, Callable[[datetime], object]]]:
        """Return what a tick consists of, in order.

        What the last process left unsent does not wait for the longest evaluation of all, the one after a start.
        """
        steps: list[tuple[str, Callable[[datetime], object]]] = [
            ("alerts", self._alert),
            ("evidence", self._gather),
            ("messages", self._dispatch),
            ("revisions", self._revise),
        ]
        if self._first:
            steps.insert(0, ("messages left over", self._resume))
            self._first = False
        return steps

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

    def _alert(self, now: datetime) -> None:
        """Ask every source of signals, and store what that changes."""
        objectives, decisions = self._objectives, self._decisions
        try:
            made = decisions.make(now)
        finally:
            self.state.minutes, self.state.problems = objectives.minutes, objectives.problems
            self.state.standings, self.state.failures = objectives.standings, decisions.failures
        self._want_evidence(made)

    def _want_evidence(self, made: Sequence[Transition]) -> None:
        if self._evidence is None:
            return
        standings = {standing.slo.id: standing for standing in self.state.standings}
        for change in made:
            if change.state == "firing" and change.changes_state:
                self._evidence.add(change, standings.get(change.slo_id))

    def _gather(self, now: datetime) -> None:
        """Have evidence gathered: messages carry what is there within a few seconds, and wait no longer."""
        if self._evidence is not None:
            self._evidence.gather(now)

    def _resume(self, now: datetime) -> None:
        if self._dispatcher is not None:
            self._dispatcher.resume(now)

    def _dispatch(self, now: datetime) -> None:
        """Have people told; of what another evaluator decides in this moment it tells, once it has the evidence."""
        if self._dispatcher is None:
            return
        if self._decisions.elsewhere:
            self._dispatcher.resume(now)
        else:
            self._dispatcher.run(now)

    def _revise(self, now: datetime) -> None:
        if self._revisions is not None:
            self._revisions.update((standing.slo for standing in self.state.standings), now)
