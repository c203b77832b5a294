"""Metrics that were received: their names, and what is known of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.client import Database
from storage.times import whole

IN_SIGHT = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class MetricName:
    """One kind of a metric: a name that was sent with two types or units is two kinds.

    Attributes:
        last_seen: To ten minutes.
    """

    metric: str
    type: str
    unit: str
    description: str
    temporality: str
    monotonic: bool
    services: list[str]
    series: int
    last_seen: datetime


def metric_names(database: Database, *, now: datetime, service: str = "", metric: str = "") -> list[MetricName]:
    """Return every kind of metric that *service* (or any) sent in this month or the last, newest first in a name."""
    parameters = {"since": whole(now - IN_SIGHT), "service": service, "metric": metric}
    return [
        MetricName(
            metric=row["metric"],
            type=row["type_name"],
            unit=row["unit"],
            description=row["description_text"],
            temporality=row["temporality_name"],
            monotonic=row["monotonic"],
            services=row["services"],
            series=row["series"],
            last_seen=row["seen"],
        )
        for row in database.rows("metric_names", parameters)
    ]
