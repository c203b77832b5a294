"""An objective, and a backtest of one, in lines for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from api import models as m
from ninelives.commands.output import percent, table_lines
from slo.nines import downtime_text


def slo_lines(slo: m.Slo, details: m.SloDetails) -> Iterator[str]:
    """Yield everything about one objective."""
    yield f"{slo.name} ({slo.id}){', a draft' if slo.draft else ''}"
    if slo.promise:
        yield slo.promise
    if slo.description:
        yield slo.description
    yield ""
    yield from _columns(_facts(slo, details))
    if slo.burn_rates:
        yield from ("", "Burn rates (1 spends the budget in exactly one window)")
        yield from table_lines(tuple(slo.burn_rates), [tuple(_rate(rate) for rate in slo.burn_rates.values())])
    if slo.conditions:
        yield from ("", "Alerts when both burn rates are above the factor")
        yield from table_lines(
            ("SEVERITY", "WINDOWS", "FACTOR", "LONG", "SHORT", "NOW"), [_condition(item) for item in slo.conditions]
        )
    if slo.groups:
        yield from ("", "Groups")
        yield from table_lines(("GROUP", "GOOD EVENTS", "BUDGET LEFT", "STATE"), [_group(item) for item in slo.groups])
    if details.maintenance:
        yield from ("", "Maintenance")
        yield from table_lines(
            ("FROM (UTC)", "UNTIL", "REASON"),
            [
                (_minute(item.start), _minute(item.ended_early_at or item.end), item.reason)
                for item in details.maintenance
            ],
        )


def backtest_lines(found: m.Backtest) -> Iterator[str]:
    """Yield what a backtest found."""
    time = f"from {_minute(found.start)} to {_minute(found.end)} UTC"
    yield f"{found.slo_id}: {_percent(found.target)} over {found.window}, {time}"
    yield from (f"warning: {warning}" for warning in found.warnings)
    yield ""
    yield from _columns(_findings(found))
    if found.alerts:
        yield ""
        yield from table_lines(
            ("FIRED (UTC)", "TOOK", "SEVERITY", "PEAK BURN", "BUDGET SPENT", "INCIDENT", "SUMMARY"),
            [_alert(alert) for alert in found.alerts],
        )
    if found.missed:
        yield from ("", "Incidents that no alert told of")
        yield from table_lines(
            ("BEGAN (UTC)", "KNOWN FROM", "WHAT"),
            [(_minute(item.start), item.source, item.title) for item in found.missed],
        )


def budget_in_time(allowed_s: float, remaining: float | None) -> str:
    """Return a budget as time that everything may fail.

    >>> budget_in_time(2592, 0.25), budget_in_time(2592, -0.5), budget_in_time(2592, None)
    ('43 m 12 s allowed, 10 m 48 s left', '43 m 12 s allowed, overspent by 21 m 36 s', '43 m 12 s allowed, no data')
    """
    allowed = f"{_time(allowed_s)} allowed"
    if remaining is None:
        return f"{allowed}, no data"
    left = allowed_s * remaining
    return f"{allowed}, {_time(left)} left" if left >= 0 else f"{allowed}, overspent by {_time(-left)}"


def _facts(slo: m.Slo, details: m.SloDetails) -> Iterator[tuple[str, str]]:
    yield "service", f"{slo.service} in {slo.environment}" if slo.environment else slo.service
    yield "objective", f"{_percent(slo.objective)} over {slo.window}"
    if slo.sla is not None:
        yield "promised to customers", _percent(slo.sla)
    yield (
        "state",
        ", ".join(
            [slo.state, *(["provisional"] if slo.provisional else []), *(["few events"] if slo.low_confidence else [])]
        ),
    )
    counted = "good events" if slo.budgeting == "occurrences" else "good slices of time"
    yield counted, f"{percent(slo.sli)} ({slo.good:,} good, {slo.bad:,} bad of {slo.total:,})"
    yield "budget left", percent(slo.error_budget_remaining, 1) + (" (estimated)" if slo.estimated else "")
    yield "budget in time", budget_in_time(slo.allowed_downtime_s, slo.error_budget_remaining)
    if slo.unadjusted is not None:
        yield "if nothing were excluded", f"{percent(slo.unadjusted.error_budget_remaining, 1)} of the budget left"
    if details.excluded_s:
        yield "excluded", _time(details.excluded_s)
    if slo.runs_out_at is not None:
        yield "runs out", f"{_minute(slo.runs_out_at)} UTC, if things go on as in the last hour"
    yield "data", f"{percent(slo.coverage, 1)} of the window"
    yield "policy", slo.policy
    for name, text in (("owner", slo.owner), ("runbook", slo.runbook), ("defined in", slo.source)):
        if text:
            yield name, text
    yield from (("problem", problem) for problem in slo.problems)
    yield "last change", _last_change(details.revisions)


def _last_change(revisions: Sequence[m.SloRevision]) -> str:
    if not revisions:
        return "none on record"
    last = revisions[-1]
    author = f" by {last.author}" if last.author else ""
    commit = f" ({last.commit[:12]})" if last.commit else ""
    return f"{_minute(last.at)} UTC, revision {last.number}{author}{commit}: {last.change}"


def _findings(found: m.Backtest) -> Iterator[tuple[str, str]]:
    yield "good events", f"{percent(found.sli)} ({found.good:,} good, {found.bad:,} bad of {found.total:,})"
    if found.worst_day is not None:
        yield "worst day", f"{found.worst_day.day:%Y-%m-%d}, {percent(found.worst_day.sli)}"
    if found.counted_from is None:
        yield "data", "none in that time"
    elif found.counted_from > found.start:
        yield "data", f"from {_minute(found.counted_from)} UTC on"
    yield "alerts", f"{len(found.alerts)}, of which {found.pages} page: {found.pages_per_week:.1f} pages a week"
    true = sum(bool(alert.incidents) for alert in found.alerts)
    yield "precision", _known(found.precision, f"{true} of {len(found.alerts)} alerts told of an incident", "no alerts")
    told = len(found.incidents) - len(found.missed)
    yield (
        "recall",
        _known(found.recall, f"{told} of {len(found.incidents)} incidents were told", "no incidents on record"),
    )


def _known(ratio: float | None, told: str, unknown: str) -> str:
    return unknown if ratio is None else f"{ratio * 100:.0f} % ({told})"


def _alert(alert: m.BacktestAlert) -> tuple[str, ...]:
    took = "goes on" if alert.resolved_at is None else _time((alert.resolved_at - alert.fired_at).total_seconds())
    return (
        _minute(alert.fired_at),
        took,
        alert.severity,
        f"{alert.peak_burn_rate:.1f}",
        percent(alert.budget_spent, 1),
        ", ".join(dict.fromkeys(alert.incidents)) or "none",
        alert.summary,
    )


def _condition(item: m.SloCondition) -> tuple[str, ...]:
    now = "met" if item.met else "not met" if item.has_data else "no data"
    rates = (_rate(item.long_burn_rate), _rate(item.short_burn_rate))
    return (item.severity, f"{item.long}/{item.short}", f"{item.factor:g}", *rates, now)


def _group(group: m.SloGroup) -> tuple[str, ...]:
    labels = ", ".join(f"{name}={value}" for name, value in group.labels.items())
    return labels, percent(group.sli), percent(group.error_budget_remaining, 1), group.state


def _columns(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    found = list(pairs)
    width = max(len(name) for name, _ in found)
    yield from (f"{name.ljust(width)}  {text}" for name, text in found)


def _rate(rate: float | None) -> str:
    return "no data" if rate is None else f"{rate:.2f}"


def _percent(ratio: float) -> str:
    return f"{ratio * 100:g} %"


def _time(seconds: float) -> str:
    return downtime_text(timedelta(seconds=int(seconds)))


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
