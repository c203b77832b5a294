"""Why a budget is where it is, and where it goes."""

from datetime import datetime
from typing import Literal

from api.models.base import Model


class ForecastPoint(Model):
    """The share of the budget that is left at a moment; None without events."""

    at: datetime
    error_budget_remaining: float | None


class SloForecast(Model):
    """What becomes of a budget if things go on as in the last `span_s` seconds.

    `exhausted_at` is the first moment with nothing left, None if that does not happen within one window;
    `recovers_at` is when an exhausted budget has some left again.
    """

    scenario: str
    span_s: int
    bad_per_minute: float
    total_per_minute: float
    exhausted_at: datetime | None
    recovers_at: datetime | None
    curve: list[ForecastPoint]


class Spender(Model):
    """A share (0..1) of the bad events, charged to one service and operation; "" is all others."""

    service: str
    operation: str
    share: float
    requests: int


class Difference(Model):
    """One value of one attribute: how much more often bad events have it than good ones.

    `low` and `high` bound the difference of the shares with 95 % confidence. `budget_without` is the budget left if
    these events had not been. `sampled`: the counts are those of a sample.
    """

    attribute: str
    value: str
    good: int
    bad: int
    share_in_bad: float
    share_in_good: float
    lift: float | None
    low: float
    high: float
    budget_without: float | None
    sampled: bool


class GuiltyTrace(Model):
    """A trace of a bad event, and the span in it that the event is charged to."""

    trace_id: str
    span_id: str
    service: str
    operation: str
    why: str
    duration_ms: float
    at: datetime


class SloExplanation(Model):
    """Who spent the budget of an objective in [start, end).

    Shares of `spenders` sum to 1. `bad` is exact; `looked_at` requests were followed through their traces, which is not
    all of them when `sampled`.
    """

    start: datetime
    end: datetime
    bad: int
    total: int
    looked_at: int = 0
    sampled: bool = False
    summary: str = ""
    spenders: list[Spender] = []
    differences: list[Difference] = []
    traces: list[GuiltyTrace] = []


class SloSuggestion(Model):
    """A target that history would have met, None without enough of it, and why."""

    target: float | None
    threshold_ms: float | None
    why: str


class SloDoubleEntry(Model):
    """Requests of an objective's service in [start, end), by its own metrics and by the spans that arrived.

    `gap` is the share of requests without a span, below 0 when there are more spans. `sampled_one_in` is requests a
    span where the verdict is "sampled". "not counted": no metric counts them, so nothing is known.
    """

    verdict: Literal["agrees", "sampled", "lost", "more spans", "not counted"]
    start: datetime
    end: datetime
    requests: int
    spans: int
    gap: float | None
    sampled_one_in: float | None
    text: str


class SloCorrection(Model):
    """A minute whose verdict changed when late data arrived."""

    at: datetime
    minute: datetime
    group: str
    good_before: int
    bad_before: int
    good_after: int
    bad_after: int
    verdict_before: str
    verdict_after: str
    cause: str


class Backfill(Model):
    """The counting of an objective's past: done from `ends_at` back to `done_until`, of what reaches to `starts_at`."""

    slo_id: str
    starts_at: datetime
    ends_at: datetime
    done_until: datetime
    progress: float
    source: str
    started_at: datetime
    finished_at: datetime | None
    minutes: int


class BackfillRequest(Model):
    """The past of an objective will be counted anew. `shared_with`: objectives that count the same events."""

    slo_id: str
    requested_at: datetime
    shared_with: list[str]


class AdoptedSlo(Model):
    """A draft that became a file on the server."""

    slo_id: str
    path: str
    text: str
