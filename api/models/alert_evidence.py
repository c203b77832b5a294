"""What is known of the cause of an alert: field by field the evidence that the evaluator gathers and stores."""

from datetime import datetime

from api.models.base import Model


class EvidenceTrace(Model):
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


class EvidenceSpan(Model):
    """A span of the first trace; `offset_ms` counts from the start of the trace."""

    span_id: str
    parent_span_id: str
    service: str
    operation: str
    offset_ms: float
    duration_ms: float
    error: bool
    guilty: bool


class EvidenceSpender(Model):
    """A service's operation that is charged with `bad` of the bad requests, a `share` (0..1) of them."""

    service: str
    operation: str
    bad: int
    share: float


class EvidenceDifference(Model):
    """A value that bad requests have more often than good ones; `lift` is the ratio of the shares, None if no good."""

    attribute: str
    value: str
    share_of_bad: float
    share_of_good: float
    lift: float | None


class EvidenceDeployment(Model):
    """A version of a service that was first seen at `at`, and the one before it ("" unknown)."""

    service: str
    version: str
    before: str
    at: datetime


class EvidenceExperiment(Model):
    run_id: str
    title: str
    started_at: datetime
    ended_at: datetime | None


class EvidenceLog(Model):
    at: datetime
    severity: str
    service: str
    body: str
    trace_id: str


class EvidenceForecast(Model):
    """If the last `hours` go on, the budget is gone at `exhausted_at`; None: not within the window."""

    hours: int
    exhausted_at: datetime | None


class PastAlert(Model):
    """An earlier episode of the same rule, how long it lasted (None: it never ended), and what people noted."""

    alert_id: str
    fired_at: datetime
    lasted_s: float | None
    note: str


class AlertEvidence(Model):
    """Everything that was found in [start, end), the longest window that fired.

    `error_budget_spent` is the share of the whole budget that this window cost. `missing` names what could not be
    gathered, and why.
    """

    gathered_at: datetime
    start: datetime
    end: datetime
    summary: str
    error_budget_spent: float | None = None
    error_budget_remaining: float | None = None
    forecasts: list[EvidenceForecast] = []
    traces: list[EvidenceTrace] = []
    trace_spans: list[EvidenceSpan] = []
    spenders: list[EvidenceSpender] = []
    differences: list[EvidenceDifference] = []
    deployments: list[EvidenceDeployment] = []
    experiments: list[EvidenceExperiment] = []
    logs: list[EvidenceLog] = []
    past: list[PastAlert] = []
    owner: str = ""
    runbook: str = ""
    missing: list[str] = []
    since: datetime | None = None
    trace_span_count: int = 0
