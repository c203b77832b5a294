"""The ingest alarms of this process at /metrics."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from storage.ingest_alarms import ALARMS, ingest_alarms
from storage.ingest_stats import StageReport


class AlarmMetrics(Collector):
    """Judges the reports of the last minutes at every scrape; an alarm that does not sound is 0."""

    def __init__(self, recent: Callable[[], Sequence[StageReport]]) -> None:
        self._recent = recent

    def collect(self) -> Iterator[GaugeMetricFamily]:
        sounding = Counter(alarm.alarm for alarm in ingest_alarms(self._recent(), datetime.now(UTC)))
        family = GaugeMetricFamily(
            "ninelives_ingest_alarms", "Alarms of the way in that sound now, over all signals.", labels=["alarm"]
        )
        for name in ALARMS:
            family.add_metric([name], sounding[name])
        yield family
