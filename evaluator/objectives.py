"""Signals of objectives: minutes are counted and windows judged, and forecasts of budgets are made."""

from datetime import datetime, timedelta
from typing import Final

from alerts.budget_rules import EXHAUSTION_SCENARIO, ExhaustionSignal, budget_signals
from alerts.burn_rate import signals_of
from alerts.signal import AlertSignal
from evaluator.minutes import MinuteCounter
from slo.budget_policy import ExhaustionAlert
from slo.forecast import Forecast
from slo.model import Slo
from storage.client import Database
from storage.forecasts import forecasts
from storage.slo_catalog import SloCatalog
from storage.standing import Standing, standings

FORECAST_MINUTES: Final = 5  # a forecast reads the whole window of an objective, and is as long as this one


class NotEvaluatedError(Exception):
    """Where objectives stand at this moment is not known."""


class ObjectiveSource:
    """Evaluates every objective; implements `SignalSource`.

    `minutes` were counted and `problems` found by the last evaluation; `standings` are those of the last one that came
    to its end.
    """

    def __init__(self, database: Database, catalog: SloCatalog, counter: MinuteCounter) -> None:
        self.minutes = 0
        self.problems: dict[str, list[str]] = {}
        self.standings: list[Standing] = []
        self._evaluated_at: datetime | None = None
        self._database = database
        self._catalog = catalog
        self._counter = counter

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return the signals of burn rates and budgets, of every severity that there is.

        Raises:
            DatabaseError: the database cannot be read.
        """
        self._evaluated_at = None
        slos = list(self._catalog.load(self._database, now).slos.values())
        self.minutes = self._counter.update(slos, now)
        self.problems = self._counter.problems(slos)
        self.standings = standings(self._database, slos, now)
        self._evaluated_at = now
        return [signal for standing in self.standings for signal in _signals(standing)]

    def standings_at(self, now: datetime) -> list[Standing]:
        """Return where objectives stand, as found by the evaluation at *now*.

        Raises:
            NotEvaluatedError: it failed.
        """
        if self._evaluated_at != now:
            raise NotEvaluatedError(f"objectives could not be evaluated at {now.isoformat()}")
        return self.standings


class ExhaustionSource:
    """Forecasts the budgets of objectives that want to be told before they are gone; implements `SignalSource`.

    Forecasts are made every five minutes, and start there, so that every evaluator has the same.
    """

    def __init__(self, database: Database, objectives: ObjectiveSource) -> None:
        self._database = database
        self._objectives = objectives
        self._made: dict[str, tuple[Slo, datetime, Forecast | None]] = {}

    def signals(self, now: datetime) -> list[AlertSignal]:
        """Return one signal for each objective with an exhaustion alert.

        Raises:
            DatabaseError: the database cannot be read.
            NotEvaluatedError: the objectives could not be evaluated.
        """
        found: list[AlertSignal] = [
            self._signal(standing, standing.slo.exhaustion_alert)
            for standing in self._objectives.standings_at(now)
            if standing.slo.exhaustion_alert is not None
        ]
        self._made = {signal.slo_id: self._made[signal.slo_id] for signal in found}
        return found

    def _signal(self, standing: Standing, alert: ExhaustionAlert) -> ExhaustionSignal:
        end = standing.as_of
        at = end - timedelta(minutes=end.minute % FORECAST_MINUTES)
        return ExhaustionSignal(standing.slo, standing.evaluation, end, alert, self._forecast(standing.slo, at), at)

    def _forecast(self, slo: Slo, at: datetime) -> Forecast | None:
        made = self._made.get(slo.id)
        if made is None or made[:2] != (slo, at):
            found = forecasts(self._database, slo, end=at, scenarios=(EXHAUSTION_SCENARIO,))
            made = self._made[slo.id] = slo, at, next(iter(found), None)
        return made[2]


def _signals(standing: Standing) -> list[AlertSignal]:
    budgets = budget_signals(standing.slo, standing.evaluation, standing.as_of)
    return [*signals_of(standing.slo, standing.evaluation), *budgets]
