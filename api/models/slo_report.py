from datetime import datetime
from typing import Literal

from api.models.base import Model
from api.models.slos import SloState


class ReportFigures(Model):
    """Events of the month. `met`: the promise was kept; None without events."""

    good: int
    bad: int
    total: int
    sli: float | None
    error_budget_remaining: float | None
    met: bool | None


class ReportSpender(Model):
    """An operation and its share (0..1) of the spent budget."""

    service: str
    operation: str
    share: float


class ReportIncident(Model):
    """An alert that fired in the month. `end` and `duration_s` are None while it fires."""

    alert_id: str
    severity: Literal["page", "ticket"]
    start: datetime
    end: datetime | None
    duration_s: float | None
    summary: str


class ReportChange(Model):
    """A revision made in the month, and what it changed in words."""

    number: int
    at: datetime
    author: str
    commit: str
    text: str


class ReportEnd(Model):
    """Where an objective stood at the end of the month, over its own window."""

    state: SloState
    error_budget_remaining: float | None


class ReportSlo(Model):
    """One objective's month.

    `judged` is by the revisions in force then, `today` by today's definition, both without excluded time;
    `judged_in_full` and `today_in_full` count it in and are None where none was excluded. `coverage` (0..1) is the
    share of the month behind the first event. `nines` is how many nines were reached, None without a bad event.
    `spenders` None: not known; else they speak of `charged` bad events, those whose requests are stored still.
    `end_then` and `end_today` are where it stood at the end, by the revision in force and by today's definition.
    """

    id: str
    name: str
    service: str
    environment: str
    draft: bool
    target: str
    window: str
    judged: ReportFigures
    today: ReportFigures
    judged_in_full: ReportFigures | None
    today_in_full: ReportFigures | None
    excluded_s: float
    coverage: float
    nines: int | None
    incidents: list[ReportIncident]
    changes: list[ReportChange]
    spenders: list[ReportSpender] | None
    charged: int
    end_then: ReportEnd | None
    end_today: ReportEnd | None


class ReportTotals(Model):
    """All objectives together. `mean_duration_s` is of the incidents that are over."""

    objectives: int
    met: int
    missed: int
    without_data: int
    pages: int
    tickets: int
    mean_duration_s: float | None


class SloReport(Model):
    """A month of all objectives, in UTC. `complete` is False while the month goes on: then `end` is now."""

    month: str
    start: datetime
    end: datetime
    complete: bool
    slos: list[ReportSlo]
    totals: ReportTotals
