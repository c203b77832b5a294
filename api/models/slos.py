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


class Slo(Model):
    """An objective and where it stands now.

    `error_budget_remaining` is 1 when untouched, 0 when spent, below 0 when overspent. `burn_rates` is keyed by
    window ("1h"); None is a window without traffic. `percentile_ms` is the exact percentile that a latency
    objective speaks of, over the last hour. `provisional` means that the data covers less than the window
    (`coverage`, 0..1).
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


class SloMinute(Model):
    """Counted events of one step of time, and the budget left over the SLO's window up to its end."""

    at: datetime
    good: int
    bad: int
    total: int
    error_budget_remaining: float | None
