"""Experiments that can be run here: the list, and what one claims."""

import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from api import models as m
from dashboard.views import looks, run_charts, run_verdict, runs, texts, units
from dashboard.views.markup import Column, Look, Markup, chip, facts, join, lines, link, muted, page_href, table, tag

_COLUMNS = (
    Column("Experiment"),
    Column("Target"),
    Column("Last run"),
    Column("Budget cost", numeric=True),
    Column("Schedule"),
    Column("To do"),
)
RUN, HISTORY = "Run it", "History"


def href(name: str, view: str = "") -> str:
    return page_href("experiment", name=name, experiment_view=view)


def listing(items: Sequence[m.Experiment], now: datetime) -> Markup:
    """Return the table of experiments: those that deviated last come first, unreadable ones at the end."""
    rows = [
        (
            lines(link(href(item.name), texts.name(item.title or item.name)), muted(texts.shortened(item.name))),
            lines(runs.method(item.method) if item.method else units.MISSING, muted(texts.shortened(item.environment))),
            _last(item, now),
            units.percent(item.last_run.chaos_share) if item.last_run else units.MISSING,
            schedule(item),
            _actions(item),
        )
        for item in worst_first(items)
    ]
    return table(_COLUMNS, rows, caption="Experiments")


def first_commands(services: Sequence[m.Service]) -> str:
    """Return the way to a first experiment, on the busiest service where there is one."""
    busiest = max(services, key=lambda item: item.requests, default=None)
    name = shlex.quote(busiest.name) if busiest else "SERVICE"
    return (
        f"ninelives chaos init {name}\n"
        "ninelives chaos run experiments/NAME.yaml --dry-run\n"
        "ninelives chaos run experiments/NAME.yaml\n"
    )


def worst_first(items: Sequence[m.Experiment]) -> list[m.Experiment]:
    """Return what needs a look first: broken last time, then by name; unreadable ones are last."""

    def rank(item: m.Experiment) -> tuple[bool, bool, str]:
        return (bool(item.problem), item.last_run is None or item.last_run.verdict != "deviated", item.name)

    return sorted(items, key=rank)


def _last(item: m.Experiment, now: datetime) -> Markup:
    if item.problem:
        return lines(chip(Look("✕", "Unreadable", "bad")), texts.name(item.problem, 240))
    if item.last_run is None:
        return muted("never")
    return lines(
        link(runs.href(item.last_run.id), looks.run(item.last_run, now)),
        muted(units.ago(item.last_run.started_at, now)),
    )


def schedule(item: m.Experiment) -> Markup:
    """Return when it runs by itself."""
    if not item.schedule:
        return muted("by hand")
    coming = f"next {units.instant(item.next_run_at)}" if item.next_run_at else "not planned yet"
    return lines(tag("code", texts.shortened(item.schedule, 60)), muted(coming))


def _actions(item: m.Experiment) -> Markup:
    history = link(href(item.name, HISTORY), "History")
    if item.problem:
        return lines(muted("mend the file"), history)
    return join([link(href(item.name), "Run"), history], " · ")


def headline(item: m.Experiment, now: datetime) -> Markup:
    """Return what it is called, where it comes from and how it went last."""
    described = [tag("p", texts.name(item.description, texts.MESSAGE))] if item.description else []
    last = _last(item, now) if item.last_run else muted("never ran")
    pairs: list[tuple[str, str]] = [
        ("Experiment", texts.name(item.name)),
        ("Last run", last),
        ("Environment", texts.shortened(item.environment) or units.MISSING),
        ("Services", texts.names(item.services) or units.MISSING),
        ("Schedule", schedule(item)),
        ("File", tag("code", texts.shortened(item.path, 240))),
    ]
    return join([tag("p", tag("strong", texts.name(item.title or item.name)), css="nl-lead"), *described, facts(pairs)])


def effects(items: Sequence[m.Run], hypothesis: str) -> list[run_charts.Effect]:
    """Return what each run found on one line of the hypothesis, oldest first."""
    return [
        run_charts.Effect(run.started_at, _version(run, finding.service), finding)
        for run in sorted(items, key=lambda run: run.started_at)
        for finding in run.findings
        if finding.hypothesis == hypothesis
    ]


def lines_of(items: Sequence[m.Run]) -> list[str]:
    """Return the lines of the hypothesis that any of the runs judged, the one judged most often first."""
    return [name for name, _ in Counter(item.hypothesis for run in items for item in run.findings).most_common()]


def _version(run: m.Run, service: str) -> str:
    known = run.outcome.versions if run.outcome else {}
    return "+".join(known.get(service, []))


def history(items: Sequence[m.Run], hypothesis: str, now: datetime) -> Markup:
    """Return the runs of one experiment, the newest first, with the effect on one line of the hypothesis."""
    columns = (
        Column("Verdict"),
        Column("Run"),
        Column("Versions"),
        Column("Effect", numeric=True),
        Column("Budget cost", numeric=True),
    )
    rows = [
        (
            looks.run(run, now),
            lines(link(runs.href(run.id), units.instant(run.started_at)), muted(units.ago(run.started_at, now))),
            _versions(run),
            _effect(run, hypothesis),
            runs.budget_cost(run),
        )
        for run in sorted(items, key=lambda run: run.started_at, reverse=True)
    ]
    return table(columns, rows, caption="Runs of this experiment, newest first")


def _versions(run: m.Run) -> Markup:
    known = run.outcome.versions if run.outcome else {}
    told = [f"{texts.shortened(service, 40)} {texts.names(names, 3)}" for service, names in list(known.items())[:4]]
    return lines(*told) if told else muted("not known")


def _effect(run: m.Run, hypothesis: str) -> Markup:
    found = next((item for item in run.findings if item.hypothesis == hypothesis), None)
    if found is None:
        return muted("not judged")
    return lines(run_verdict.points(found.difference), muted(run_verdict.interval(found)))
