"""One change of an alert's state: what is stored before anything is sent."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from alerts.errors import InvalidAlert
from slo.policy import Severity

log = logging.getLogger(__name__)

AlertState = Literal["pending", "firing", "resolved"]
RUNBOOK: Final = "Runbook"  # the title of the link to it


@dataclass(frozen=True, slots=True)
class WindowDetails:
    """Events of one window ("1h") and how fast they spent the budget; None without events."""

    window: str
    good: int
    bad: int
    total: int
    burn_rate: float | None


@dataclass(frozen=True, slots=True)
class ConditionDetails:
    """One condition of the policy: met when the burn rate of both windows is above `factor`."""

    met: bool
    factor: float
    long: WindowDetails
    short: WindowDetails


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a threshold rule saw: `value` (None without data) was compared with `limit`, both in `unit`."""

    metric: str
    attributes: tuple[tuple[str, str], ...]
    value: float | None
    operator: str
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """The numbers behind a transition.

    `alert_name` is the label `alertname` of messages, `slo_name` the title of the objective or of the rule. Of an
    objective: `target`, the events of its whole window (`slo_window`), `error_budget_remaining` (1 untouched, below 0
    overspent, None without events), and `threshold_ms` where it is one of latency. Of a rule over a metric:
    `measurement`.
    """

    alert_name: str
    slo_name: str
    target: Decimal | None = None
    threshold_ms: float | None = None
    slo_window: WindowDetails | None = None
    error_budget_remaining: float | None = None
    conditions: tuple[ConditionDetails, ...] = ()
    measurement: Measurement | None = None
    exemplar_trace_ids: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def runbook(self) -> str:
        """The address of the runbook that the rule names, "" without one."""
        return next((link.url for link in self.links if link.title == RUNBOOK), "")


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert's change to `state` at `at`, number `sequence` (from 1) of its episode.

    `rule` and `severity` name the alert over all of its episodes; the rule of an objective's burn rate is the
    objective's id. `started_at` is when the condition was first met, `fired_at` when the alert fired, None if it has
    not, `resolved_at` None until it ends. `clear_since` is set while a firing alert waits out `keep_firing_for`.
    `firings` are the times at which this alert fired lately, its present episode counted, the basis of `flapping`.
    `labels` are those that a rule gives its alerts, for routing. All times carry a zone.
    """

    alert_id: str
    sequence: int
    slo_id: str
    service: str
    environment: str
    severity: Severity
    state: AlertState
    at: datetime
    started_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    summary: str
    details: AlertDetails
    rule: str = ""
    clear_since: datetime | None = None
    firings: tuple[datetime, ...] = ()
    flapping: bool = False
    labels: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.rule:
            object.__setattr__(self, "rule", self.slo_id)  # rows from before rules had names of their own
        if self.sequence < 1:
            raise InvalidAlert(f"sequence {self.sequence} of {self.alert_id!r} must count from 1")
        for time in (self.at, self.started_at, self.fired_at, self.resolved_at):
            if time is not None and time.utcoffset() != timedelta(0):
                raise InvalidAlert(f"time {time.isoformat()} of {self.alert_id!r} must be in UTC, with its zone")

    @property
    def changes_state(self) -> bool:
        """Whether this is news: False where a firing alert only begins or ends its wait to be clear for long enough."""
        return self.state != "firing" or self.at == self.fired_at

    @property
    def idempotency_key(self) -> str:
        """The name of this one change, the same in every attempt to tell of it."""
        return f"{self.alert_id}-{self.sequence}"

    def with_evidence(self, trace_ids: tuple[str, ...], links: tuple[Link, ...] = ()) -> "Transition":
        """Return this transition carrying exemplar traces and links."""
        return replace(self, details=replace(self.details, exemplar_trace_ids=trace_ids, links=links))

    def to_json(self) -> str:
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Transition":
        """Return the transition that `to_json` wrote.

        Raises:
            InvalidAlert: *text* is not one.
        """
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise InvalidAlert(f"this is no stored transition: {error}") from error


_ADAPTER: Final = TypeAdapter(Transition)


def readable(bodies: Iterable[str]) -> list[Transition]:
    """Return the transitions among *bodies*; one that cannot be read is logged, and stops no other alert."""
    found = []
    for body in bodies:
        try:
            found.append(Transition.from_json(body))
        except InvalidAlert as error:
            log.warning("%s", str(error)[:300])
    return found
