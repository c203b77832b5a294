"""When the budget of an objective runs out, from its stored minutes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from slo.budgeting import Occurrences
from slo.forecast import SCENARIOS, Forecast, Past, Scenario, Step, calendar_forecast, rolling_forecast
from slo.model import EventCounts, Slo
from slo.window import CalendarWindow
from storage.client import Database
from storage.sli_minutes import steps

COARSE = timedelta(minutes=5)
FINE = timedelta(minutes=1)


def forecasts(
    database: Database, slo: Slo, *, end: datetime, scenarios: Sequence[Scenario] = SCENARIOS
) -> tuple[Forecast, ...]:
    """Return what becomes of the budget of *slo* after *end*, for each of *scenarios*; () for slices of time.

    It begins at the last whole five minutes (of a window that is not whole five minutes, at the minute). Excluded time
    is left out; what came before the first counted event of the window is taken as not observed.
    """
    if not isinstance(slo.budgeting, Occurrences):
        return ()
    length = FINE if slo.period % COARSE else COARSE
    as_of = end - timedelta(seconds=end.timestamp() % length.total_seconds())
    start, finish = slo.window.period(as_of)
    found = steps(database, slo.indicator.series_id, start=start, end=as_of, step_s=int(length.total_seconds()))
    known = [Step(item.at, EventCounts(item.good, item.good + item.bad)) for item in found]
    kept = [step for step in known if not _excluded(slo, step.start)]
    past = Past(kept, length, as_of, observed_since=min((step.start for step in known), default=None))
    if isinstance(slo.window, CalendarWindow):
        return calendar_forecast(past, slo.target, start, finish, scenarios)
    return rolling_forecast(past, slo.target, slo.period, scenarios)


def _excluded(slo: Slo, moment: datetime) -> bool:
    return any(item.start <= moment < item.end for item in slo.exclusions)
