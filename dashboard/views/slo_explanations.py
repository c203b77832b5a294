"""The parts of one SLO's page that explain it: conditions, forecast, spenders, what differs, groups, corrections."""

import json
from collections.abc import Sequence

from api import models as m
from dashboard.views import looks, slos, units
from dashboard.views.markup import Column, Look, Markup, bar, chip, lines, link, muted, page_href, table

_CONDITIONS: dict[bool, Look] = {True: Look("◆", "Met", "bad"), False: Look("✓", "Not met", "good")}
_UNKNOWN = Look("?", "No data", "none")
_ABSENT = "(none)"
MOST_CORRECTIONS = 20
_SOURCES = {"spans": "raw spans", "rollup": "the minute rollups"}


def conditions(item: m.Slo) -> Markup:
    """Return the alert policy: what each condition needs, and where both of its windows are."""
    columns = (
        Column("State"),
        Column("Severity"),
        Column("Fires above", numeric=True),
        Column("Short window", numeric=True),
        Column("Long window", numeric=True),
        Column("A full budget lasts", numeric=True),
    )
    rows = [
        (
            chip(_CONDITIONS[condition.met] if condition.has_data else _UNKNOWN),
            condition.severity,
            units.burn(condition.factor),
            lines(_rate(condition.short_burn_rate), muted(units.window_name(condition.short))),
            lines(_rate(condition.long_burn_rate), muted(units.window_name(condition.long))),
            _lasts(item, condition.long_burn_rate),
        )
        for condition in item.conditions
    ]
    return table(columns, rows, caption="Alert conditions: both windows must burn faster than the factor")


def _rate(value: float | None) -> str:
    return units.burn(value) if value is not None else muted("no traffic")


def _lasts(item: m.Slo, rate: float | None) -> str:
    return units.length(item.period_s / rate) if rate else units.MISSING


def forecast(forecasts: Sequence[m.SloForecast]) -> Markup:
    """Return what becomes of the budget under each supposition."""
    columns = (
        Column("If things go on as in the"),
        Column("Bad a minute", numeric=True),
        Column("Of", numeric=True),
        Column("Budget"),
    )
    rows = [
        (item.scenario, f"{item.bad_per_minute:,.2f}", f"{item.total_per_minute:,.1f}", _outcome(item))
        for item in forecasts
    ]
    return table(columns, rows, caption="Forecast, with what ages out of the window")


def _outcome(item: m.SloForecast) -> str:
    first = item.curve[0].at if item.curve else None
    if item.exhausted_at is None:
        return "does not run out within the window"
    if first is not None and item.exhausted_at > first:
        return f"runs out {units.instant(item.exhausted_at)}"
    if item.recovers_at is None:
        return "is spent, and stays so"
    return f"is spent, some is back {units.instant(item.recovers_at)}"


def spenders(found: m.SloExplanation) -> Markup:
    """Return to which service and operation the bad events are charged, largest share first."""
    columns = (Column("Charged to"), Column("Share of the bad events"), Column("Bad events", numeric=True))
    rows = [
        (
            lines(item.operation or "all others", muted(item.service)),
            bar(item.share, "bad", units.percent(item.share, 1)),
            units.count(item.requests),
        )
        for item in found.spenders
    ]
    return table(columns, rows, caption="Who spent the budget")


def looked_at(found: m.SloExplanation) -> str:
    """Return how far the shares can be trusted, in words."""
    bad = units.plural(found.bad, "bad event")
    if not found.sampled:
        return f"{bad} of {units.count(found.total)}, each followed through its trace."
    return f"{bad} of {units.count(found.total)}; {units.count(found.looked_at)} were followed through their traces."


def differences(found: m.SloExplanation) -> Markup:
    """Return what bad events have more often than good ones."""
    columns = (
        Column("Attribute"),
        Column("In bad events"),
        Column("In good events", numeric=True),
        Column("Difference, 95 % sure", numeric=True),
        Column("Budget left without", numeric=True),
    )
    rows = [
        (
            lines(item.value or _ABSENT, muted(item.attribute)),
            bar(item.share_in_bad, "bad", f"{units.percent(item.share_in_bad, 1)} ({units.count(item.bad)})"),
            f"{units.percent(item.share_in_good, 1)}{' (sample)' if item.sampled else ''}",
            f"{item.low * 100:+.1f} to {item.high * 100:+.1f} points",
            units.percent(item.budget_without, 1),
        )
        for item in found.differences
    ]
    return table(columns, rows, caption="What differs in bad events")


def traces(found: m.SloExplanation) -> Markup:
    """Return traces of bad events, each opening at the span that it is charged to."""
    columns = (Column("Trace"), Column("Guilty span"), Column("Why"), Column("Took", numeric=True), Column("When"))
    rows = [
        (
            link(page_href("trace", trace=item.trace_id, span=item.span_id), f"trace {item.trace_id[:8]}"),
            lines(item.operation, muted(item.service)),
            item.why,
            units.duration(item.duration_ms),
            units.instant(item.at),
        )
        for item in found.traces
    ]
    return table(columns, rows, caption="Traces of bad events")


def groups(item: m.Slo) -> Markup:
    """Return the groups of an objective, the one with the least budget first."""
    columns = (Column("State"), Column("Group"), Column("SLI", numeric=True), Column("Budget left"))
    ordered = sorted(
        item.groups,
        key=lambda group: (group.error_budget_remaining is None, group.error_budget_remaining or 0.0),
    )
    rows = [
        (
            looks.slo(group.state),
            ", ".join(f"{name} = {value or _ABSENT}" for name, value in group.labels.items()),
            lines(slos.sli(group.sli), muted(f"{units.count(group.bad)} bad of {units.count(group.total)}")),
            slos.budget_bar(group.error_budget_remaining),
        )
        for group in ordered
    ]
    return table(columns, rows, caption="By group, least budget first")


def corrected(found: Sequence[m.SloCorrection]) -> str:
    """Return what the table of corrections shows, in words: the answer may hold a part of them, so no count of all."""
    if len(found) > MOST_CORRECTIONS:
        return f"Late data changed verdicts; the {MOST_CORRECTIONS} of the newest minutes are shown."
    return f"Late data changed {units.plural(len(found), 'verdict')}."


def corrections(found: Sequence[m.SloCorrection]) -> Markup:
    """Return the newest minutes that late data judged anew."""
    newest = sorted(found, key=lambda item: item.minute, reverse=True)[:MOST_CORRECTIONS]
    columns = (Column("Minute"), Column("Before"), Column("After"), Column("Corrected"))
    rows = [
        (
            lines(units.instant(item.minute), muted(name) if (name := _group_name(item.group)) else ""),
            lines(item.verdict_before, muted(f"{units.count(item.bad_before)} bad")),
            lines(item.verdict_after, muted(f"{units.count(item.bad_after)} bad")),
            lines(units.instant(item.at), muted(item.cause)),
        )
        for item in newest
    ]
    return table(columns, rows, caption="Minutes whose verdict late data changed")


def _group_name(group: str) -> str:
    """Return the attributes of a group, which corrections name by its JSON object; "" is the objective as a whole."""
    try:
        labels = json.loads(group)
    except ValueError:
        return group
    return ", ".join(f"{name} = {value or _ABSENT}" for name, value in labels.items())


def counting(backfills: Sequence[m.Backfill], slo_id: str) -> list[str]:
    """Return how far the past of an objective is counted, in words; nothing once all of it is."""
    return [
        f"The past is being counted from {_SOURCES.get(item.source, item.source)}: "
        f"{units.percent(item.progress, 0)}, back to {units.instant(item.done_until)}."
        for item in backfills
        if item.slo_id == slo_id and item.finished_at is None
    ]
