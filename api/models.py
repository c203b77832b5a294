"""The HTTP contract: what every answer of `/api/v1` looks like.

Times are RFC 3339 in UTC, durations carry their unit in the name, ratios are 0..1, ids are lower-case hex,
and None means "no data" (never 0, never NaN).
"""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

SloState = Literal["ok", "at_risk", "burning", "exhausted", "no_traffic", "no_data"]
AlertState = Literal["pending", "firing", "resolved"]
RunStatus = Literal["running", "finished", "aborted", "failed"]
Verdict = Literal["held", "deviated", "inconclusive", "not_injected"]
Severity = Literal["critical", "warning", "info"]


class Model(BaseModel):
    """Immutable; unknown fields are ignored, so that an older client can read a newer server."""

    model_config = ConfigDict(frozen=True, extra="ignore")


T = TypeVar("T")


class Page(Model, Generic[T]):
    """A list answer. `next_cursor` is None on the last page."""

    items: list[T]
    next_cursor: str | None = None


class Problem(Model):
    """RFC 9457 problem document, the body of every error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""


class RedPoint(Model):
    """Requests of one step of time. Latencies are None where nothing was requested."""

    at: datetime
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class Service(Model):
    """Rate, errors and duration of one service's requests (server and consumer spans) over `window_s`."""

    name: str
    environment: str
    versions: list[str]
    window_s: int
    requests: int
    errors: int
    rate_per_s: float
    error_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    last_seen: datetime


class Operation(Model):
    name: str
    kind: str
    requests: int
    errors: int
    rate_per_s: float
    error_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None


class ServiceDetail(Model):
    service: Service
    series: list[RedPoint]
    operations: list[Operation]


class TraceSummary(Model):
    trace_id: str
    started_at: datetime
    duration_ms: float
    service: str
    name: str
    spans: int
    errors: int
    services: list[str]


class SpanEvent(Model):
    name: str
    offset_ms: float
    attributes: dict[str, Any]
    dropped_attributes: int = 0


class SpanLink(Model):
    trace_id: str
    span_id: str
    trace_state: str = ""
    flags: int = 0
    attributes: dict[str, Any]
    dropped_attributes: int = 0


class Span(Model):
    """One span. `offset_ms` counts from the start of its trace, `depth` is 0 for a root.

    Attributes keep their OTLP type; where JSON does not show it (bytes as base64, whole doubles), `*_types` names it.
    `weight` is how many spans this one stands for; a `quarantined` span's own times could not be believed.
    """

    span_id: str
    parent_span_id: str
    service: str
    environment: str
    version: str
    name: str
    kind: str
    started_at: datetime
    offset_ms: float
    duration_ms: float
    depth: int
    status: str
    status_message: str
    error: bool
    attributes: dict[str, Any]
    attribute_types: dict[str, str] = {}
    dropped_attributes: int = 0
    events: list[SpanEvent]
    dropped_events: int = 0
    links: list[SpanLink]
    dropped_links: int = 0
    trace_state: str = ""
    flags: int = 0
    weight: int = 1
    quarantined: bool = False
    resource: dict[str, Any]
    resource_types: dict[str, str] = {}
    schema_url: str = ""
    scope: str
    scope_version: str = ""
    scope_attributes: dict[str, Any] = {}
    scope_schema_url: str = ""


class Trace(Model):
    """All spans of one trace in tree order (parents before children, siblings by start)."""

    trace_id: str
    started_at: datetime
    duration_ms: float
    services: list[str]
    errors: int
    spans: list[Span]


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
    kind: Literal["availability", "latency", "custom"]
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


class Alert(Model):
    id: str
    slo_id: str
    service: str
    environment: str
    severity: Literal["page", "ticket"]
    state: AlertState
    started_at: datetime
    resolved_at: datetime | None
    summary: str
    exemplar_trace_ids: list[str]
    details: dict[str, Any] = {}
    delivered: bool = False


class LatencyGroup(Model):
    requests: int
    p50_ms: float | None
    p95_ms: float | None


class CachePoint(Model):
    at: datetime
    hits: int
    misses: int


class Cache(Model):
    """One cache over `window_s`: hit ratio, and the latency of hits beside that of misses.

    `source` says where the counts come from: "spans" (`cache.hit`) or "metrics" (hit and miss counters, which
    know no latency).
    """

    name: str
    service: str
    environment: str
    source: Literal["spans", "metrics"]
    window_s: int
    hits: int
    misses: int
    hit_ratio: float | None
    hit_latency: LatencyGroup | None
    miss_latency: LatencyGroup | None
    series: list[CachePoint]


class SliCount(Model):
    """Requests of one service in [from, to), counted from the stored spans: the chaos judge's raw material."""

    service: str
    environment: str
    total: int
    errors: int
    slow: int
    threshold_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    newest_span_at: datetime | None


class EdgeCount(Model):
    """Calls from one service to another in [from, to), seen by the caller's client spans."""

    client: str
    server: str
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class RunWindow(Model):
    """One phase of a run: "baseline", "fault" or "recovery"."""

    phase: str
    started_at: datetime
    ended_at: datetime


class Finding(Model):
    """What one line of the hypothesis came to. Ratios are of bad requests; the interval is of their difference."""

    hypothesis: str
    service: str
    sli: str
    verdict: Verdict
    control_bad: int
    control_total: int
    treatment_bad: int
    treatment_total: int
    difference: float | None
    interval_low: float | None
    interval_high: float | None
    margin: float
    confidence: float
    control_p95_ms: float | None
    treatment_p95_ms: float | None
    reason: str


class Run(Model):
    """One execution of an experiment. `heartbeat_at` older than 30 s turns "running" into "aborted"."""

    id: str
    experiment: str
    title: str
    status: RunStatus
    verdict: Verdict | None
    started_at: datetime
    ended_at: datetime | None
    heartbeat_at: datetime
    environment: str = ""
    services: list[str] = []
    fault: dict[str, Any] = {}
    comparison: str = "before/after"
    windows: list[RunWindow] = []
    findings: list[Finding] = []
    summary: str = ""


class Annotation(Model):
    """Something that happened, drawn over charts: a chaos run, a deployment, dropped days."""

    id: str
    kind: str
    title: str
    started_at: datetime
    ended_at: datetime | None
    services: list[str] = []
    url: str = ""


class MetricName(Model):
    """One kind of a metric: a name with two types or units is listed twice. `last_seen`: to ten minutes."""

    metric: str
    type: str
    unit: str
    description: str = ""
    temporality: str = "unspecified"
    monotonic: bool = False
    services: list[str] = []
    series: int
    last_seen: datetime


class SloFileError(Model):
    file: str
    line: int | None
    reason: str


class IngestStatus(Model):
    """Per signal: what became of its requests since the start. Items are spans, data points or log records.

    `received = accepted + rejected + repeated + refused`; what was accepted and is not stored waits in the spool or is
    a dead letter. `shedding_level` counts the priorities that are refused now (0..3), `breaker` is the circuit breaker
    before the database.
    """

    signal: str
    accepted_items: int
    spool_bytes: int
    spool_segments: int
    last_stored_at: datetime | None
    dead_letters: int
    last_error: str
    received_items: int = 0
    rejected_items: int = 0
    repeated_items: int = 0
    refused_items: int = 0
    refused_requests: dict[str, int] = {}
    accepted_requests: int = 0
    stored_items: int = 0
    damaged_requests: int = 0
    spool_fill: float = 0.0
    spool_oldest_s: float = 0.0
    shedding_level: int = 0
    breaker: str = "closed"


class IngestAlarm(Model):
    """Something wrong with the way in.

    `alarm` is lost, breaker_open, spool_filling, spool_old, damaged, dead_letters, refusing, rejecting or silent.
    """

    alarm: str
    severity: Severity
    collector: str
    signal: str
    text: str
    remedy: str


class IngestStage(Model):
    """What became of one signal's items at one collector since `started_at`, as it reported at `at`.

    Items are spans, data points or log records. `received = accepted + rejected + repeated + refused`, and
    `accepted + found = waiting + stored + put aside + unaccounted`, `found` being what an earlier process had left.
    """

    collector: str
    signal: str
    at: datetime
    started_at: datetime
    received_items: int
    accepted_items: int
    rejected_items: int
    repeated_items: int
    refused_items: int
    refused_requests: dict[str, int]
    found_items: int
    waiting_items: int
    stored_items: int
    put_aside_items: int
    unaccounted_items: int
    dead_letters: int
    damaged_requests: int
    spool_bytes: int
    spool_fill: float
    spool_oldest_s: float
    shedding_level: int
    breaker: str
    breaker_s: float
    last_stored_at: datetime | None
    last_error: str
    final: bool


class IngestPoint(Model):
    """What all collectors counted of one signal in a step that begins at `at`."""

    signal: str
    at: datetime
    received: int
    stored: int
    rejected: int
    refused: int
    refused_requests: int


class ServiceVolume(Model):
    """What is stored of a service with a time in the window.

    Sampled spans count as those that they stand for, and spans whose time could not be believed are missing; points and
    log records are exact.
    """

    service: str
    environment: str
    signal: str
    items: int
    last_at: datetime


class DeadLetter(Model):
    """A request that could not be stored, in the folder of the API's own process; `items` None: nobody could count."""

    signal: str
    at: datetime
    items: int | None
    size_bytes: int
    reason: str
    file: str


class IngestHealth(Model):
    """The way in: what is wrong with it, its stages, and what is stored of each service.

    `error` says why the database could not be asked; then there are the stages of this process only.
    """

    as_of: datetime
    window_s: int
    step_s: int
    alarms: list[IngestAlarm]
    stages: list[IngestStage]
    series: list[IngestPoint]
    services: list[ServiceVolume]
    dead_letters: list[DeadLetter]
    error: str = ""


class TelemetryFinding(Model):
    """What makes a service's telemetry of the last hour less useful, with the setting or line of code to change.

    `evidence` are numbers by name (ratios 0..1), of the newest spans or a sample of traces; `examples` are trace ids
    for checks of spans, names for the others.
    """

    check: str
    service: str
    environment: str
    severity: Severity
    finding: str
    remedy: str
    evidence: dict[str, float]
    examples: list[str]


class TelemetryChecks(Model):
    """The findings of all checks, the worst first, and when they were made."""

    as_of: datetime
    window_s: int
    checks: list[str]
    items: list[TelemetryFinding]


class Status(Model):
    """The service about itself: the first-run guide, `doctor` and the pages' notices read this."""

    version: str
    started_at: datetime
    spans_stored: int
    services: int
    newest_span_at: datetime | None
    last_tick_at: datetime | None
    last_tick_error: str
    addresses: dict[str, str]
    ingest: list[IngestStatus]
    slo_files: list[str]
    slo_errors: list[SloFileError]
    notices: list[str]


class MetricStep(Model):
    """One step of time. `value`: a gauge's value, or a rate a second; `quantiles` by level, "0.95" for example."""

    at: datetime
    value: float | int | None
    increase: float | None = None
    quantiles: dict[str, float] | None = None


class MetricSeries(Model):
    """A series or a group of them. `unusable_bounds`: over 90 % of a histogram's values lie in one bucket."""

    labels: dict[str, Any]
    steps: list[MetricStep]
    unusable_bounds: bool = False


class Exemplar(Model):
    """A single measurement, and the trace that it was made in."""

    at: datetime
    value: float | int | None
    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class Metric(Model):
    """A metric over [start, end): `items` are those `shown` of `total` series, each with the steps that have data.

    `kinds` are all that the name was sent as; this answer is of `kind`. `overflow_points` are of series beyond their
    service's limit: deltas count in `items` as `__other__`, other points are left out.
    """

    kind: MetricName
    kinds: list[MetricName]
    start: datetime
    end: datetime
    step_s: int
    shown: int
    total: int
    warnings: list[str]
    overflow_points: int = 0
    items: list[MetricSeries]
    exemplars: list[Exemplar]
    next_cursor: str | None = None


class LogRecord(Model):
    """One log record. `severity_number`: 1 to 24, 0 where none was sent; `body` is text or any other value."""

    at: datetime
    observed_at: datetime | None
    service: str
    environment: str
    severity_number: int
    severity_text: str
    body: Any
    event_name: str
    trace_id: str
    span_id: str
    attributes: dict[str, Any]
    dropped_attributes: int
    resource: dict[str, Any]
    scope: str
