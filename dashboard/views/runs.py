"""Chaos runs: the list, and what one is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from api import models as m
from dashboard.views import looks, texts, units
from dashboard.views.markup import Column, Markup, chip, facts, lines, link, muted, page_href, table, tag

_COLUMNS = (
    Column("Verdict"),
    Column("Experiment"),
    Column("Fault"),
    Column("Services"),
    Column("Started"),
    Column("Took"),
    Column("Budget cost", numeric=True),
)
AnyRun = m.Run | m.RunSummary
# of the faults' attributes: by the end of the name, or where the format that they come from has none, by the name
_ENDS = {"ms": "ms", "s": "s", "mb": "MB"}
_NAMES = {"latency": "ms", "jitter": "ms", "timeout": "ms", "delay": "ms", "rate": "KB/s"}
_SHARES = frozenset({"share", "load", "toxicity"})
ANY_VERDICT = "Any verdict"
_SOURCES: dict[m.RunSource, str] = {
    "ninelives": "run by Ninelives",
    "chaostoolkit": "activities run by the Chaos Toolkit",
    "imported": "imported from a Chaos Toolkit journal",
}


def newest_first(runs: Sequence[AnyRun], now: datetime) -> list[AnyRun]:
    """Return running ones first, then the newest."""
    return sorted(runs, key=lambda item: (looks.run_status(item, now) != "running", -item.started_at.timestamp()))


def going_on(runs: Sequence[AnyRun], now: datetime) -> list[AnyRun]:
    """Return those that run now, the newest first."""
    return [item for item in newest_first(runs, now) if looks.run_status(item, now) == "running"]


def matching(runs: Sequence[AnyRun], *, experiment: str = "", verdict: str = "") -> list[AnyRun]:
    """Return those of one experiment and of one verdict, by its word; "" means any."""
    return [
        item
        for item in runs
        if (not experiment or item.experiment == experiment)
        and (not verdict or (item.verdict is not None and looks.VERDICTS[item.verdict].word == verdict))
    ]


def href(run_id: str) -> str:
    return page_href("run", id=run_id)


def name(item: AnyRun, most: int = texts.NAME) -> Markup:
    """Return the run's title."""
    return texts.name(item.title or item.experiment, most)


def listing(runs: Sequence[AnyRun], now: datetime) -> Markup:
    """Return the table of runs."""
    rows = [
        (
            looks.run(item, now),
            lines(link(href(item.id), name(item)), muted(texts.shortened(item.experiment, 60))),
            method(item.method, most=2),
            texts.names(item.services, most=4) or units.MISSING,
            lines(
                units.ago(item.started_at, now), tag("span", units.instant(item.started_at), css="nl-muted nl-whole")
            ),
            tag("span", took(item, now), css="nl-whole"),
            budget_cost(item),
        )
        for item in newest_first(runs, now)
    ]
    return table(_COLUMNS, rows, caption="Chaos runs, newest first")


def took(item: AnyRun, now: datetime) -> str:
    if item.ended_at is not None:
        return units.length((item.ended_at - item.started_at).total_seconds())
    if looks.run_status(item, now) == "running":
        return f"{units.length((now - item.started_at).total_seconds())} so far"
    return units.MISSING


def budget_cost(item: AnyRun) -> str:
    """Return the largest share of an error budget that the fault took, a dash while nobody knows."""
    if isinstance(item, m.RunSummary):
        return units.percent(item.chaos_share)
    shares = [cost.chaos_share for cost in item.outcome.budget if cost.chaos_share is not None] if item.outcome else []
    return units.percent(max(shares, default=None))


def method(faults: Sequence[Mapping[str, Any]], most: int = 6) -> str:
    """Return what is broken, one fault after the other; those beyond *most* are counted."""
    rest = [f"and {len(faults) - most} more"] if len(faults) > most else []
    return "; ".join([*(fault(item) for item in faults[:most]), *rest]) or units.MISSING


def fault(settings: Mapping[str, Any]) -> str:
    """Return a fault as "kind on target, name value, …".

    >>> fault({"kind": "latency", "target": "orders-cache", "latency": 300}), fault({"type": "kill", "every_s": 5})
    ('latency on orders-cache, latency 300 ms', 'kill, every 5 s')
    """
    kind = str(settings.get("kind") or settings.get("type") or "")
    target = str(settings.get("target") or "")
    rest = [setting(key, value) for key, value in settings.items() if key not in {"kind", "type", "target"}]
    named = f"{kind} on {target}" if kind and target else kind or target
    return texts.shortened(", ".join(part for part in (named, *rest) if part)) or units.MISSING


def setting(name: str, value: Any) -> str:
    """Return one attribute of a fault with its unit.

    >>> setting("latency_ms", 300), setting("share", 0.2), setting("mode", "refuse"), setting("mb", 64)
    ('latency 300 ms', 'share 20 %', 'mode refuse', 'size 64 MB')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{name} {value}"
    if name in _SHARES:
        return f"{name} {units.objective(value)}"
    stem, _, end = name.rpartition("_")
    if end in _ENDS:
        return f"{stem or 'size'} {value:,g} {_ENDS[end]}"
    return f"{name} {value:,g} {_NAMES.get(name, '')}".rstrip()


def headline(item: m.Run, now: datetime) -> Markup:
    """Return what ran, on what, when and with which outcome."""
    return facts(
        [
            ("State", chip(looks.RUN_STATES[looks.run_status(item, now)])),
            ("Experiment", link(page_href("experiment", name=item.experiment), texts.name(item.experiment))),
            ("Fault", method(item.method)),
            ("Compared", comparison(item)),
            ("Services", texts.names(item.services) or units.MISSING),
            ("Environment", texts.shortened(item.environment) or units.MISSING),
            ("Started", units.instant(item.started_at)),
            ("Ended", units.instant(item.ended_at) if item.ended_at else "not yet"),
            ("Took", took(item, now)),
            ("Came from", _SOURCES[item.source]),
        ]
    )


def comparison(item: m.Run) -> str:
    """Return how the two sides were compared."""
    if item.comparison == "before/after":
        return "before against under the fault (weaker than a control at the same time)"
    share = f", {units.objective(item.groups.share)} of the requests each" if item.groups else ""
    return f"control against treatment at the same time{share}"


def arms(item: m.Run) -> tuple[str, str]:
    """Return what the two sides of the comparison are called."""
    return ("Control", "Treatment") if item.comparison == "concurrent" else ("Before", "Under the fault")
