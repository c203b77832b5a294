"""What the Chaos Toolkit did, read from its journal, whoever wrote that. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.models import Run
from chaos.report import words


@dataclass(frozen=True, slots=True)
class Activity:
    """One probe or action. `part`: hypothesis before or after, method or rollback; `told`: status, time and output."""

    part: str
    kind: str
    name: str
    status: str
    ok: bool
    told: str

    @property
    def sign(self) -> str:
        return "ok" if self.ok else "FAILED"


def activities(run: Run) -> list[Activity]:
    """Return the activities of the run's journal in their order; what has not the journal's form is left out."""
    return list(_found(run.journal or {}))


def _found(journal: Mapping[str, Any]) -> Iterator[Activity]:
    states = journal.get("steady_states")
    yield from _part("hypothesis before", _probes(states, "before"))
    yield from _part("method", journal.get("run"))
    yield from _part("hypothesis during", _probes(states, "during"))
    yield from _part("hypothesis after", _probes(states, "after"))
    yield from _part("rollback", journal.get("rollbacks"))


def _probes(states: Any, when: str) -> list[Any]:
    """Return the probes of a check, or of the many checks that were made during the method."""
    found = states.get(when) if isinstance(states, Mapping) else None
    checks = found if isinstance(found, list) else [found]
    probes = [check.get("probes") for check in checks if isinstance(check, Mapping)]
    return [probe for each in probes if isinstance(each, list) for probe in each]


def _part(part: str, items: Any) -> Iterator[Activity]:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, Mapping):
            yield _activity(part, item)


def _activity(part: str, item: Mapping[str, Any]) -> Activity:
    declared = item.get("activity")
    named: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
    status = words.shortened(item.get("status") or "unknown", 40)
    met = item.get("tolerance_met")
    duration = item.get("duration")
    told = [status]
    if isinstance(duration, int | float):
        told.append(words.seconds(duration))
    if isinstance(met, bool):
        told.append("tolerance met" if met else "tolerance not met")
    told.append(_said(item))
    return Activity(
        part=part,
        kind=words.shortened(named.get("type") or "activity", 40),
        name=words.shortened(named.get("name") or words.MISSING, 120),
        status=status,
        ok=status == "succeeded" and met is not False,
        told=", ".join(filter(None, told)),
    )


def _said(item: Mapping[str, Any]) -> str:
    """Return why an activity failed, or else what it returned."""
    lines = item.get("exception")
    if isinstance(lines, list) and lines:
        return words.shortened(lines[-1])
    output = item.get("output")
    return "" if output is None else f"returned {words.shortened(output, 80)}"
