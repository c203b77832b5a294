"""What is known about the cause of an alert, gathered once, when it fires."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from alerts.errors import InvalidAlert


@dataclass(frozen=True, slots=True)
class EvidenceTrace:
    """A bad request of the window: its root, and the span that is to blame for it, with what that said of its error."""

    trace_id: str
    route: str
    started_at: datetime
    duration_ms: float
    error: bool
    guilty_span_id: str
    guilty_service: str
    guilty_operation: str
    guilty_message: str = ""


@dataclass(frozen=True, slots=True)
class Spender:
    """A service's operation that is charged with `bad` of the window's bad requests, a `share` (0..1) of them."""

    service: str
    operation: str
    bad: int
    share: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that bad requests have more often than good ones: shares 0..1; `lift` is their ratio, None if no good."""

    attribute: str
    value: str
    share_of_bad: float
    share_of_good: float
    lift: float | None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version of a service that was first seen at `at`, and the one that had served before ("" unknown)."""

    service: str
    version: str
    before: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Experiment:
    run_id: str
    title: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    severity: str
    service: str
    body: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An earlier episode of the same rule: when, how long (None: it never ended), and what people noted of it."""

    alert_id: str
    fired_at: datetime
    lasted_s: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """If the last `hours` go on, the budget is gone at `exhausted_at`; None: not within the window."""

    hours: int
    exhausted_at: datetime | None


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """A span of the guilty trace, as far as a picture needs it; `offset_ms` from the start of the trace."""

    span_id: str
    parent_span_id: str
    service: str
    operation: str
    offset_ms: float
    duration_ms: float
    error: bool
    guilty: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was found in [start, end), the longest window that fired.

    `summary` tells it in plain words. `error_budget_spent` is the share of the whole budget that this window cost.
    `since` is when it began, by the minutes of the objective, None if not known; a time of `start` says "or earlier".
    `trace_spans` is the first trace, at most a screenful of its `trace_span_count` spans. `missing` names what could
    not be gathered, and why.
    """

    alert_id: str
    gathered_at: datetime
    start: datetime
    end: datetime
    summary: str
    error_budget_spent: float | None = None
    error_budget_remaining: float | None = None
    forecasts: tuple[Forecast, ...] = ()
    traces: tuple[EvidenceTrace, ...] = ()
    trace_spans: tuple[TraceSpan, ...] = ()
    spenders: tuple[Spender, ...] = ()
    differences: tuple[Difference, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    logs: tuple[LogLine, ...] = ()
    past: tuple[PastAlert, ...] = ()
    owner: str = ""
    runbook: str = ""
    missing: tuple[str, ...] = ()
    since: datetime | None = None
    trace_span_count: int = 0

    def to_json(self) -> str:
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Evidence":
        """Return the evidence that `to_json` wrote.

        Raises:
            InvalidAlert: *text* is none.
        """
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise InvalidAlert(f"this is no stored evidence: {error}") from error


_ADAPTER: Final = TypeAdapter(Evidence)
