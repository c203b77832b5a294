"""When the budget of an objective runs out, from its stored minutes."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from slo.budgeting import Occurrences
from slo.exclusion import Interval, excluded_time, within
from slo.forecast import SCENARIOS, Forecast, Past, Scenario, Step, calendar_forecast, rolling_forecast
from slo.model import EventCounts, Slo
from slo.window import CalendarWindow
from storage.client import Database
from storage.maintenance import maintenance_exclusions
from storage.times import whole

COARSE = timedelta(minutes=5)
FINE = timedelta(minutes=1)


def forecasts(
    database: Database, slo: Slo, *, end: datetime, scenarios: Sequence[Scenario] = SCENARIOS
) -> tuple[Forecast, ...]:
    """Return what becomes of the budget of *slo* after *end*, for each of *scenarios*; () for slices of time.

    Steps are counted back from *end*, so the last minute is in them. Excluded minutes, maintenance among them, are left
    out of the events and of the time that they came in; what came before the first counted event of the window is taken
    as not observed.
    """
    if not isinstance(slo.budgeting, Occurrences):
        return ()
    start, finish = slo.window.period(end)
    length = FINE if (end - start) % COARSE or (finish - end) % COARSE else COARSE
    planned = maintenance_exclusions(database, slo, start, end)
    excluded = within(excluded_time((*slo.exclusions, *planned)), start, end)
    known = _steps(database, slo, (start, end), length, excluded)
    past = Past(known, length, end, min((step.start for step in known), default=None), excluded)
    if isinstance(slo.window, CalendarWindow):
        return calendar_forecast(past, slo.target, start, finish, scenarios)
    return rolling_forecast(past, slo.target, slo.period, scenarios)


def _steps(
    database: Database, slo: Slo, between: Interval, length: timedelta, excluded: Iterable[Interval]
) -> list[Step]:
    start, end = between
    parameters = {
        "series": slo.indicator.series_id,
        "start": whole(start),
        "end": whole(end),
        "step_s": int(length.total_seconds()),
        "excluded": [(whole(since), whole(until)) for since, until in excluded],
    }
    rows = database.rows("sli_aligned_steps", parameters)
    return [Step(row["at"], EventCounts(row["good"], row["good"] + row["bad"])) for row in rows]
