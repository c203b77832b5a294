"""What was found when an alert fired: who spent the budget, what differs, what else happened."""

from api import models as m
from dashboard.views import alerts, traces, units
from dashboard.views.markup import Column, Markup, bar, facts, join, lines, link, muted, page_href, table, tag


def in_short(found: m.AlertEvidence) -> Markup:
    """Return what the window cost, and what would come of it."""
    pairs = [
        ("Looked at", f"{units.instant(found.start)} to {units.clock(found.end)}"),
        ("Budget spent in it", units.percent(found.error_budget_spent, 1)),
        ("Budget left then", units.percent(found.error_budget_remaining, 1)),
    ]
    left = found.error_budget_remaining
    if left is None or left > 0:  # what is spent cannot run out
        pairs += [(f"If the last {item.hours} h go on", _exhausted(item)) for item in found.forecasts]
    if found.owner:
        pairs.append(("Owner", found.owner))
    return facts(pairs)


def _exhausted(item: m.EvidenceForecast) -> str:
    if item.exhausted_at is None:
        return "the budget lasts"
    return f"the budget is gone {units.instant(item.exhausted_at)}"


def spenders(found: m.AlertEvidence) -> Markup:
    """Return to which service and operation the bad requests are charged."""
    columns = (Column("Charged to"), Column("Share of the bad requests"), Column("Bad requests", numeric=True))
    rows = [
        (
            lines(item.operation or "all others", muted(item.service)),
            bar(item.share, "bad", units.percent(item.share, 1)),
            units.count(item.bad),
        )
        for item in found.spenders
    ]
    return table(columns, rows, caption="Who spent the budget")


def differences(found: m.AlertEvidence) -> Markup:
    """Return what bad requests have more often than good ones."""
    columns = (
        Column("Attribute"),
        Column("In bad requests"),
        Column("In good requests", numeric=True),
        Column("Times as often", numeric=True),
    )
    rows = [
        (
            lines(item.value or "(none)", muted(item.attribute)),
            bar(item.share_of_bad, "bad", units.percent(item.share_of_bad, 1)),
            units.percent(item.share_of_good, 1),
            "only in bad ones" if item.lift is None else f"{item.lift:,.1f}",
        )
        for item in found.differences
    ]
    return table(columns, rows, caption="What bad requests have in common")


def same_time(found: m.AlertEvidence) -> Markup:
    """Return the deployments and experiments of the window."""
    rows = [
        (units.instant(item.at), "Deployment", f"{item.service} {item.before or 'unknown'} to {item.version}")
        for item in found.deployments
    ]
    rows += [
        (
            units.instant(item.started_at),
            "Experiment",
            link(page_href("run", id=item.run_id), item.title) if item.run_id else item.title,
        )
        for item in found.experiments
    ]
    columns = (Column("When"), Column("What"), Column("Details"))
    return table(columns, rows, caption="What happened at the same time")


def logs(found: m.AlertEvidence) -> Markup:
    """Return the log records of the traces, and of the guilty service."""
    columns = (Column("When"), Column("Severity"), Column("Record"))
    rows = [
        (
            units.instant(item.at),
            item.severity,
            lines(
                item.body,
                join(
                    [
                        muted(item.service),
                        link(traces.href(item.trace_id), f"trace {item.trace_id[:8]}") if item.trace_id else "",
                    ],
                    " ",
                ),
            ),
        )
        for item in found.logs
    ]
    return table(columns, rows, caption="Related log records")


def past(found: m.AlertEvidence) -> Markup:
    """Return earlier episodes of the same alert, and what people noted of them."""
    columns = (Column("Fired"), Column("Lasted", numeric=True), Column("Note"))
    rows = [
        (
            link(alerts.href(item.alert_id), units.instant(item.fired_at)),
            "goes on still" if item.lasted_s is None else units.length(item.lasted_s),
            item.note or muted("none"),
        )
        for item in found.past
    ]
    return table(columns, rows, caption="The same alert before")


def missing(found: m.AlertEvidence) -> Markup:
    """Return what could not be gathered, and why."""
    return tag("ul", *(tag("li", item) for item in found.missing), css="nl-list")
