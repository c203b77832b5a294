"""The look at a metrics request: every data point, by the rules of OpenTelemetry's metrics data model."""

from typing import Any

from collector.check.findings import Findings
from collector.check.points import unusable_point

NO_TEMPORALITY = "of an unspecified aggregation temporality"
TEMPORALITIES = {1, 2}  # delta, cumulative


def check_metrics(request: Any, _body: bytes) -> Findings:
    """Remove the unusable points from *request* and return what was found."""
    found = Findings("data points", 0)
    metrics = 0
    for group in request.resource_metrics:
        for scope in group.scope_metrics:
            metrics += len(scope.metrics)
            for metric in scope.metrics:
                _look_at_metric(metric, found)
    found.doubtful = metrics > 0 and found.rejected == found.total
    return found


def _look_at_metric(metric: Any, found: Findings) -> None:
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    points = data.data_points
    found.total += len(points)
    if kind in {"sum", "histogram", "exponential_histogram"} and data.aggregation_temporality not in TEMPORALITIES:
        for _ in points:
            found.leave_out(NO_TEMPORALITY, metric.name)
        del points[:]
        return
    bad = 0
    for point in points:
        if reason := unusable_point(kind, point):
            found.leave_out(reason, metric.name)
            bad += 1
    if bad:
        # stable, and linear where deleting one by one is quadratic
        points.sort(key=lambda point: bool(unusable_point(kind, point)))
        del points[len(points) - bad :]
