"""The alerts of an objective whose error budget is low, exhausted, or about to run out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from alerts.details import details_of
from alerts.objective_signal import ObjectiveSignal
from alerts.summary import events_of
from alerts.transition import AlertDetails
from slo.budget import allowed_bad
from slo.budget_policy import BudgetAlert, ExhaustionAlert, percent_of, watched_budgets
from slo.evaluation import Evaluation
from slo.forecast import Forecast, Scenario
from slo.gate import budget_left, percent
from slo.model import Slo
from slo.policy import Severity
from slo.window import MINUTE, CalendarWindow
from slo.wording import percent_of_target, span_of_time

EXHAUSTION_SCENARIO: Final = Scenario("last 6 h", timedelta(hours=6))
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _OfBudget(ObjectiveSignal):
    """What the alerts on the error budget of *slo* have in common; windows of *evaluation* end at *end*."""

    end: datetime

    @property
    def left(self) -> Fraction | None:
        """The share of the error budget that is left, exactly; None without events."""
        return budget_left(self.slo, self.evaluation, self.end)

    def _spent(self) -> str:
        """Return the events behind the share."""
        counts = self.evaluation.counts
        start, finish = self.slo.window.period(self.end)
        allowed = allowed_bad(counts, self.slo.target) * Fraction(
            (finish - start) // MINUTE, (self.end - start) // MINUTE
        )
        about = "about " if self.evaluation.estimated else ""
        of = f"{counts.bad:,} bad of {about}{int(allowed):,} allowed in {_period(self.slo)}"
        return f"{of} ({events_of(self.slo)}); objective {percent_of_target(self.slo.target)}"

    def _details(self, name: str) -> AlertDetails:
        return replace(details_of(self.slo, self.evaluation, ()), alert_name=name)


@dataclass(frozen=True, slots=True)
class BudgetSignal(_OfBudget):
    """Met when at most the share of *alert* is left of the error budget, compared exactly; unknown without events."""

    alert: BudgetAlert

    @property
    def rule(self) -> str:
        return f"{self.slo.id}/budget-{percent_of(self.alert.share)}"

    @property
    def severity(self) -> Severity:
        return self.alert.severity

    @property
    def met(self) -> bool:
        return self.left is not None and self.left <= Fraction(self.alert.share)

    @property
    def clear(self) -> bool:
        return self.left is not None and self.left > Fraction(self.alert.share)

    def firing_summary(self) -> str:
        assert self.left is not None  # asked for only while met
        if self.left <= 0:
            return f"the error budget of {self.slo.name} is exhausted: {self._spent()}"
        return f"{percent(self.left)} of the error budget of {self.slo.name} is left: {self._spent()}"

    def resolved_summary(self) -> str:
        assert self.left is not None  # asked for only when clear
        above = f"above {percent_of(self.alert.share)} %"
        return f"{self.slo.name} recovered: {percent(self.left)} of the error budget is left, {above}: {self._spent()}"

    def details(self) -> AlertDetails:
        return self._details("SLOErrorBudgetLow" if self.alert.share else "SLOErrorBudgetExhausted")


@dataclass(frozen=True, slots=True)
class ExhaustionSignal(_OfBudget):
    """Met when *forecast*, made at *forecast_at*, has the error budget gone within the time of *alert*.

    Unknown without a forecast, and where its scenario saw no events.
    """

    alert: ExhaustionAlert
    forecast: Forecast | None
    forecast_at: datetime

    @property
    def rule(self) -> str:
        return f"{self.slo.id}/exhaustion"

    @property
    def severity(self) -> Severity:
        return self.alert.severity

    @property
    def met(self) -> bool:
        ahead = self._ahead()
        return self._known() and ahead is not None and ahead <= self.alert.within

    @property
    def clear(self) -> bool:
        return self._known() and not self.met

    def firing_summary(self) -> str:
        ahead = self._ahead()
        if not ahead:
            return f"the error budget of {self.slo.name} has run out: {self._spent()}"
        when = f"at {self.forecast_at + ahead:%Y-%m-%d %H:%M} UTC, in {_roughly(ahead)}"
        return (
            f"the error budget of {self.slo.name} runs out {when}, if errors go on as in the last "
            f"{span_of_time(EXHAUSTION_SCENARIO.span)}: {self._spent()}"
        )

    def resolved_summary(self) -> str:
        ahead = self._ahead()
        lasts = f"lasts beyond {_roughly(self.alert.within)}" if ahead else "does not run out"
        return f"{self.slo.name} recovered: at the present rate its error budget {lasts}: {self._spent()}"

    def details(self) -> AlertDetails:
        return self._details("SLOErrorBudgetRunsOut")

    def _known(self) -> bool:
        return self.forecast is not None and self.forecast.total_per_minute > 0

    def _ahead(self) -> timedelta | None:
        """Return how long the budget lasts, None where it does not run out within the forecast."""
        if self.forecast is None or self.forecast.exhausted_at is None:
            return None
        return self.forecast.exhausted_at - self.forecast_at


def budget_signals(slo: Slo, evaluation: Evaluation, end: datetime) -> Iterable[BudgetSignal]:
    """Return a signal for each share of the budget that *slo* or its error-budget policy wants to be told of."""
    return [
        BudgetSignal(slo, evaluation, end, alert) for alert in watched_budgets(slo.budget_alerts, slo.budget_policy)
    ]


def _period(slo: Slo) -> str:
    return "this period" if isinstance(slo.window, CalendarWindow) else f"the last {span_of_time(slo.period)}"


def _roughly(ahead: timedelta) -> str:
    """Return *ahead* in the largest unit of which it has two, cut.

    >>> _roughly(timedelta(minutes=125)), _roughly(timedelta(minutes=119)), _roughly(timedelta(hours=47))
    ('2 hours', '119 minutes', '47 hours')
    """
    unit, name = next(
        (unit, name)
        for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (MINUTE, "minutes"))
        if ahead >= 2 * unit or unit == MINUTE
    )
    count = ahead // unit
    return f"{count} {name if count != 1 else name[:-1]}"
