"""An alert with its evidence in a few plain sentences: what, for whom, how bad, since when, why."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.evidence import Evidence
from alerts.safe_text import shortened
from alerts.transition import Transition, WindowDetails
from slo.wording import plain, span_of_time

ROUTES: Final = ("http.route", "name")
_LONGEST_NAME: Final = 80


def evidence_summary(transition: Transition, evidence: Evidence) -> str:
    """Return what is known in plain words; what is not known is left out.

    *evidence* is complete but for its summary.
    """
    return " ".join(
        sentence
        for sentence in (
            f"{transition.summary.rstrip('.')}.",
            for_whom(evidence),
            how_bad(transition, evidence),
            since_when(transition, evidence),
            *why(evidence),
        )
        if sentence
    )


def for_whom(evidence: Evidence) -> str:
    """Return which routes the bad requests came to; of those that are hit alike or too few, where some were seen."""
    hit = [each for each in evidence.differences if each.attribute in ROUTES and each.share_of_bad >= 0.1]
    first = [each for each in hit if each.attribute == hit[0].attribute][:3]
    if not first:
        routes = list(dict.fromkeys(_named(each.route) for each in evidence.traces if each.route))
        return f"Seen on {', '.join(routes)}." if routes else ""
    told = ", ".join(f"{_named(each.value)} ({share(each.share_of_bad)} of the bad requests)" for each in first)
    return f"Hit: {told}."


def how_bad(transition: Transition, evidence: Evidence) -> str:
    """Return how fast the budget goes and what is left of it."""
    worst = worst_window(transition)
    parts = []
    if worst is not None and worst.burn_rate is not None:
        parts.append(f"the error budget burns {times(worst.burn_rate)} as fast as it may")
    if evidence.error_budget_spent is not None:
        parts.append(f"the last {_window(evidence)} cost {share(evidence.error_budget_spent)} of it")
    parts += _left(evidence)
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}." if told else ""


def since_when(transition: Transition, evidence: Evidence) -> str:
    if evidence.since is None:
        return f"Noticed at {moment(transition.started_at, evidence.end)}."
    if evidence.since <= evidence.start:
        return f"It has gone on since {moment(evidence.since, evidence.end)} or longer."
    return f"It began at {moment(evidence.since, evidence.end)}."


def why(evidence: Evidence) -> Iterator[str]:
    """Yield what is known of the cause: who is charged, what differs, what was changed or broken on purpose."""
    named = [each for each in evidence.spenders if each.service]
    if named:
        most = named[0]
        operation = f"{most.service} {most.operation}".strip()
        yield f"{share(most.share)} of it is charged to {_named(operation)}.{_said(evidence, most.service)}"
    for each in [each for each in evidence.differences if each.attribute not in ROUTES][:1]:
        yield (
            f"{share(each.share_of_bad)} of the bad requests have {_named(each.attribute)} {_named(each.value)},"
            f" {share(each.share_of_good)} of the good ones."
        )
    for change in evidence.deployments[:1]:
        instead = f" instead of {_named(change.before)}" if change.before else ""
        at = moment(change.at, evidence.end)
        yield f"{_named(change.service)} was deployed at {at}: {_named(change.version)}{instead}."
    for run in evidence.experiments[:1]:
        until = f" until {moment(run.ended_at, evidence.end)}" if run.ended_at else ", still going on"
        yield f"Experiment or event: {_named(run.title)}, from {moment(run.started_at, evidence.end)}{until}."


def _said(evidence: Evidence, service: str) -> str:
    """Return what a guilty span of *service* said of its error, in quotes."""
    said = [each.guilty_message for each in evidence.traces if each.guilty_service == service and each.guilty_message]
    return f" It said \u201c{_named(said[0])}\u201d." if said else ""


def worst_window(transition: Transition) -> WindowDetails | None:
    """Return the short window of the fastest condition that is met: how bad it is now."""
    met = [condition for condition in transition.details.conditions if condition.met]
    return max(met, key=lambda condition: condition.factor).short if met else None


def soonest_exhaustion(evidence: Evidence) -> datetime | None:
    """Return when the budget is gone if the last hour goes on, None if it is not."""
    found = [each.exhausted_at for each in evidence.forecasts if each.hours == 1]
    return found[0] if found else None


def _left(evidence: Evidence) -> list[str]:
    remaining = evidence.error_budget_remaining
    if remaining is None:
        return []
    if remaining <= 0:
        return [
            f"nothing is left, it is overspent by {share(-remaining)}" if remaining < 0 else "nothing is left of it"
        ]
    gone = soonest_exhaustion(evidence)
    lasts = "" if gone is None else f", gone {_in(gone - evidence.end)} if it goes on like this"
    return [f"{share(remaining)} of it is left{lasts}"]


def share(part: float) -> str:
    """Return a ratio in percent, to two digits, and never as 0 or 100 when it is not.

    >>> share(0.073), share(1.0), share(0.9996), share(0.0000021), share(0.0), share(16.34)
    ('7.3 %', '100 %', '99.9 %', '0.00021 %', '0 %', '1,634 %')
    """
    percent = Decimal(repr(part)) * 100
    if 99 < percent < 100:
        percent = min(percent, Decimal("99.9"))
    if percent >= 100:
        return f"{percent:,.0f} %"
    digits = f"{percent:.3g}" if percent > 99 else f"{percent:.2g}"
    return f"{plain(Decimal(digits))} %"


def times(rate: float) -> str:
    """Return a burn rate.

    >>> times(14.4321), times(1000.0), times(0.51)
    ('14.4 times', '1,000 times', '0.51 times')
    """
    if rate >= 100:
        return f"{rate:,.0f} times"
    return f"{plain(Decimal(f'{rate:.3g}'))} times"


def moment(at: datetime, near: datetime) -> str:
    """Return a time that needs no calculating at night: with its day, unless that is the day of *near*.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 1, 3, 4, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    '03:04 UTC'
    >>> moment(datetime(2026, 2, 27, 3, 4, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    '27 Feb, 03:04 UTC'
    """
    time = f"{at:%H:%M} UTC"
    return (
        time if at.date() == near.date() else f"{at.day} {at:%b}{'' if at.year == near.year else f' {at.year}'}, {time}"
    )


def _window(evidence: Evidence) -> str:
    """Return how long the window was, to the minute."""
    minutes = max(round((evidence.end - evidence.start) / timedelta(minutes=1)), 1)
    return span_of_time(timedelta(minutes=minutes))


def _in(length: timedelta) -> str:
    minutes = round(length / timedelta(minutes=1))
    if minutes <= 0:
        return "now"
    if minutes < 120:
        return f"in {minutes} min"
    hours = round(minutes / 60)
    return f"in {hours} h" if hours < 48 else f"in {round(hours / 24)} days"


def _named(text: str) -> str:
    """Return a name that others gave, fit for a sentence."""
    return shortened(text, _LONGEST_NAME)
