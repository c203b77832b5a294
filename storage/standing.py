"""Where every objective stands at a moment: windows from the stored minutes, judged by the domain."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from slo.evaluation import Evaluation, budget_window, evaluate
from slo.model import NO_EVENTS, Exclusion, Slo
from storage.client import Database
from storage.maintenance import exclusions_for
from storage.services import request_services
from storage.sli_sums import OTHER, RunningSums, first_minutes
from storage.slo_windows import SloSums, SloWindows, slo_sums, slo_windows

ALIVE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """One group of an objective, by the values of its attributes. Those that are too many are one, "(other)"."""

    labels: Mapping[str, str]
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Standing:
    """One objective and its evaluation over windows that end at `as_of` (exclusive, a whole minute).

    `groups` are those of an indicator that groups by attributes, most bad events first.
    """

    slo: Slo
    evaluation: Evaluation
    as_of: datetime
    groups: tuple[GroupStanding, ...] = ()


def standings(
    database: Database,
    slos: Iterable[Slo],
    now: datetime,
    *,
    exclusions: Mapping[str, Sequence[Exclusion]] | None = None,
) -> list[Standing]:
    """Return where *slos* stand at *now*, from the minutes counted so far.

    *exclusions* are further ones, by the objective's id, beside those that it has itself; by default what maintenance
    excludes.
    """
    wanted = list(slos)
    further = exclusions_for(database, wanted, now) if exclusions is None else exclusions
    asked = [slo_windows(slo, now, further.get(slo.id, ())) for slo in wanted]
    firsts = first_minutes(database, (windows.slo.indicator.series_id for windows in asked))
    found = slo_sums(database, asked, firsts)
    # not now: a replay must answer as it did live
    alive = _Alive(database, max((windows.end for windows in asked), default=now))
    return [_standing(windows, sums, firsts, alive) for windows, sums in zip(asked, found, strict=True)]


class _Alive:
    """What sent request spans in the hour before *end*. Only objectives without events ask, so mostly nobody does."""

    def __init__(self, database: Database, end: datetime) -> None:
        self._database, self._end = database, end

    @cached_property
    def _services(self) -> set[tuple[str, str | None]]:
        found = request_services(self._database, since=self._end - ALIVE, until=self._end)
        return {*found, *((service, None) for service, _ in found)}

    def has(self, slo: Slo) -> bool:
        return (slo.service, slo.indicator.environment) in self._services


def _standing(asked: SloWindows, sums: SloSums, firsts: Mapping[int, datetime], alive: _Alive) -> Standing:
    slo = asked.slo
    first = firsts.get(slo.indicator.series_id)
    coverage, observed = _coverage(asked, first), None if first is None else asked.end - first

    def evaluated(of: RunningSums) -> Evaluation:
        counts, excluded = asked.counts(of), asked.excluded_counts(of)
        whole = budget_window(slo, asked.end)
        silent = counts[whole] == (excluded or {}).get(whole, NO_EVENTS)
        seen = silent and alive.has(slo)
        return evaluate(
            slo,
            counts,
            end=asked.end,
            coverage=coverage,
            seen_recently=seen,
            excluded=excluded,
            observed=observed,
        )

    groups = [GroupStanding(_labels(slo, group), evaluated(of)) for group, of in sums.groups.items()]
    groups.sort(key=lambda group: (-group.evaluation.counts.bad, sorted(group.labels.items())))
    return Standing(slo, evaluated(sums.whole), asked.end, tuple(groups))


def _coverage(asked: SloWindows, first: datetime | None) -> float:
    """Return the share of the objective's window that lies behind the first counted event."""
    if first is None or first >= asked.end:
        return 0.0
    return min(1.0, (asked.end - first) / budget_window(asked.slo, asked.end))


def _labels(slo: Slo, group: str) -> Mapping[str, str]:
    """Return the values that *group*, the JSON object that minutes are stored under, has of each attribute."""
    if group == OTHER:
        return dict.fromkeys(slo.indicator.group_by, OTHER)
    values = json.loads(group) if group else {}
    return {name: str(value) for name, value in values.items()}
