"""Alerts and incidents in lines for a terminal. What services and people wrote is made harmless for it."""

from collections.abc import Iterable, Iterator, Sequence

from api import models as m
from ninelives.commands.output import moment, percent, printable, table_lines


def alert_lines(alert: m.AlertRecord) -> Iterator[str]:
    """Yield what an alert is about, and its evidence."""
    yield printable(alert.summary)
    yield ""
    yield from _columns(_facts(alert))
    if alert.evidence is None:
        yield from ("", "No evidence was gathered yet." if alert.state == "firing" else "No evidence was gathered.")
        return
    yield ""
    yield from _evidence(alert.evidence)


def timeline_lines(timeline: Sequence[m.TimelineEvent]) -> list[str]:
    """Return a line for each event."""
    return [f"{moment(event.at)}  {printable(event.text)}{_by(event)}" for event in timeline]


def incident_lines(incident: m.IncidentRecord) -> Iterator[str]:
    """Yield an incident's times, alerts and timeline."""
    yield f"{printable(incident.title)} ({incident.id})"
    yield ""
    yield from _columns(_times(incident))
    yield from ("", "Alerts")
    rows = [(item.state, item.severity, item.id, printable(item.summary)) for item in incident.alerts]
    yield from table_lines(("STATE", "SEVERITY", "ALERT", "SUMMARY"), rows)
    yield from ("", "Timeline")
    yield from timeline_lines(incident.timeline)


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units, "" for None.

    >>> duration(93_784), duration(90), duration(0.25), duration(0), duration(None)
    ('1 d 2 h', '1 min 30 s', '0.25 s', '0 s', '')
    """
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds:.2g} s"
    rest, parts = round(seconds), []
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, rest = divmod(rest, unit)
        parts.append((amount, name))
    first = next(index for index, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {name}" for amount, name in parts[first : first + 2] if amount)


def _facts(alert: m.AlertRecord) -> Iterator[tuple[str, str]]:
    yield "alert", alert.id
    yield "state", f"{alert.state}, {alert.severity}{', flapping' if alert.flapping else ''}"
    yield "service", printable(alert.service + (f" ({alert.environment})" if alert.environment else ""))
    if alert.slo_id:
        yield "objective", alert.slo_id
    if alert.rule != alert.slo_id:
        yield "rule", printable(alert.rule)
    yield "began", moment(alert.started_at)
    if alert.fired_at is not None:
        yield "fired", moment(alert.fired_at)
    if alert.resolved_at is not None:
        yield "resolved", moment(alert.resolved_at)
    for taken in alert.acknowledgements:
        comment = f": {taken.comment}" if taken.comment else ""
        yield "acknowledged", printable(f"{moment(taken.at)} by {taken.author}{comment}")
    if alert.silenced_by:
        yield "silenced by", ", ".join(alert.silenced_by)
    if alert.inhibited:
        yield "held back", "a page of the same objective fires"
    if alert.incident_id:
        yield "incident", alert.incident_id
    if alert.runbook:
        yield "runbook", printable(alert.runbook)


def _evidence(evidence: m.AlertEvidence) -> Iterator[str]:
    yield f"Evidence of {moment(evidence.start)} to {moment(evidence.end)}"
    yield printable(evidence.summary)
    yield from _columns(_budget(evidence))
    yield from _section(
        "Who spent the budget",
        [f"{percent(each.share, 1)}  {each.service} {each.operation} ({each.bad:,} bad)" for each in evidence.spenders],
    )
    yield from _section(
        "What bad events have in common",
        [
            f"{each.attribute} = {each.value}: {percent(each.share_of_bad, 1)} of the bad,"
            f" {percent(each.share_of_good, 1)} of the good"
            for each in evidence.differences
        ],
    )
    yield from _section(
        "Traces",
        [
            f"{each.trace_id}  {each.route}  {each.duration_ms:,.1f} ms"
            f"  {'error' if each.error else 'slow'} in {each.guilty_service} {each.guilty_operation}"
            for each in evidence.traces
        ],
    )
    yield from _section(
        "Deployments", [f"{moment(each.at)}  {each.service} {each.version}" for each in evidence.deployments]
    )
    yield from _section("Experiments", [f"{moment(each.started_at)}  {each.title}" for each in evidence.experiments])
    yield from _section(
        "Logs", [f"{moment(each.at)}  {each.severity}  {each.service}  {each.body}" for each in evidence.logs]
    )
    yield from _section(
        "Earlier",
        [f"{moment(each.fired_at)}  {duration(each.lasted_s) or 'never ended'}  {each.note}" for each in evidence.past],
    )
    yield from _section("Missing", evidence.missing)


def _budget(evidence: m.AlertEvidence) -> Iterator[tuple[str, str]]:
    if evidence.error_budget_spent is not None:
        yield "budget spent", percent(evidence.error_budget_spent, 1)
    if evidence.error_budget_remaining is not None:
        yield "budget left", percent(evidence.error_budget_remaining, 1)
    for forecast in evidence.forecasts:
        gone = "not within the window" if forecast.exhausted_at is None else moment(forecast.exhausted_at)
        yield f"gone as in {forecast.hours} h", gone


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", title)
        yield from (f"  {printable(line)}".rstrip() for line in lines)


def _times(incident: m.Incident) -> Iterator[tuple[str, str]]:
    def after(seconds: float | None) -> str:
        return "" if seconds is None else f", after {duration(seconds)}"

    yield "state", f"{incident.state}, {_counted(incident.pages, 'page')}, {_counted(incident.tickets, 'ticket')}"
    yield "service", printable(incident.service + (f" ({incident.environment})" if incident.environment else ""))
    yield "began", moment(incident.began_at)
    yield "detected", moment(incident.detected_at) + after(incident.time_to_detect_s)
    yield "acknowledged", (moment(incident.acknowledged_at) or "by nobody") + after(incident.time_to_acknowledge_s)
    yield "resolved", (moment(incident.resolved_at) or "not yet") + after(incident.time_to_resolve_s)


def _counted(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def _by(event: m.TimelineEvent) -> str:
    return f" ({printable(event.author)})" if event.kind == "note" and event.author else ""


def _columns(facts: Iterable[tuple[str, str]]) -> list[str]:
    pairs = list(facts)
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in pairs]
