"""Requests counted twice: by the services' own metrics, and by the server spans that arrived."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from slo.double_entry import MinuteEntry
from storage.client import Database
from storage.metric_query import MetricQuery
from storage.metric_series import count_increases
from storage.metrics import metric_names
from storage.times import whole

Sender: TypeAlias = tuple[str, str]  # service and environment

# Histograms whose count is one a request, by OpenTelemetry's semantic conventions: the stable name first, the older one
# where a service sends no other. One that sends both is counted once.
HTTP: Final = ("http.server.request.duration", "http.server.duration")
RPC: Final = ("rpc.server.call.duration", "rpc.server.duration")
LOOKED_AT: Final = timedelta(hours=1)
SETTLED: Final = timedelta(minutes=3)  # counters are usually sent once a minute
MOST_SENDERS: Final = 2_000
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DoubleEntries:
    """The minutes of [start, end) by what sent them: those between the first and the last that counters cover."""

    start: datetime
    end: datetime
    minutes: Mapping[Sender, Mapping[datetime, MinuteEntry]]

    def of(self, service: str, environment: str | None) -> list[MinuteEntry]:
        """Return the minutes of *service* in order; those of all of its environments together where that is None."""
        found: defaultdict[datetime, list[MinuteEntry]] = defaultdict(list)
        for sender, minutes in self.minutes.items():
            if sender[0] == service and environment in {None, sender[1]}:
                for minute, entry in minutes.items():
                    found[minute].append(entry)
        return [
            MinuteEntry(sum(each.requests for each in entries), sum(each.spans for each in entries))
            for _, entries in sorted(found.items())
        ]


def double_entries(database: Database, now: datetime) -> DoubleEntries:
    """Return what both sides counted in the last hour that is settled, of everything that counts its requests."""
    end = (now - SETTLED).replace(second=0, microsecond=0)
    start = end - LOOKED_AT
    counted: defaultdict[Sender, list[Mapping[int, float]]] = defaultdict(list)
    for names in (HTTP, RPC):
        for sender, steps in _first_counted(database, names, start, end).items():
            counted[sender].append(steps)
    spans = _spans(database, sorted({service for service, _ in counted}), start, end)
    minutes = {sender: dict(_entries(_sum(parts), spans.get(sender, {}), start)) for sender, parts in counted.items()}
    return DoubleEntries(start, end, minutes)


def _first_counted(
    database: Database, names: Sequence[str], start: datetime, end: datetime
) -> dict[Sender, Mapping[int, float]]:
    """Return what the first of *names* that a sender sends counted, by minute since *start*."""
    found: dict[Sender, Mapping[int, float]] = {}
    for name in names:
        of_name: defaultdict[Sender, list[Mapping[int, float]]] = defaultdict(list)
        for kind in metric_names(database, now=end, metric=name):
            if kind.type in {"histogram", "exponential_histogram"}:
                query = MetricQuery(kind, start, end, 60, group_by=("service", "environment"), limit=MOST_SENDERS)
                for (service, environment), steps in count_increases(database, query).items():
                    of_name[service, environment].append(steps)
        found = {sender: _sum(parts) for sender, parts in of_name.items()} | found
    return found


def _spans(
    database: Database, services: Sequence[str], start: datetime, end: datetime
) -> dict[Sender, dict[datetime, int]]:
    found: defaultdict[Sender, dict[datetime, int]] = defaultdict(dict)
    if services:
        parameters = {"services": list(services), "start": whole(start), "end": whole(end)}
        for row in database.rows("server_spans", parameters):
            found[row["service"], row["environment"]][row["minute"]] = row["spans"]
    return found


def _entries(
    counted: Mapping[int, float], spans: Mapping[datetime, int], start: datetime
) -> Iterator[tuple[datetime, MinuteEntry]]:
    """Yield the minutes that counters cover as a whole. Increases are spread over minutes, so their sum is rounded."""
    upto = 0.0
    for step in range(min(counted, default=0) + 1, max(counted, default=0)):
        before, upto = round(upto), upto + counted.get(step, 0.0)
        minute = start + step * _MINUTE
        yield minute, MinuteEntry(round(upto) - before, spans.get(minute, 0))


def _sum(parts: Sequence[Mapping[int, float]]) -> Mapping[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    for part in parts:
        for step, increase in part.items():
            found[step] += increase
    return found
