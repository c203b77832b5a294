from datetime import datetime
from typing import Literal

from api.models.base import Model

SloState = Literal["ok", "at_risk", "burning", "exhausted", "no_traffic", "no_data"]
SloKind = Literal["availability", "latency", "cache", "throughput", "freshness", "custom"]


class WindowCounts(Model):
    """The same SLO over another window."""

    window: str
    sli: float | None
    good: int
    bad: int
    total: int
    error_budget_remaining: float | None


class SloCondition(Model):
    """One condition of the alert policy: met when the burn rate of both windows is above `factor`.

    A burn rate is None without traffic; without data in both windows nothing is known (`has_data`).
    """

    severity: Literal["page", "ticket"]
    long: str
    short: str
    factor: float
    long_burn_rate: float | None
    short_burn_rate: float | None
    met: bool
    has_data: bool


class SloGroup(Model):
    """The part of an objective with these values of the attributes that it is grouped by."""

    labels: dict[str, str]
    state: SloState
    sli: float | None
    good: int
    bad: int
    total: int
    error_budget_remaining: float | None


class Slo(Model):
    """An objective and where it stands now.

    `error_budget_remaining` is 1 when untouched, 0 when spent, below 0 when overspent; of a calendar window it is the
    share of the budget expected for the whole period (`estimated`), and `budget_remaining_so_far` relates to the events
    up to now. `burn_rates` is keyed by window ("1h"); None is a window without traffic. `percentile_ms` is the exact
    percentile that a latency objective speaks of, over the last hour. `provisional` means that the data covers less
    than the window (`coverage`, 0..1, of `elapsed_s`: a calendar window up to now).
    `allowed_downtime_s` is how long everything may fail in it.
    `runs_out_at` is when the budget ends if things go on as in the last hour, None if it does not within one window, or
    if nobody looked (`forecast`): lists look at those with the least budget left. `unadjusted` is there when
    time was excluded: the same window with that time in it. `trend` is the SLI of each of the last 30 days (UTC, today
    last), None without events; empty where slices of time are counted. `problems` say what hinders the counting.
    `burn_rate_at_least` is what the burn rate of the whole window is above with 95 % confidence, None without events;
    `surely_burning` means that this is above 1, so that few events alone do not explain the spending.
    """

    id: str
    service: str
    name: str
    objective: float
    window: str
    environment: str
    draft: bool
    kind: SloKind
    threshold_ms: float | None
    percentile_ms: float | None
    coverage: float
    state: SloState
    provisional: bool
    low_confidence: bool
    sli: float | None
    good: int
    bad: int
    total: int
    error_budget_remaining: float | None
    burn_rates: dict[str, float | None]
    hour: WindowCounts
    policy: str
    source: str
    description: str = ""
    as_of: datetime | None = None
    period_s: int = 0
    elapsed_s: int = 0
    allowed_downtime_s: float = 0.0
    budgeting: Literal["occurrences", "timeslices", "throughput", "freshness"] = "occurrences"
    promise: str = ""
    estimated: bool = False
    budget_remaining_so_far: float | None = None
    unadjusted: WindowCounts | None = None
    sla: float | None = None
    owner: str = ""
    runbook: str = ""
    conditions: list[SloCondition] = []
    groups: list[SloGroup] = []
    forecast: bool = False
    runs_out_at: datetime | None = None
    trend: list[float | None] = []
    problems: list[str] = []
    burn_rate_at_least: float | None = None
    surely_burning: bool = False


class SloMinute(Model):
    """Counted events of one step of time, and the budget left over the SLO's window up to its end."""

    at: datetime
    good: int
    bad: int
    total: int
    error_budget_remaining: float | None
