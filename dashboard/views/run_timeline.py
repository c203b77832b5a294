"""The phases of a run, past and to come, and what happened in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api import models as m
from dashboard.views import texts, units
from dashboard.views.markup import Column, Look, Markup, chip, join, muted, table, tag

PHASES = ("baseline", "fault", "recovery")
MOST_EVENTS = 200
_STEPS: dict[str, Look] = {
    "preflight": Look("☑", "Pre-flight", "info"),
    "baseline": Look("◔", "Baseline", "none"),
    "fault": Look("⚡", "Fault", "warn"),
    "recovery": Look("↺", "Recovery", "none"),
    "counting": Look("Σ", "Counting", "none"),
    "finished": Look("✓", "Finished", "good"),
    "activity": Look("▷", "Activity", "none"),
    "safeguard": Look("▲", "Safeguard", "bad"),
    "problem": Look("▲", "Problem", "warn"),
    "stop": Look("■", "Stop", "bad"),
    "abort": Look("■", "Abort", "bad"),
    "aborted": Look("■", "Aborted", "bad"),
    "refused": Look("✕", "Refused", "bad"),
}


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a run. `planned`: its end is a plan and not yet a fact."""

    name: str
    started_at: datetime
    ended_at: datetime
    planned: bool = False


def phases(item: m.Run) -> list[Phase]:
    """Return what is on record, and after it, while the run goes on, what is planned.

    A phase that began and was cut short is on record by its first event only: it lasted until the run's end.
    """
    found = [Phase(window.phase, window.started_at, window.ended_at) for window in item.windows]
    begun = {event.step: event.at for event in reversed(item.events)}
    known = {phase.name for phase in found}
    if item.ended_at is not None:
        cut = [name for name in PHASES if name in begun and name not in known and begun[name] < item.ended_at]
        return found + [Phase(name, begun[name], item.ended_at) for name in cut[-1:]]
    last = max((phase.ended_at for phase in found), default=item.started_at)
    for name, length_s in _plan(item):
        if name not in known:
            start = max(begun.get(name, last), last)
            found.append(Phase(name, start, start + timedelta(seconds=length_s), planned=True))
            last = found[-1].ended_at
    return found


def _plan(item: m.Run) -> list[tuple[str, float]]:
    ordered = sorted(item.planned_s.items(), key=lambda pair: PHASES.index(pair[0]) if pair[0] in PHASES else 9)
    return ordered[:8]


def bar(item: m.Run, now: datetime) -> Markup:
    """Return the phases as blocks in proportion to their lengths, with the present moment while the run goes on."""
    found = phases(item)
    if not found:
        return Markup("")
    start = min(phase.started_at for phase in found)
    end = max(phase.ended_at for phase in found)
    running = item.ended_at is None
    end = max(end, now) if running else end
    whole_s = (end - start).total_seconds() or 1.0
    blocks = [_block(phase, start, whole_s) for phase in found]
    if running:
        place = min(max((now - start).total_seconds() / whole_s, 0.0), 1.0) * 100
        blocks.append(tag("span", css="nl-now", style=f"left:{place:.2f}%"))
    said = "; ".join(f"{texts.shortened(phase.name, 40)} {_length(phase)}" for phase in found)
    where = tag("p", present(item, now)) if running else tag("p", muted(said))
    return join([tag("div", *blocks, css="nl-timeline", role="img", aria_label=f"Phases of the run: {said}"), where])


def present(item: m.Run, now: datetime) -> str:
    """Return which phase the run is in and how much of it is over."""
    for phase in phases(item):
        if phase.planned and phase.started_at <= now < phase.ended_at:
            gone = units.length((now - phase.started_at).total_seconds())
            return f"Now: {texts.shortened(phase.name, 40)}, {gone} of {_length(phase)}"
    last = item.events[-1].message if item.events else "waiting for its runner's next sign"
    return f"Now: {texts.shortened(last)}"


def _length(phase: Phase) -> str:
    return units.length((phase.ended_at - phase.started_at).total_seconds())


def _block(phase: Phase, start: datetime, whole_s: float) -> Markup:
    left = (phase.started_at - start).total_seconds() / whole_s * 100
    width = (phase.ended_at - phase.started_at).total_seconds() / whole_s * 100
    tone = "fault" if phase.name == "fault" else "calm"
    css = f"nl-phase nl-{tone}{' nl-planned' if phase.planned else ''}"
    return tag("span", texts.shortened(phase.name, 40), css=css, style=f"left:{left:.2f}%;width:{width:.2f}%")


def events(items: Sequence[m.RunEvent], *, newest_first: bool = False) -> Markup:
    """Return what happened, in the order of time; of very many the newest."""
    shown = list(items[-MOST_EVENTS:])
    columns = (Column("When"), Column("Step"), Column("What"))
    rows = [
        (tag("span", units.clock(item.at), css="nl-whole"), _step(item.step), texts.name(item.message, texts.MESSAGE))
        for item in (reversed(shown) if newest_first else shown)
    ]
    return table(columns, rows, caption="Timeline of the run")


def _step(step: str) -> Markup:
    look = _STEPS.get(step)
    return chip(look) if look else texts.name(step, 40)
