"""Alerts whose evidence is to be gathered, a few each tick: a thousand at once must not stop the evaluation."""

import logging
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
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        gatherer: Gatherer,
        keep: Callable[[Transition, Evidence], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gatherer = gatherer
        self._keep = keep
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, transition: Transition, standing: Standing | None = None) -> None:
        """Have evidence gathered for an alert that began to fire; *standing* is None where it has no objective."""
        self._waiting[transition.alert_id] = _Waiting(transition, standing)

    def work(self, now: datetime, budget: timedelta = A_TICK) -> list[Evidence]:
        """Gather for as long as *budget*, at least for one alert, and return what was gathered and kept.

        What has begun is finished, so a tick may take longer by what the gatherer takes for one alert. What has waited
        for more than WORTH_KNOWING_FOR is dropped.
        """
        self._drop_old(now)
        until = self._clock() + budget.total_seconds()
        gathered: list[Evidence] = []
        for item in sorted(self._waiting.values(), key=lambda waiting: waiting.urgency):
            del self._waiting[item.transition.alert_id]
            found = self._gathered(item, now)
            gathered += [] if found is None else [found]
            if self._clock() >= until:
                break
        return gathered

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
        old = [item.transition for item in self._waiting.values() if now - item.transition.at > WORTH_KNOWING_FOR]
        for transition in old:
            del self._waiting[transition.alert_id]
            log.warning("no evidence for alert %s: there was no time for it in 10 minutes", transition.alert_id)
