"""What a metric's answer leaves out or adds up, because its service sends more series than can be told apart."""

from storage.client import Database
from storage.metric_query import MetricQuery

_POINTS = {
    "gauge": "metric_points",
    "sum": "metric_points",
    "histogram": "metric_histograms",
    "exponential_histogram": "metric_exponential_histograms",
    "summary": "metric_summaries",
}


def overflow_points(database: Database, query: MetricQuery) -> int:
    """Return how many points in sight of *query*, whatever their attributes were, overflowed into one series."""
    rows = database.rows("metric_overflow", query.parameters(), points=_POINTS[query.kind.type])
    return int(rows[0]["points"])


def overflow_warning(query: MetricQuery, points: int) -> str:
    """Return what has to be known of *points* that overflowed."""
    beyond = f"{points:,} points are of series beyond their service's limit"
    if query.adds_up:
        return f"{beyond}: they are counted together as __other__"
    return f"{beyond}: they are left out, because values of different series make none together"
