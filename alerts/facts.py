"""What a person must know of an alert, as short plain lines: the same in every medium."""

from dataclasses import dataclass
from typing import Final

from alerts.causes import causes
from alerts.escaping import is_web_address
from alerts.evidence import Evidence
from alerts.message import Message, MessageAlert, MessageStatus
from alerts.plain_text import length_of_time, number, one_line, percent_of_share, utc
from alerts.transition import AlertDetails, ConditionDetails, Measurement, Transition, WindowDetails
from slo.wording import percent_of_target

NAME_LIMIT: Final = 120
SUMMARY_LIMIT: Final = 400
LABELS: Final = 64
_URL_LIMIT: Final = 2000


@dataclass(frozen=True, slots=True)
class FactLink:
    """An absolute http(s) address to follow."""

    title: str
    url: str


class LabelTexts(dict[str, str]):
    """Labels by name; "" for one that the alert has not, as templates of Alertmanager have it."""

    def __missing__(self, name: str) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """One alert in answers; a tuple is empty where nothing is known.

    `tag` is PAGE, TICKET or RESOLVED. `where` is "checkout in prod". `headline` says what is wrong or that it is over.
    `rows` are the answers with their questions, in the order in which a person asks. `links` are what to do, first
    things first.
    """

    alert_id: str
    name: str
    tag: str
    status: MessageStatus
    severity: str
    where: str
    headline: str
    for_whom: tuple[str, ...]
    how_bad: tuple[str, ...]
    since: tuple[str, ...]
    why: tuple[str, ...]
    budget: tuple[str, ...]
    links: tuple[FactLink, ...]
    labels: LabelTexts

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        rows = (
            ("For whom", self.for_whom),
            ("How bad", self.how_bad),
            ("Since", self.since),
            ("Why", self.why),
            ("Budget", self.budget),
        )
        return tuple(row for row in rows if row[1])


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """A message in answers: its alerts, firing ones first, and what they have in common.

    `tag` is that of the most urgent alert. `group` names the group ("checkout, prod"). `truncated` alerts are not
    listed.
    """

    tag: str
    status: MessageStatus
    receiver: str
    group: str
    alerts: tuple[AlertFacts, ...]
    firing: int
    resolved: int
    truncated: int
    external_url: str


def facts_of(message: Message) -> MessageFacts:
    """Return what *message* tells."""
    alerts = tuple(alert_facts(alert) for alert in message.alerts)
    labels = [one_line(value, NAME_LIMIT) for _, value in sorted(message.group_labels.items(), reverse=True) if value]
    return MessageFacts(
        tag=alerts[0].tag,
        status=message.status,
        receiver=one_line(message.receiver, NAME_LIMIT),
        group=", ".join(labels) or alerts[0].where,
        alerts=alerts,
        firing=len(message.firing),
        resolved=len(message.resolved),
        truncated=message.truncated,
        external_url=message.external_url if is_web_address(message.external_url) else "",
    )


def alert_facts(alert: MessageAlert) -> AlertFacts:
    """Return what is told of *alert*."""
    transition, over = alert.transition, alert.status == "resolved"
    return AlertFacts(
        alert_id=transition.alert_id,
        name=one_line(transition.details.alert_name, NAME_LIMIT),
        tag="RESOLVED" if over else transition.severity.upper(),
        status=alert.status,
        severity=transition.severity,
        where=where(transition),
        headline=_headline(transition),
        for_whom=_for_whom(transition, alert.evidence),
        how_bad=_how_bad(transition.details),
        since=_since(transition),
        why=causes(alert.evidence),
        budget=_budget(transition.details, None if over else alert.evidence),
        links=_links(alert),
        labels=LabelTexts((name, one_line(value, NAME_LIMIT)) for name, value in list(alert.labels.items())[:LABELS]),
    )


def where(transition: Transition) -> str:
    """Return what an alert is about: its service and environment, or the rule where it has no service."""
    service = one_line(transition.service or transition.details.slo_name or transition.details.alert_name, NAME_LIMIT)
    environment = one_line(transition.environment, NAME_LIMIT)
    return f"{service} in {environment}" if environment else service


def lasted(transition: Transition) -> str:
    """Return how long a resolved alert lasted, "" for one that is not over."""
    if transition.resolved_at is None:
        return ""
    return length_of_time(transition.resolved_at - transition.started_at)


def _headline(transition: Transition) -> str:
    summary = one_line(transition.summary, SUMMARY_LIMIT)
    summary = summary.replace(f" to {where(transition)}", "", 1)  # it stands before the headline already
    if transition.state != "resolved":
        return summary
    said = summary.removeprefix(f"{one_line(transition.details.slo_name, NAME_LIMIT)} recovered: ")
    return (
        f"recovered after {lasted(transition)}; now {said}"
        if said != summary
        else (f"recovered after {lasted(transition)}; {summary}")
    )


def _for_whom(transition: Transition, evidence: Evidence | None) -> tuple[str, ...]:
    routes = dict.fromkeys(one_line(trace.route, NAME_LIMIT) for trace in evidence.traces) if evidence else {}
    users = [f"users of {where(transition)}"] if transition.service else []
    affected = [f"bad requests on {', '.join(routes)}"] if routes else []
    rule = [one_line(f"{name}={value}", NAME_LIMIT) for name, value in transition.labels[:8]]
    owner = [f"owner: {one_line(evidence.owner, NAME_LIMIT)}"] if evidence and evidence.owner else []
    return (*affected, *users, *owner, *([", ".join(rule)] if rule else []))


def _how_bad(details: AlertDetails) -> tuple[str, ...]:
    conditions = sorted(details.conditions, key=lambda condition: not condition.met)[:2]
    lines = [line for condition in conditions for line in _condition(condition)]
    if details.measurement is not None:
        lines.append(_measured(details.measurement))
    if details.target is not None and details.slo_window is not None:
        latency = "" if details.threshold_ms is None else f" within {number(details.threshold_ms)} ms"
        lines.append(f"objective {percent_of_target(details.target)}{latency} over {details.slo_window.window}")
    return tuple(lines)


def _condition(condition: ConditionDetails) -> tuple[str, str]:
    return _window(condition.short), f"{_window(condition.long)} (limit of both {number(condition.factor)}x)"


def _window(window: WindowDetails) -> str:
    rate = "" if window.burn_rate is None else f", burn rate {number(window.burn_rate)}x"
    return f"{window.bad:,} of {window.total:,} bad in {window.window}{rate}"


def _measured(measurement: Measurement) -> str:
    value = (
        "no data"
        if measurement.value is None
        else f"{number(measurement.value)} {one_line(measurement.unit, 20)}".strip()
    )
    attributes = ", ".join(one_line(f"{name}={text}", NAME_LIMIT) for name, text in measurement.attributes[:8])
    limit = f"alerts {measurement.operator} {number(measurement.limit)}"
    return f"{one_line(measurement.metric, NAME_LIMIT)}{{{attributes}}} is {value}; {limit}".replace("{}", "")


def _since(transition: Transition) -> tuple[str, ...]:
    begun = utc(transition.started_at)
    if transition.resolved_at is not None:
        begun = f"{begun} until {utc(transition.resolved_at)} ({lasted(transition)})"
    elif transition.fired_at is not None and transition.fired_at != transition.started_at:
        begun = f"{begun}, alert since {utc(transition.fired_at)}"
    flapping = f"flapping: it fired {len(transition.firings)} times lately"
    return (begun, flapping) if transition.flapping else (begun,)


def _budget(details: AlertDetails, evidence: Evidence | None) -> tuple[str, ...]:
    lines = []
    left = details.error_budget_remaining
    if left is not None:
        period = "" if details.slo_window is None else f" of {details.slo_window.window}"
        said = f"overspent by {percent_of_share(-left)}" if left < 0 else f"{percent_of_share(left)} left"
        lines.append(f"error budget{period}: {said}")
    if evidence is not None and evidence.error_budget_spent is not None:
        spent = percent_of_share(evidence.error_budget_spent)
        lines.append(f"{spent} of it was spent from {utc(evidence.start)} to {utc(evidence.end)}")
    return (*lines, *forecasts(evidence))


def forecasts(evidence: Evidence | None) -> tuple[str, ...]:
    """Return when the budget is gone, if the last hours go on."""
    known = evidence.forecasts if evidence is not None else ()
    return tuple(
        f"if it goes on like the last {forecast.hours} h: gone at {utc(forecast.exhausted_at)}"
        for forecast in known
        if forecast.exhausted_at is not None
    )


def _links(alert: MessageAlert) -> tuple[FactLink, ...]:
    runbook = alert.runbook or (alert.evidence.runbook if alert.evidence else "")
    known = (
        ("Runbook", runbook),
        ("Acknowledge", alert.acknowledge_url if alert.status == "firing" else ""),
        ("Evidence", alert.evidence_url),
        ("First trace", alert.trace_urls[0] if alert.trace_urls else ""),
        ("Alert", alert.alert_url),
        *((one_line(link.title, 60), link.url) for link in alert.transition.details.links[:5]),
    )
    return tuple(FactLink(title, url) for title, url in known if len(url) <= _URL_LIMIT and is_web_address(url))
