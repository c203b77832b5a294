"""The one typed client of the API: the dashboard, the CLI and the chaos runner speak through it."""

from collections.abc import Sequence

from api import models as m
from api.alert_calls import AlertCalls
from api.effect_calls import EffectCalls
from api.run_calls import RunCalls
from api.transport import ApiError, segment

__all__ = ["ApiClient", "ApiError"]


class ApiClient(AlertCalls, RunCalls, EffectCalls):
    """Typed calls to `/api/v1` of the server at *base_url*, for example `http://127.0.0.1:8080`.

    Every method raises ApiError when the server refuses or does not answer within *timeout_s*.
    """

    def status(self) -> m.Status:
        return self._get(m.Status, "status")

    def services(self, *, window_s: int = 900) -> list[m.Service]:
        return self._get(m.Page[m.Service], "services", window_s=window_s).items

    def service(self, name: str, *, environment: str = "", window_s: int = 3600) -> m.ServiceDetail:
        return self._get(m.ServiceDetail, f"services/{segment(name)}", environment=environment, window_s=window_s)

    def regressions(self, name: str, *, environment: str = "", against: str = "version") -> m.ServiceRegressions:
        """Return how the operations of a service changed *against* the "version", "hour" or "week" before."""
        path = f"services/{segment(name)}/regressions"
        return self._get(m.ServiceRegressions, path, environment=environment, against=against)

    def traces(
        self,
        *,
        service: str = "",
        operation: str = "",
        errors_only: bool = False,
        min_duration_ms: float = 0,
        window_s: int = 3600,
        limit: int = 50,
    ) -> list[m.TraceSummary]:
        return self._get(
            m.Page[m.TraceSummary],
            "traces",
            service=service,
            operation=operation,
            errors_only=errors_only,
            min_duration_ms=min_duration_ms,
            window_s=window_s,
            limit=limit,
        ).items

    def trace(self, trace_id: str) -> m.Trace:
        return self._get(m.Trace, f"traces/{segment(trace_id)}")

    def slos(self) -> list[m.Slo]:
        return self._get(m.Page[m.Slo], "slos").items

    def slo(self, slo_id: str) -> m.Slo:
        return self._get(m.Slo, f"slos/{segment(slo_id)}")

    def slo_minutes(self, slo_id: str, *, window_s: int = 86400, step_s: int = 60) -> list[m.SloMinute]:
        return self._get(m.Page[m.SloMinute], f"slos/{segment(slo_id)}/minutes", window_s=window_s, step_s=step_s).items

    def slo_details(self, slo_id: str) -> m.SloDetails:
        return self._get(m.SloDetails, f"slos/{segment(slo_id)}/details")

    def slo_revisions(self, slo_id: str) -> list[m.SloRevision]:
        return self._get(m.Page[m.SloRevision], f"slos/{segment(slo_id)}/revisions").items

    def gate(self, slo_id: str, *, min_budget: str, allow_no_data: bool = False) -> m.Gate:
        """Ask whether the share *min_budget* ("0.2") of the error budget is left."""
        path = f"slos/{segment(slo_id)}/gate"
        return self._get(m.Gate, path, min_budget=min_budget, allow_no_data=allow_no_data)

    def backtest(self, asked: m.BacktestRequest) -> list[m.Backtest]:
        return self._post(m.Page[m.Backtest], "slos/backtest", asked).items

    def slo_report(self, month: str, *, drafts: bool = False) -> m.SloReport:
        return self._get(m.SloReport, "slos/report", month=month, drafts=drafts)

    def maintenance(self) -> list[m.Maintenance]:
        return self._get(m.Page[m.Maintenance], "maintenance").items

    def add_maintenance(self, window: m.NewMaintenance) -> m.Maintenance:
        return self._post(m.Maintenance, "maintenance", window)

    def end_maintenance(self, maintenance_id: str) -> m.Maintenance:
        answer = self._send("DELETE", f"maintenance/{segment(maintenance_id)}")
        return m.Maintenance.model_validate_json(answer.content)

    def slo_forecast(self, slo_id: str) -> list[m.SloForecast]:
        return self._get(m.Page[m.SloForecast], f"slos/{segment(slo_id)}/forecast").items

    def slo_explanation(self, slo_id: str, *, window_s: int = 3600) -> m.SloExplanation:
        """Return who spent the budget in the last *window_s* seconds, and what bad events have in common."""
        return self._get(m.SloExplanation, f"slos/{segment(slo_id)}/explanation", window_s=window_s)

    def slo_suggestion(self, slo_id: str) -> m.SloSuggestion:
        return self._get(m.SloSuggestion, f"slos/{segment(slo_id)}/suggestion")

    def slo_double_entry(self, slo_id: str) -> m.SloDoubleEntry:
        """Return the requests of its service by its own metrics, against the spans that arrived."""
        return self._get(m.SloDoubleEntry, f"slos/{segment(slo_id)}/double-entry")

    def slo_corrections(self, slo_id: str, *, window_s: int = 86400) -> list[m.SloCorrection]:
        """Return the minutes whose verdict late data changed in the last *window_s* seconds."""
        return self._get(m.Page[m.SloCorrection], f"slos/{segment(slo_id)}/corrections", window_s=window_s).items

    def backfills(self) -> list[m.Backfill]:
        return self._get(m.Page[m.Backfill], "backfills").items

    def request_backfill(self, slo_id: str) -> m.BackfillRequest:
        """Ask that the past of an objective is counted anew."""
        answer = self._send("POST", f"slos/{segment(slo_id)}/backfill")
        return m.BackfillRequest.model_validate_json(answer.content)

    def adopt_slo(self, slo_id: str) -> m.AdoptedSlo:
        """Have the server write a draft into its folder of SLO files."""
        return m.AdoptedSlo.model_validate_json(self._send("POST", f"slos/{segment(slo_id)}/adopt").content)

    def caches(self, *, window_s: int = 3600) -> list[m.Cache]:
        return self._get(m.Page[m.Cache], "caches", window_s=window_s).items

    def metrics(self, *, service: str = "") -> list[m.MetricName]:
        return self._get(m.Page[m.MetricName], "metrics", service=service).items

    def metric(self, name: str, /, **asked: str | float | Sequence[str] | None) -> m.Metric:
        """Return a metric over time; *asked* are the parameters of `/api/v1/metrics/{name}`, `window_s` for example."""
        return self._get(m.Metric, f"metrics/{segment(name)}", **asked)

    def logs(self, /, **asked: str | float | Sequence[str] | None) -> m.Page[m.LogRecord]:
        """Return a page of log records, newest first; *asked* are the parameters of `/api/v1/logs`."""
        return self._get(m.Page[m.LogRecord], "logs", **asked)

    def annotations(self, *, window_s: int = 86400) -> list[m.Annotation]:
        return self._get(m.Page[m.Annotation], "annotations", window_s=window_s).items

    def ingest(self, *, window_s: int = 3600) -> m.IngestHealth:
        return self._get(m.IngestHealth, "ingest", window_s=window_s)

    def checks(self, *, service: str = "") -> m.TelemetryChecks:
        """Return what is wrong with the telemetry of *service*, or of all; at most a minute old."""
        return self._get(m.TelemetryChecks, "checks", service=service)
