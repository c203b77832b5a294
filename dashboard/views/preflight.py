"""What a run would do before it does it: whom it may hurt, what it may cost, and whether it may begin."""

from datetime import datetime

from api import models as m
from dashboard.views import run_outcome, runs, slos, texts, units
from dashboard.views.markup import Column, Look, Markup, chip, facts, link, muted, table, tag


def state(found: m.Preflight) -> Markup:
    """Return whether the run may begin, in one line."""
    failed = blockers(found)
    if failed:
        word = Look("✕", "Blocked", "bad")
        return tag("p", chip(word), " ", f"{units.plural(len(failed), 'check')} must pass first.", css="nl-lead")
    notes = sum(not check.ok for check in found.checks)
    rest = f", {units.plural(notes, 'note')} to read" if notes else ""
    return tag("p", chip(Look("✓", "Ready", "good")), " ", f"Nothing stands in the way{rest}.", css="nl-lead")


def blockers(found: m.Preflight) -> list[m.RunCheck]:
    """Return the checks that refuse the run."""
    return [check for check in found.checks if check.blocks and not check.ok]


def reason(found: m.Preflight) -> str:
    """Return why the run may not begin, "" if it may."""
    failed = (texts.shortened(f'The check "{check.name}" fails: {check.detail}', 280) for check in blockers(found)[:3])
    return ". ".join(failed)


def checks(found: m.Preflight) -> Markup:
    return run_outcome.checks(found.checks, "Pre-flight checks")


def blast_radius(found: m.Preflight) -> Markup:
    """Return who may be hurt, how many of the requests, and for how long."""
    share = (
        f"{units.objective(found.share)} of the requests"
        if found.comparison == "concurrent"
        else "all requests (they cannot be split here)"
    )
    return facts(
        [
            ("Broken", runs.method(found.method)),
            ("Judged", texts.names(found.services) or units.MISSING),
            ("May suffer", texts.names(found.affected) or "nobody else"),
            ("Share", share),
            ("Compared", "control against treatment" if found.comparison == "concurrent" else "before against under"),
            ("Environment", texts.shortened(found.environment) or units.MISSING),
            ("Takes", units.length(found.duration_s)),
        ]
    )


def costs(found: m.Preflight) -> Markup:
    """Return what the run may take from each error budget, and what is left of it."""
    columns = (
        Column("Objective"),
        Column("Budget left", numeric=True),
        Column("May cost", numeric=True),
        Column("Why"),
    )
    rows = [
        (
            link(slos.href(item.slo_id), texts.name(item.slo_id)),
            slos.budget_text(item.budget_remaining),
            units.percent(item.predicted_share) if item.predicted_share is not None else muted("not known"),
            texts.name(item.explanation, texts.MESSAGE),
        )
        for item in found.predicted
    ]
    return table(columns, rows, caption="Predicted cost, in shares of each error budget")


def listed(items: list[str]) -> Markup:
    """Return sentences as a list."""
    return tag("ul", *(tag("li", texts.name(item, texts.MESSAGE)) for item in items[:30]))


def consequence(found: m.Preflight) -> str:
    """Return what pressing the button does, in one sentence that names the target."""
    where = f" in {texts.shortened(found.environment, 60)}" if found.environment else ""
    whom = texts.names(found.affected or found.services, most=5)
    share = f"{units.objective(found.share)} of the requests" if found.comparison == "concurrent" else "all requests"
    known = [item for item in found.predicted if item.predicted_share is not None]
    worst = max(known, key=lambda item: item.predicted_share or 0.0, default=None)
    cost = (
        f" It may cost {units.percent(worst.predicted_share)} of the budget of {texts.shortened(worst.slo_id, 80)}."
        if worst
        else " What it costs is not known."
    )
    takes = f"it takes {units.length(found.duration_s)} in all"
    return (
        f"This injects {runs.method(found.method)}{where}, for {share}; {takes}. "
        f"It may hurt {whom or 'nobody that is known'}.{cost}"
    )


def checked(at: datetime) -> str:
    """Return when the checks were made: they are not made anew by themselves."""
    return f"Checked at {units.clock(at)}. A run checks again before it breaks anything."
