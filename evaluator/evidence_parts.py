"""The parts of an alert's evidence, each a question to the database.

A part takes what was found before it and returns it with its own findings. It may raise: the others go on without it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Final, TypeAlias

from alerts import evidence as e
from alerts.evidence import Evidence
from alerts.onset import Minute, onset
from alerts.transition import Transition, WindowDetails
from slo.budget import allowed_bad
from slo.budgeting import Occurrences
from slo.duration import parse_duration
from slo.evaluation import Evaluation
from slo.indicator import CacheIndicator, SpanIndicator
from slo.model import EventCounts, Slo
from storage.attribution import count_attributes
from storage.blame import blame
from storage.client import Database
from storage.deployments import version_changes
from storage.explanations import differences
from storage.forecasts import forecasts
from storage.past_alerts import past_alerts
from storage.sli_minutes import steps

TEXT: Final = 200  # characters of a value
DEPLOYED_BEFORE: Final = timedelta(hours=1)
REMEMBERED: Final = timedelta(days=90)
PAST_ALERTS: Final = 5
SERVICES: Final = 5
SAMPLE: Final = 500  # bad requests that are charged, and looked at for what they have in common
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Case:
    """An alert that began to fire, and where to look. Without an objective `slo` and `evaluation` are None."""

    transition: Transition
    slo: Slo | None
    evaluation: Evaluation | None
    start: datetime
    end: datetime
    now: datetime

    @cached_property
    def requests(self) -> SpanIndicator | None:
        """What the objective counts, if that is requests."""
        return self.slo.indicator if self.slo and isinstance(self.slo.indicator, SpanIndicator) else None

    @cached_property
    def cache(self) -> CacheIndicator | None:
        return self.slo.indicator if self.slo and isinstance(self.slo.indicator, CacheIndicator) else None

    @cached_property
    def shown(self) -> SpanIndicator | None:
        """The requests whose traces are shown: those that are counted, else the failing ones of the service."""
        if self.requests is not None or not self.transition.service:
            return self.requests
        return SpanIndicator(self.transition.service, self.environment)

    @property
    def environment(self) -> str | None:
        return self.transition.environment or None

    def services(self, found: Evidence) -> list[str]:
        """Return the alert's service and those that are to blame, the most guilty first."""
        guilty = (*(each.service for each in found.spenders), *(each.guilty_service for each in found.traces))
        named = (name for name in (self.transition.service, *guilty) if name)
        return list(dict.fromkeys(named))[:SERVICES]


Part: TypeAlias = Callable[[Database, Case, Evidence], Evidence]


def budget(_database: Database, case: Case, found: Evidence) -> Evidence:
    """Tell how much of the budget the window cost, and what is left. What a calendar period will have is expected."""
    left = case.transition.details.error_budget_remaining
    spent = None
    longest = longest_window(case.transition)
    if case.slo is not None and case.evaluation is not None and longest is not None:
        allowed = allowed_bad(case.evaluation.counts, case.slo.target) / elapsed(case.slo, case.end)
        spent = float(longest.bad / allowed) if allowed else None
    return replace(found, error_budget_spent=spent, error_budget_remaining=left)


def began(database: Database, case: Case, found: Evidence) -> Evidence:
    if case.slo is None or not isinstance(case.slo.budgeting, Occurrences):
        return found
    counted = steps(database, case.slo.indicator.series_id, start=case.start, end=case.end, step_s=60)
    minutes = (Minute(step.at, EventCounts(step.good, step.good + step.bad)) for step in counted)
    return replace(found, since=onset(minutes, case.slo.target))


def spenders(database: Database, case: Case, found: Evidence) -> Evidence:
    if case.requests is None:
        return found
    charged = blame(database, case.requests, start=case.start, end=case.end, cap=SAMPLE)
    named = zip(charged.shares, charged.estimates, strict=True)
    return replace(
        found,
        spenders=tuple(
            e.Spender(
                cut(share.service), cut(share.operation if not share.others else share.label), bad, float(share.share)
            )
            for share, bad in named
        ),
    )


def telling_values(database: Database, case: Case, found: Evidence) -> Evidence:
    if case.requests is None or case.slo is None:
        return found
    counts = count_attributes(database, case.requests, start=case.start, end=case.end, sample=SAMPLE)
    return replace(
        found,
        differences=tuple(
            e.Difference(cut(each.attribute), cut(each.value), each.share_in_bad, each.share_in_good, each.lift)
            for each in (ranked.attribution for ranked in differences(counts, case.slo.target))
        ),
    )


def deployments(database: Database, case: Case, found: Evidence) -> Evidence:
    """Tell of new versions in the window or the hour before it."""
    changes = version_changes(
        database, case.services(found), case.environment, start=case.start - DEPLOYED_BEFORE, end=case.end
    )
    return replace(
        found,
        deployments=tuple(
            e.Deployment(cut(each.service), cut(each.version), cut(each.before), each.at) for each in changes[:10]
        ),
    )


def future(database: Database, case: Case, found: Evidence) -> Evidence:
    if case.slo is None:
        return found
    supposed = forecasts(database, case.slo, end=case.end)
    return replace(
        found,
        forecasts=tuple(e.Forecast(each.scenario.span // timedelta(hours=1), each.exhausted_at) for each in supposed),
    )


def past(database: Database, case: Case, found: Evidence) -> Evidence:
    rows = past_alerts(
        database,
        case.transition.rule,
        since=case.now - REMEMBERED,
        without=case.transition.alert_id,
        limit=PAST_ALERTS,
    )
    told = ((Transition.from_json(row.body), row.note) for row in rows)
    return replace(found, past=tuple(_past(alert, note) for alert, note in told))


def _past(alert: Transition, note: str) -> e.PastAlert:
    fired = alert.fired_at or alert.started_at
    lasted = (alert.resolved_at - fired).total_seconds() if alert.resolved_at is not None else None
    return e.PastAlert(alert.alert_id, fired, lasted, cut(note))


def longest_window(transition: Transition) -> WindowDetails | None:
    """Return the longest window of the conditions that are met, None where the alert is about something else."""
    met = [condition.long for condition in transition.details.conditions if condition.met]
    return max(met, key=lambda window: parse_duration(window.window), default=None)


def elapsed(slo: Slo, end: datetime) -> Fraction:
    """Return the share of the objective's window that is over: all of a rolling one."""
    start, finish = slo.window.period(end)
    return Fraction((end - start) // MINUTE, (finish - start) // MINUTE)


def cut(text: str, most: int = TEXT) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
