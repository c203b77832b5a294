"""What an alert brings along, gathered once, when it fires."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.evidence import Evidence
from alerts.evidence_summary import evidence_summary
from alerts.transition import Transition
from evaluator import evidence_parts as parts
from evaluator import evidence_traces as told
from evaluator.evidence_parts import Case, Part
from slo.duration import parse_duration
from slo.evaluation import Evaluation
from slo.model import Slo
from storage.client import Database

log = logging.getLogger(__name__)

SECONDS: Final = 5.0
WINDOW: Final = timedelta(hours=1)  # looked at for alerts that are about no window
# what is needed first comes first: when time runs out the rest is missing
PARTS: Final[tuple[tuple[str, Part], ...]] = (
    ("budget", parts.budget),
    ("start of the trouble", parts.began),
    ("traces", told.traces),
    ("pinned traces", told.pins),
    ("who spent the budget", parts.spenders),
    ("deployments", parts.deployments),
    ("experiments", told.experiments),
    ("differences", parts.telling_values),
    ("forecast", parts.future),
    ("logs", told.logs),
    ("past alerts", parts.past),
)


class EvidenceGatherer:
    """Asks the database what is known of an alert's cause.

    Args:
        database: where spans, logs and alerts are.
        seconds: how long one alert may take; a part that has begun is finished.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self, database: Database, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._clock = clock

    def gather(
        self, transition: Transition, slo: Slo | None, evaluation: Evaluation | None, end: datetime, *, now: datetime
    ) -> Evidence:
        """Return what is known at *now* of why *transition* fires; what fails or takes too long is named as missing.

        Args:
            transition: an alert that began to fire.
            slo: its objective, None where the alert is about something else.
            evaluation: the one that made it fire, None without an objective.
            end: of the windows that were judged, a whole minute.
            now: the present.
        """
        start = _start(transition, end)
        case = Case(transition, slo, evaluation, start, end, now)
        found = Evidence(
            alert_id=transition.alert_id,
            gathered_at=now,
            start=start,
            end=end,
            summary=transition.summary,
            owner="" if slo is None else slo.owner,
            runbook=transition.details.runbook or ("" if slo is None else slo.runbook),
        )
        found, missing = self._with_parts(case, found)
        found = replace(found, missing=missing)
        return replace(found, summary=evidence_summary(transition, found))

    def _with_parts(self, case: Case, found: Evidence) -> tuple[Evidence, tuple[str, ...]]:
        until = self._clock() + self._seconds
        missing: list[str] = []
        for name, part in PARTS:
            if self._clock() >= until:
                missing.append(f"{name}: not enough time")
                continue
            try:
                found = part(self._database, case, found)
            except Exception as error:  # whatever is wrong with one part, the alert shows the others
                log.warning("no %s for alert %s", name, found.alert_id, exc_info=True)
                missing.append(f"{name}: {type(error).__name__}")
        return found, tuple(missing)


def _start(transition: Transition, end: datetime) -> datetime:
    longest = parts.longest_window(transition)
    return end - (WINDOW if longest is None else parse_duration(longest.window))
