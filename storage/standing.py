"""Where every objective stands at a moment: windows from the stored minutes, judged by the domain."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slo.evaluation import Evaluation, budget_window, evaluate, needed_windows, window_bounds
from slo.model import Slo
from storage.client import Database
from storage.services import services
from storage.sli_minutes import SeriesWindows, windows

LATENESS = timedelta(seconds=10)
ALIVE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective and its evaluation over windows that end at `as_of` (exclusive, a whole minute)."""

    slo: Slo
    evaluation: Evaluation
    as_of: datetime


def standings(database: Database, slos: Iterable[Slo], now: datetime) -> list[Standing]:
    """Return where *slos* stand at *now*, from the minutes counted so far."""
    wanted = list(slos)
    _, end = window_bounds(now, timedelta(0), LATENESS)
    lengths = frozenset[timedelta]().union(*(needed_windows(slo, end) for slo in wanted))
    found = windows(database, (slo.indicator.series_id for slo in wanted), lengths, end=end)
    alive = {(red.name, red.environment) for red in services(database, start=end - ALIVE, end=end)}
    names = {name for name, _ in alive}
    return [_standing(slo, found[slo.indicator.series_id], end, alive, names) for slo in wanted]


def _standing(slo: Slo, series: SeriesWindows, end: datetime, alive: set[tuple[str, str]], names: set[str]) -> Standing:
    environment = slo.indicator.environment
    seen = slo.service in names if environment is None else (slo.service, environment) in alive
    evaluation = evaluate(slo, series.counts, end=end, coverage=_coverage(slo, series, end), seen_recently=seen)
    return Standing(slo, evaluation, end)


def _coverage(slo: Slo, series: SeriesWindows, end: datetime) -> float:
    """Return the share of the objective's window that lies behind the first counted event."""
    if series.first_minute is None:
        return 0.0
    return min(1.0, (end - series.first_minute) / budget_window(slo, end))
