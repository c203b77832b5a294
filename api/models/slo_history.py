from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from api.models.base import Model
from api.models.slos import SloState

AlertSeverity = Literal["page", "ticket"]


class SloRevision(Model):
    """What an objective promised from `at` on. `change` says in words what differs from the revision before."""

    number: int
    at: datetime
    author: str
    commit: str
    target: float
    window: str
    change: str


class NewMaintenance(Model):
    """Planned work to announce; "" matches any service, environment or objective."""

    start: datetime
    end: datetime
    reason: str
    author: str = ""
    service: str = ""
    environment: str = ""
    slo_id: str = ""


class Maintenance(NewMaintenance):
    """Time that does not touch the budget, in whole minutes. `ended_early_at` None: it takes as long as announced."""

    id: str
    created_at: datetime
    ended_early_at: datetime | None


class Gate(Model):
    """Whether at least `min_budget` (0..1) of an objective's error budget is left, and why in one sentence."""

    slo_id: str
    passes: bool
    reason: str
    min_budget: float
    error_budget_remaining: float | None
    state: SloState
    provisional: bool
    as_of: datetime


class SloDetails(Model):
    """What is on record about one objective.

    `definition` is the whole definition, `revisions` are oldest first. `maintenance` touches the window or is still to
    come; `excluded_s` is the time of the window that does not count.
    """

    slo_id: str
    definition: dict[str, Any]
    revisions: list[SloRevision]
    maintenance: list[Maintenance]
    excluded_s: float
    as_of: datetime


class BacktestRequest(Model):
    """A candidate as OpenSLO `text`, or the objective `slo_id`; [start, end), the last 30 days by default.

    `target` (0..1) replaces that of `slo_id`, with the standard burn-rate alerts for it. What is wrong in
    `text` is told with the name `file`.
    """

    text: str = ""
    file: str = "candidate.yaml"
    slo_id: str = ""
    target: Decimal | None = None
    start: datetime | None = None
    end: datetime | None = None


class BacktestIncident(Model):
    """Trouble on record. `end` None: it goes on still."""

    source: Literal["annotation", "chaos run", "alert"]
    title: str
    start: datetime
    end: datetime | None


class BacktestAlert(Model):
    """An alert that would have been sent.

    `budget_spent` is the share of the error budget that its bad events cost; `incidents` are the titles of those that
    it told of, none for a false alarm.
    """

    severity: AlertSeverity
    fired_at: datetime
    resolved_at: datetime | None
    peak_burn_rate: float
    budget_spent: float | None
    summary: str
    incidents: list[str]


class BacktestDay(Model):
    day: datetime
    sli: float | None
    good: int
    bad: int
    total: int


class Backtest(Model):
    """How an objective and its alert policy would have done over [start, end).

    `precision` is the share of the alerts that told of an incident, `recall` the share of the incidents that an alert
    told of; None without alerts, or without incidents. `counted_from` is the first minute that holds events.
    """

    slo_id: str
    name: str
    service: str
    environment: str
    target: float
    window: str
    start: datetime
    end: datetime
    counted_from: datetime | None
    sli: float | None
    good: int
    bad: int
    total: int
    alerts: list[BacktestAlert]
    pages: int
    pages_per_week: float
    precision: float | None
    recall: float | None
    incidents: list[BacktestIncident]
    missed: list[BacktestIncident]
    worst_day: BacktestDay | None
    warnings: list[str] = []
