"""Probes for steady-state hypotheses. Each fails where there is no data: an empty window never reads as good."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chaoslib.exceptions import ActivityFailed

from api.client import ApiClient
from api.models import SliCount, Slo
from chaos.toolkit.connection import api_of

__all__ = [
    "availability",
    "burn_rate",
    "burn_rate_below",
    "cache_hit_ratio",
    "error_budget_remaining",
    "p95",
    "p95_below",
    "run_verdict",
    "share_within",
    "slo_met",
]

Configuration = dict[str, Any]


def slo_met(slo: str, window_s: float = 0, configuration: Configuration | None = None) -> bool:
    """Return whether the objective with the id `slo` is met, in its own window or in the last `window_s` seconds."""
    with api_of(configuration) as api:
        found = api.slo(slo)
        ratio = found.sli if not window_s else _ratio_of(found, api, window_s)
        if ratio is None:
            raise ActivityFailed(f"SLO {slo} has no events in its window; no data is not met")
        return ratio >= found.objective


def burn_rate(slo: str, window: str = "1h", configuration: Configuration | None = None) -> float:
    """Return how fast the error budget of `slo` is spent in `window` ("5m", "1h" ...); 1 spends it exactly in time."""
    with api_of(configuration) as api:
        return _burn_rate(api.slo(slo), window)


def burn_rate_below(
    slo: str, threshold: float, windows: list[str] | None = None, configuration: Configuration | None = None
) -> bool:
    """Return whether the burn rate of `slo` is below `threshold` in each of `windows` (["1h"] if none are named)."""
    with api_of(configuration) as api:
        found = api.slo(slo)
        return all(_burn_rate(found, window) < threshold for window in windows or ["1h"])


def error_budget_remaining(slo: str, configuration: Configuration | None = None) -> float:
    """Return the share of the error budget of `slo` that is left: 1 untouched, 0 spent, below 0 overspent."""
    with api_of(configuration) as api:
        left = api.slo(slo).error_budget_remaining
        if left is None:
            raise ActivityFailed(f"SLO {slo} has no data, so nothing is known of its budget")
        return left


def availability(
    service: str, window_s: float = 60, environment: str = "", configuration: Configuration | None = None
) -> float:
    """Return the share (0..1) of the requests of `service` in the last `window_s` seconds that did not fail."""
    with api_of(configuration) as api:
        count = _count(api, service, window_s, environment)
        return 1 - count.errors / count.total


def share_within(
    service: str,
    threshold_ms: float,
    window_s: float = 60,
    environment: str = "",
    configuration: Configuration | None = None,
) -> float:
    """Return the share (0..1) of the requests of `service` in the last `window_s` seconds within `threshold_ms`."""
    with api_of(configuration) as api:
        count = _count(api, service, window_s, environment, threshold_ms)
        return 1 - count.slow / count.total


def p95(service: str, window_s: float = 60, environment: str = "", configuration: Configuration | None = None) -> float:
    """Return the 95th percentile of the latency of `service` in the last `window_s` seconds, in milliseconds."""
    with api_of(configuration) as api:
        return _p95(api, service, window_s, environment)


def p95_below(
    service: str,
    threshold_ms: float,
    window_s: float = 60,
    environment: str = "",
    configuration: Configuration | None = None,
) -> bool:
    """Return whether the 95th percentile of the latency of `service` is below `threshold_ms`."""
    with api_of(configuration) as api:
        return _p95(api, service, window_s, environment) < threshold_ms


def cache_hit_ratio(
    cache: str, service: str = "", window_s: int = 300, configuration: Configuration | None = None
) -> float:
    """Return the hit ratio (0..1) of the cache named `cache`, of `service` if several have one of that name."""
    with api_of(configuration) as api:
        found = [each for each in api.caches(window_s=window_s) if each.name == cache and service in ("", each.service)]
        hits, all_ = sum(each.hits for each in found), sum(each.hits + each.misses for each in found)
        if not all_:
            raise ActivityFailed(f"cache {cache} was not asked in the last {window_s} s")
        return hits / all_


def run_verdict(run_id: str, configuration: Configuration | None = None) -> dict[str, Any]:
    """Return what came of a judged run: `verdict`, `status`, `summary` and `ended_at`, for a jsonpath tolerance."""
    with api_of(configuration) as api:
        run = api.run(run_id)
        if run.verdict is None:
            raise ActivityFailed(f"run {run_id} has no verdict; it is {run.status}")
        ended_at = None if run.ended_at is None else run.ended_at.isoformat()
        return {"verdict": run.verdict, "status": run.status, "summary": run.summary, "ended_at": ended_at}


def _count(
    api: ApiClient, service: str, window_s: float, environment: str, threshold_ms: float | None = None
) -> SliCount:
    end = datetime.now(UTC)
    count = api.sli(
        service,
        start=end - timedelta(seconds=window_s),
        end=end,
        environment=environment or None,
        threshold_ms=threshold_ms,
    )
    if not count.total:
        raise ActivityFailed(f"service {service} has had no request in the last {window_s:g} s; no data is not good")
    return count


def _p95(api: ApiClient, service: str, window_s: float, environment: str) -> float:
    found = _count(api, service, window_s, environment).p95_ms
    if found is None:
        raise ActivityFailed(f"the latency of {service} is not known")
    return found


def _burn_rate(slo: Slo, window: str) -> float:
    if window not in slo.burn_rates:
        known = ", ".join(slo.burn_rates) or "none"
        raise ActivityFailed(f"SLO {slo.id} has no burn rate over {window!r} (known: {known})")
    rate = slo.burn_rates[window]
    if rate is None:
        raise ActivityFailed(f"SLO {slo.id} has had no events in {window}; no data is no burn rate")
    return rate


def _ratio_of(slo: Slo, api: ApiClient, window_s: float) -> float:
    if slo.kind == "availability":
        count = _count(api, slo.service, window_s, slo.environment)
        return 1 - count.errors / count.total
    if slo.kind == "latency" and slo.threshold_ms is not None:
        count = _count(api, slo.service, window_s, slo.environment, slo.threshold_ms)
        return 1 - count.slow / count.total
    raise ActivityFailed(f"SLO {slo.id} is of kind {slo.kind}; only availability and latency know a window_s")
