"""What the Chaos Toolkit did in a run, read from its journal, whoever wrote that."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboard.views import texts, units
from dashboard.views.markup import Column, Look, Markup, chip, lines, muted, table

MOST = 100


def activities(journal: Mapping[str, Any]) -> Markup:
    """Return each probe and action in its order; "" where the journal has none."""
    rows = [
        (
            _status(item),
            lines(texts.name(_named(item, "name")), muted(_named(item, "type"))),
            part,
            _took(item),
            _said(item),
        )
        for part, item in list(_items(journal))[:MOST]
    ]
    columns = (
        Column("Result"),
        Column("Activity"),
        Column("Part"),
        Column("Took", numeric=True),
        Column("What it said"),
    )
    return table(columns, rows, caption="Activities of the Chaos Toolkit") if rows else Markup("")


def _items(journal: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    states = journal.get("steady_states")
    before, during, after = (_probes(states, when) for when in ("before", "during", "after"))
    parts = (
        ("hypothesis before", before),
        ("method", journal.get("run")),
        ("hypothesis during", during),
        ("hypothesis after", after),
        ("rollback", journal.get("rollbacks")),
    )
    for part, items in parts:
        for item in items if isinstance(items, list) else []:
            if isinstance(item, Mapping):
                yield part, item


def _probes(states: Any, when: str) -> list[Any]:
    """Return the probes of a check, or of the many checks that were made during the method."""
    found = states.get(when) if isinstance(states, Mapping) else None
    checks = found if isinstance(found, list) else [found]
    probes = [check.get("probes") for check in checks if isinstance(check, Mapping)]
    return [probe for each in probes if isinstance(each, list) for probe in each]


def _named(item: Mapping[str, Any], field: str) -> str:
    declared = item.get("activity")
    found = declared.get(field) if isinstance(declared, Mapping) else None
    return texts.shortened(found) if found else units.MISSING


def _status(item: Mapping[str, Any]) -> Markup:
    status, met = item.get("status"), item.get("tolerance_met")
    if status == "succeeded":
        return chip(Look("✕", "Not as expected", "bad") if met is False else Look("✓", "Succeeded", "good"))
    return chip(Look("✕", texts.shortened(status or "unknown", 20).capitalize(), "bad"))


def _took(item: Mapping[str, Any]) -> str:
    duration = item.get("duration")
    return units.duration(duration * 1000) if isinstance(duration, int | float) else units.MISSING


def _said(item: Mapping[str, Any]) -> Markup:
    """Return why an activity failed, or else what it returned."""
    exception = item.get("exception")
    if isinstance(exception, list) and exception:
        return texts.name(exception[-1], 240)
    output = item.get("output")
    return muted("nothing") if output is None else texts.name(output, 240)
