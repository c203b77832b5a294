"""Metrics that were received."""

from dataclasses import dataclass
from datetime import datetime

from storage.client import Database


@dataclass(frozen=True, slots=True)
class MetricName:
    metric: str
    type: str
    unit: str
    service: str
    series: int
    last_seen: datetime


def metric_names(database: Database) -> list[MetricName]:
    return [
        MetricName(row["metric"], row["type_name"], row["metric_unit"], row["service"], row["series"], row["seen"])
        for row in database.rows("metric_names")
    ]
