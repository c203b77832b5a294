"""The HTTP contract: what every answer of `/api/v1` looks like.

Times are RFC 3339 in UTC, durations carry their unit in the name, ratios are 0..1, ids are lower-case hex,
and None means "no data" (never 0, never NaN).
"""

from api.models.alerts import Alert, AlertState
from api.models.annotations import Annotation
from api.models.base import Model, Page, Severity
from api.models.caches import Cache, CachePoint, LatencyGroup
from api.models.checks import TelemetryChecks, TelemetryFinding
from api.models.edges import EdgeCount
from api.models.ingest import (
    DeadLetter,
    IngestAlarm,
    IngestHealth,
    IngestPoint,
    IngestStage,
    IngestStatus,
    ServiceVolume,
)
from api.models.logs import LogRecord
from api.models.metrics import Exemplar, Metric, MetricName, MetricSeries, MetricStep
from api.models.problem import Problem
from api.models.runs import Finding, Run, RunStatus, RunWindow, Verdict
from api.models.services import Operation, OperationChange, RedPoint, Service, ServiceDetail, ServiceRegressions
from api.models.sli import SliCount
from api.models.slo_explanations import (
    AdoptedSlo,
    Backfill,
    BackfillRequest,
    Difference,
    ForecastPoint,
    GuiltyTrace,
    SloCorrection,
    SloDoubleEntry,
    SloExplanation,
    SloForecast,
    SloSuggestion,
    Spender,
)
from api.models.slo_history import (
    Backtest,
    BacktestAlert,
    BacktestDay,
    BacktestIncident,
    BacktestRequest,
    Gate,
    Maintenance,
    NewMaintenance,
    SloDetails,
    SloRevision,
)
from api.models.slo_report import (
    ReportChange,
    ReportEnd,
    ReportFigures,
    ReportIncident,
    ReportSlo,
    ReportSpender,
    ReportTotals,
    SloReport,
)
from api.models.slos import Slo, SloCondition, SloGroup, SloMinute, SloState, WindowCounts
from api.models.status import SloFileError, Status
from api.models.traces import Span, SpanEvent, SpanLink, Trace, TraceSummary

__all__ = [
    "AdoptedSlo",
    "Alert",
    "AlertState",
    "Annotation",
    "Backfill",
    "BackfillRequest",
    "Backtest",
    "BacktestAlert",
    "BacktestDay",
    "BacktestIncident",
    "BacktestRequest",
    "Cache",
    "CachePoint",
    "DeadLetter",
    "Difference",
    "EdgeCount",
    "Exemplar",
    "Finding",
    "ForecastPoint",
    "Gate",
    "GuiltyTrace",
    "IngestAlarm",
    "IngestHealth",
    "IngestPoint",
    "IngestStage",
    "IngestStatus",
    "LatencyGroup",
    "LogRecord",
    "Maintenance",
    "Metric",
    "MetricName",
    "MetricSeries",
    "MetricStep",
    "Model",
    "NewMaintenance",
    "Operation",
    "OperationChange",
    "Page",
    "Problem",
    "RedPoint",
    "ReportChange",
    "ReportEnd",
    "ReportFigures",
    "ReportIncident",
    "ReportSlo",
    "ReportSpender",
    "ReportTotals",
    "Run",
    "RunStatus",
    "RunWindow",
    "Service",
    "ServiceDetail",
    "ServiceRegressions",
    "ServiceVolume",
    "Severity",
    "SliCount",
    "Slo",
    "SloCondition",
    "SloCorrection",
    "SloDetails",
    "SloDoubleEntry",
    "SloExplanation",
    "SloFileError",
    "SloForecast",
    "SloGroup",
    "SloMinute",
    "SloReport",
    "SloRevision",
    "SloState",
    "SloSuggestion",
    "Span",
    "SpanEvent",
    "SpanLink",
    "Spender",
    "Status",
    "TelemetryChecks",
    "TelemetryFinding",
    "Trace",
    "TraceSummary",
    "Verdict",
    "WindowCounts",
]
