"""What went wrong, as far as anyone or anything noted it: the measure of an alert policy."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from alerts.backtest import RecordedTrouble
from alerts.transition import readable
from api import models as m
from slo.model import Slo
from storage.annotations import annotations
from storage.client import Database
from storage.runs import list_runs
from storage.transitions import transitions

LONGEST: Final = timedelta(days=30)  # an alert that began earlier than this before the time asked for is not looked up
MOST_RUNS: Final = 1000
KIND: Final = "incident"


def recorded_trouble(
    database: Database, slo: Slo, start: datetime, end: datetime, *, ignored: Collection[str] = ()
) -> list[RecordedTrouble]:
    """Return the incidents of the service of *slo* that touch [start, end), oldest first.

    They are annotations of the kind "incident" that name the service or none at all; the faults of chaos runs against
    the service that deviated from their hypothesis; and pages (not tickets, which take days) of other objectives of the
    same service and environment. The alerts of *ignored* objectives do not count: those of the objective itself, and of
    any that counts the same events, say nothing new.
    """
    found = [
        *_annotated(database, slo, start, end),
        *_runs(database, slo, start, end),
        *_paged(database, slo, start, ignored),
    ]
    touching = (item for item in found if item.start < end and (item.end is None or item.end > start))
    return sorted(touching, key=lambda item: (item.start, item.title))


def _annotated(database: Database, slo: Slo, start: datetime, end: datetime) -> list[RecordedTrouble]:
    return [
        RecordedTrouble("annotation", noted.title, noted.started_at, noted.ended_at)
        for noted in annotations(database, start=start, end=end)
        if noted.kind == KIND and (not noted.services or slo.service in noted.services)
    ]


def _runs(database: Database, slo: Slo, start: datetime, end: datetime) -> list[RecordedTrouble]:
    return [
        RecordedTrouble("chaos run", run.title, window.started_at, window.ended_at)
        for run in list_runs(database, since=start, until=end, limit=MOST_RUNS).runs
        if run.verdict == "deviated" and slo.service in run.services and _shares_environment(slo, run.environment)
        for window in map(m.RunWindow.model_validate, run.windows)
        if window.phase == "fault"
    ]


def _shares_environment(slo: Slo, environment: str) -> bool:
    """Whether requests of *environment* ("": of all) can be events of *slo*; that of all environments has them all."""
    return environment == "" or slo.indicator.environment in (None, environment)


def _paged(database: Database, slo: Slo, start: datetime, ignored: Collection[str]) -> list[RecordedTrouble]:
    stored = readable(transitions(database, since=start - LONGEST))
    last = {transition.alert_id: transition for transition in stored}
    return [
        RecordedTrouble("alert", transition.details.slo_name, transition.fired_at, transition.resolved_at)
        for transition in last.values()
        if transition.fired_at is not None
        and transition.severity == "page"
        and transition.slo_id not in {slo.id, *ignored}
        and (transition.service, transition.environment) == (slo.service, slo.environment)
    ]
