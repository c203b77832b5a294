"""What every Alertmanager is told at each tick: all that fires, what has ended lately, and that we are alive.

Alertmanager forgets on a restart and learns again from what is sent again; an alert whose `endsAt` has passed is over.
API: https://prometheus.io/docs/alerting/latest/alerts_api/. Pure: no clock, no network.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from alerts.errors import InvalidAlert
from alerts.group_message import Sign
from alerts.labels import fingerprint, labels_of
from alerts.message import Links, MessageAlert
from alerts.transition import Transition
from alerts.webhook_payload import annotations_of, rfc3339

INTERVAL: Final = timedelta(seconds=15)
LIFETIME: Final = 4 * INTERVAL  # as Prometheus: three posts may be lost before an alert ends by itself
RESOLVED_FOR: Final = timedelta(minutes=5)
# counted from the last evaluation, not from the post: posts that go on while evaluation hangs prolong nothing
WATCHDOG_LIFETIME: Final = timedelta(seconds=90)
# the service tells our Watchdog from that of a Prometheus, which has the other two labels and may share the peer
WATCHDOG_LABELS: Final = {"alertname": "Watchdog", "severity": "none", "service_name": "ninelives"}

Describe = Callable[[Transition], MessageAlert]


@dataclass(frozen=True, slots=True)
class PostedAlert:
    """An alert in the words of Alertmanager's API; `ends_at` in the future means that it fires."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str = ""
    alert_id: str = ""

    @property
    def fingerprint(self) -> str:
        """Return by what a peer knows this alert."""
        return fingerprint(self.labels)

    @property
    def name(self) -> str:
        """Return by what people know it."""
        return self.alert_id or self.labels.get("alertname", "")

    def to_json(self) -> dict[str, Any]:
        """Return the body's object; an address that is not absolute is left out."""
        found = {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": rfc3339(self.starts_at),
            "endsAt": rfc3339(self.ends_at),
        }
        return found | ({"generatorURL": self.generator_url} if "://" in self.generator_url else {})


@dataclass(frozen=True, slots=True)
class Posting:
    """What there is to tell at one moment; `problems` says which alerts cannot be told, and why."""

    alerts: tuple[PostedAlert, ...]
    problems: tuple[str, ...] = ()


def describe_with(links: Links, sign: Sign | None = None) -> Describe:
    """Return how a transition is described, with links to its traces and to the page of its evidence.

    *sign* returns the token of that link, from the time at which the alert fired: a peer is told the same each time.
    """

    def describe(transition: Transition) -> MessageAlert:
        traces = transition.details.exemplar_trace_ids
        return MessageAlert(
            transition,
            labels_of(transition),
            alert_url=links.alert(transition.alert_id),
            evidence_url=evidence_url(transition) if links.api_url else "",
            trace_urls=tuple(links.trace(trace_id) for trace_id in traces),
            runbook=transition.details.runbook,
        )

    def evidence_url(transition: Transition) -> str:
        fired_at = transition.fired_at or transition.started_at
        token = "" if sign is None else sign("evidence", transition.alert_id, fired_at)
        return links.evidence(transition.alert_id, token)

    return describe


def posting(transitions: Iterable[Transition], describe: Describe, now: datetime) -> Posting:
    """Return what peers are to hear at *now*: what fires, and what ended in the last five minutes.

    A peer knows an alert by its labels alone, so of several episodes with the same labels the newest is told: an
    older one that is over, sent after it, would end it.

    Args:
        transitions: in any order, and at least the last ones of what fires or has ended lately.
        describe: gives labels, links and annotations. One that it cannot describe keeps no other from being told.
        now: the present.
    """
    newest: dict[str, tuple[tuple[datetime, int], PostedAlert]] = {}
    problems = []
    for last in _last_of_episodes(transitions):
        if not _is_news(last, now):
            continue
        try:
            posted = _posted(describe(last), now)
        except InvalidAlert as error:
            problems.append(f"alert {last.alert_id!r}: {error}")
            continue
        order = (last.started_at, last.sequence)
        if posted.fingerprint not in newest or newest[posted.fingerprint][0] < order:
            newest[posted.fingerprint] = (order, posted)
    alerts = sorted((posted for _, posted in newest.values()), key=lambda alert: (alert.starts_at, alert.fingerprint))
    return Posting(tuple(alerts), tuple(sorted(problems)))


def unsilenced(alerts: Sequence[PostedAlert], known: Collection[str], silenced: Collection[str]) -> list[PostedAlert]:
    """Return what one peer is told of *alerts*.

    One that is silenced is not begun; a peer that knows it hears of it until its end, for it would call it resolved.

    Args:
        alerts: all there is to tell.
        known: ids of the alerts that this peer was told of.
        silenced: ids of the alerts that match a silence of ours.
    """
    return [alert for alert in alerts if alert.alert_id not in silenced or alert.alert_id in known]


def watchdog(alive_at: datetime | None, generator_url: str = "") -> PostedAlert | None:
    """Return the alert that always fires while evaluation and delivery work; None when they do not.

    It ends 90 s after *alive_at*, the last time that both were seen to work, however often it is posted after that.
    """
    if alive_at is None:
        return None
    annotations = {
        "summary": "Ninelives evaluates and delivers. This alert always fires; page somebody when it ends.",
        "description": "Ninelives posts it only while its last evaluation is younger than a minute.",
    }
    return PostedAlert(WATCHDOG_LABELS, annotations, alive_at, alive_at + WATCHDOG_LIFETIME, generator_url)


def _last_of_episodes(transitions: Iterable[Transition]) -> Iterable[Transition]:
    last: dict[str, Transition] = {}
    for transition in transitions:
        before = last.get(transition.alert_id)
        if before is None or before.sequence < transition.sequence:
            last[transition.alert_id] = transition
    return last.values()


def _is_news(last: Transition, now: datetime) -> bool:
    """Return whether *last* fires, or ended lately after it had fired."""
    if last.state == "firing":
        return True
    ended = last.resolved_at
    return last.state == "resolved" and last.fired_at is not None and ended is not None and now - ended <= RESOLVED_FOR


def _posted(alert: MessageAlert, now: datetime) -> PostedAlert:
    """Return *alert* as it stands at *now*.

    Raises:
        InvalidAlert: it has no label with a value.
    """
    transition = alert.transition
    labels = {name: value for name, value in alert.labels.items() if value}
    if not labels:
        raise InvalidAlert("it has no labels; a peer knows alerts by nothing else")
    ends_at = transition.resolved_at if transition.state == "resolved" and transition.resolved_at else now + LIFETIME
    return PostedAlert(
        labels,
        annotations_of(alert),
        transition.started_at,
        max(ends_at, transition.started_at),  # a peer refuses an end before the start, which a clock may make of it
        alert.alert_url,
        transition.alert_id,
    )
