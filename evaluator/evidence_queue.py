"""Alerts whose evidence is to be gathered, a few each tick: a thousand must stop neither evaluation nor messages."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from alerts.evidence import Evidence
from alerts.transition import Transition
from slo.evaluation import Evaluation
from slo.model import Slo
from slo.policy import SEVERITIES
from storage.standing import Standing

log = logging.getLogger(__name__)

WORTH_KNOWING_FOR: Final = timedelta(minutes=10)
A_TICK: Final = timedelta(seconds=4)
PATIENCE: Final = timedelta(seconds=3)  # how long messages wait for evidence
FEW: Final = 20  # alerts at once whose messages wait: of more, most would wait for nothing


class Gatherer(Protocol):
    def gather(
        self, transition: Transition, slo: Slo | None, evaluation: Evaluation | None, end: datetime, *, now: datetime
    ) -> Evidence: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    transition: Transition
    standing: Standing | None

    @property
    def urgency(self) -> tuple[int, float]:
        """Pages before tickets, the newest first."""
        return SEVERITIES.index(self.transition.severity), -self.transition.at.timestamp()


class EvidenceQueue:
    """Gathers evidence within a budget of time a tick, newest pages first, and goes on in later ticks.

    Args:
        gatherer: asks the database.
        keep: stores what was gathered; what it raises is logged, and that alert is done with.
        patience: how long `gather` waits for what was added of late.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        gatherer: Gatherer,
        keep: Callable[[Transition, Evidence], None],
        *,
        patience: timedelta = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gatherer = gatherer
        self._keep = keep
        self._patience = patience
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._awaited: set[str] = set()  # of the alerts that were added since the last `gather`, those not done with
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, transition: Transition, standing: Standing | None = None) -> None:
        """Have evidence gathered for an alert that began to fire; *standing* is None where it has no objective."""
        with self._changed:
            self._waiting[transition.alert_id] = _Waiting(transition, standing)
            self._awaited.add(transition.alert_id)

    def gather(self, now: datetime) -> bool:
        """Begin to `work` in another thread, and return whether everything is gathered that was added of late.

        That is waited for, but no longer than there is patience, and not at all where more than FEW alerts were added:
        whoever is told of those gets the evidence by its link.
        """
        with self._changed:
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self.work, args=(now,), name="evidence", daemon=True)
                self._thread.start()
            if len(self._awaited) <= FEW:
                self._changed.wait_for(lambda: not self._awaited, self._patience.total_seconds())
            missing = len(self._awaited)
            self._awaited.clear()
        if missing:
            log.info("the evidence of %d alerts comes after their messages", missing)
        return not missing

    def work(self, now: datetime, budget: timedelta = A_TICK) -> list[Evidence]:
        """Gather for as long as *budget*, at least for one alert, and return what was gathered and kept.

        What has begun is finished, so it may take longer by what the gatherer takes for one alert. What has waited for
        more than WORTH_KNOWING_FOR is dropped.
        """
        self._drop_old(now)
        until = self._clock() + budget.total_seconds()
        gathered: list[Evidence] = []
        item = self._next()
        while item is not None:
            found = self._gathered(item, now)
            gathered += [] if found is None else [found]
            item = self._next(item, until)
        return gathered

    def stop(self, timeout_s: float) -> bool:
        """Begin no more; False when the evidence that is being gathered takes longer than *timeout_s*."""
        with self._changed:
            self._stopping = True
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def _next(self, done: _Waiting | None = None, until: float = math.inf) -> _Waiting | None:
        """Return what is most urgent, None when it is time to end; what was added meanwhile counts."""
        with self._changed:
            if done is not None:
                self._awaited.discard(done.transition.alert_id)
            found = min(self._waiting.values(), key=lambda waiting: waiting.urgency, default=None)
            if found is None or self._stopping or self._clock() >= until:
                found = self._thread = None  # under the lock: whoever adds from now on begins anew
            else:
                del self._waiting[found.transition.alert_id]
            self._changed.notify_all()
        return found

    def _gathered(self, item: _Waiting, now: datetime) -> Evidence | None:
        transition, standing = item.transition, item.standing
        slo, evaluation = (None, None) if standing is None else (standing.slo, standing.evaluation)
        end = transition.at.replace(second=0, microsecond=0) if standing is None else standing.as_of
        try:
            found = self._gatherer.gather(transition, slo, evaluation, end, now=now)
            self._keep(transition, found)
        except Exception:  # one alert's evidence must not cost the others theirs, nor the tick
            log.exception("the evidence of alert %s was not kept", transition.alert_id)
            return None
        return found

    def _drop_old(self, now: datetime) -> None:
        with self._changed:
            old = [item.transition for item in self._waiting.values() if now - item.transition.at > WORTH_KNOWING_FOR]
            for transition in old:
                del self._waiting[transition.alert_id]
        for transition in old:
            log.warning("no evidence for alert %s: there was no time for it in 10 minutes", transition.alert_id)
