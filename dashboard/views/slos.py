"""SLOs: the list by budget left, and the parts of one SLO's page."""

from collections import Counter
from collections.abc import Sequence

from api import models as m
from dashboard.views import looks, units
from dashboard.views.markup import (
    Column,
    Markup,
    Tone,
    bar,
    chip,
    lines,
    link,
    muted,
    page_href,
    sparkline,
    table,
    tag,
)

_COLUMNS = (
    Column("State"),
    Column("SLO"),
    Column("Objective", numeric=True),
    Column("SLI", numeric=True),
    Column("Budget left"),
    Column("SLI, last hour", numeric=True),
    Column("Burn rate", numeric=True),
    Column("Runs out", numeric=True),
    Column("SLI, 30 days"),
)
LISTED_WINDOWS = ("1h", "6h", "3d")
_LOW_BUDGET = 0.25


def worst_first(slos: Sequence[m.Slo]) -> list[m.Slo]:
    """Return the SLOs by budget left, least first; those without data last."""

    def key(item: m.Slo) -> tuple[bool, float, int, str]:
        left = item.error_budget_remaining
        return left is None, left if left is not None else 0.0, looks.SLO_RANK[item.state], item.id

    return sorted(slos, key=key)


def matching(slos: Sequence[m.Slo], *, text: str, service: str, state: m.SloState | None) -> list[m.Slo]:
    """Return the SLOs with *text* in their id, name, service or owner; "" and None match all."""
    wanted = text.lower()
    return [
        item
        for item in slos
        if (not service or item.service == service)
        and (state is None or item.state == state)
        and any(wanted in part.lower() for part in (item.id, item.name, item.service, item.owner))
    ]


def states(slos: Sequence[m.Slo]) -> Markup:
    """Return how many SLOs are in each state, worst first."""
    counted = Counter(item.state for item in slos)
    chips = (
        tag("span", looks.slo(state), " ", units.count(counted[state])) for state in looks.SLO_STATES if counted[state]
    )
    return tag("p", *chips, css="nl-counts")


def href(slo_id: str) -> str:
    return page_href("slo", id=slo_id)


def listing(slos: Sequence[m.Slo]) -> Markup:
    """Return the table of SLOs, worst first."""
    return table(_COLUMNS, [_row(item) for item in worst_first(slos)], caption="SLOs by budget left, worst first")


def _row(item: m.Slo) -> tuple[str, ...]:
    return (
        looks.slo(item.state),
        lines(
            link(href(item.id), title(item)),
            muted(item.promise),
            looks.slo_flags(item),
        ),
        lines(units.objective(item.objective), muted(units.window_name(item.window))),
        lines(sli(item.sli), muted(f"{units.count(item.bad)} bad of {units.count(item.total)}")),
        budget_bar(item.error_budget_remaining),
        lines(
            sli(item.hour.sli),
            muted(f"{units.count(item.hour.bad)} bad of {units.count(item.hour.total)}"),
        ),
        burn_summary(item.burn_rates),
        runs_out(item),
        trend(item),
    )


def trend(item: m.Slo) -> Markup:
    """Return the SLI of each of the last days as a line, and its worst day in words."""
    known = [value for value in item.trend if value is not None]
    if not known:
        return muted("no data")
    worst = units.percent(min(known), 2)
    last = units.percent(known[-1], 2)
    said = f"SLI by day, {units.plural(len(known), 'day')} with events: worst {worst}, last {last}"
    missed = min(known) < item.objective
    return lines(sparkline(item.trend, "bad" if missed else "good", said), muted(f"worst day {worst}"))


def title(item: m.Slo) -> str:
    """Return the SLO's name, with its service unless the name already says it."""
    return item.name if item.service.lower() in item.name.lower() else f"{item.service} · {item.name}"


def sli(value: float | None) -> str:
    """Return an SLI, or that there is none."""
    return units.percent(value, 3) if value is not None else muted("no data")


def budget_text(left: float | None) -> str:
    """Return the budget left in per cent; overspent budgets say so."""
    if left is None:
        return "no data"
    if left < 0:
        return f"{units.percent(left, 0 if left <= -10 else 1)} (overspent)"
    return units.percent(left, 1)


def budget_tone(left: float | None) -> Tone:
    if left is None:
        return "none"
    if left <= 0:
        return "bad"
    return "warn" if left < _LOW_BUDGET else "good"


def budget_bar(left: float | None) -> Markup:
    """Return the budget left as a bar with its number; an overspent budget fills its bar in red."""
    if left is None:
        return muted("no data")
    return bar(1.0 if left < 0 else left, budget_tone(left), budget_text(left))


def by_length(burn_rates: dict[str, float | None]) -> list[tuple[str, float | None]]:
    """Return the windows from short to long."""
    return sorted(burn_rates.items(), key=lambda item: (units.window_seconds(item[0]) or 0, item[0]))


def burn_summary(burn_rates: dict[str, float | None]) -> Markup:
    """Return the burn rates of an hour, six hours and three days; all there are if none of these is among them."""
    if not burn_rates:
        return muted("no data")
    chosen = {window: burn_rates[window] for window in LISTED_WINDOWS if window in burn_rates} or burn_rates
    return lines(*(tag("span", units.burn(value), " ", muted(window)) for window, value in by_length(chosen)))


def burn_table(item: m.Slo) -> Markup:
    """Return the burn rates and how long the whole budget lasts at each of them."""
    window_s = units.window_seconds(item.window)
    columns = (Column("Window"), Column("Burn rate", numeric=True), Column("A full budget lasts", numeric=True))
    rows = [
        (
            units.window_name(window),
            units.burn(value) if value is not None else muted("no traffic"),
            units.length(window_s / value) if value and window_s else units.MISSING,
        )
        for window, value in by_length(item.burn_rates)
    ]
    return table(columns, rows, caption="Burn rates by window")


def seconds_to_exhaustion(item: m.Slo) -> float | None:
    """Return when the budget ends if things go on as in the last hour; None where it does not, or nobody looked."""
    if item.runs_out_at is None or item.as_of is None:
        return None
    return max((item.runs_out_at - item.as_of).total_seconds(), 0.0)


def runs_out(item: m.Slo) -> Markup:
    """Return when the budget ends, in words."""
    left = item.error_budget_remaining
    if left is None:
        return muted("no data")
    if left <= 0:
        return tag("span", "spent", css="nl-text-bad")
    if not item.forecast:
        return muted("open it for a forecast")
    seconds = seconds_to_exhaustion(item)
    if seconds is None:
        return muted("not within the window")
    return lines(f"in {units.length(seconds)}", muted("as in the last hour"))


def of_service(slos: Sequence[m.Slo], service: str, environment: str) -> Markup:
    """Return the SLOs of one service as a short table."""
    own = [item for item in worst_first(slos) if item.service == service and item.environment == environment]
    columns = (Column("State"), Column("SLO"), Column("Objective", numeric=True), Column("Budget left"))
    rows = [
        (chip(looks.SLO_STATES[item.state]), link(href(item.id), item.name), units.objective(item.objective),
         budget_bar(item.error_budget_remaining))
        for item in own
    ]  # fmt: skip
    return table(columns, rows, caption=f"SLOs of {service}") if rows else muted("This service has no SLO yet.")


def adopt_command(item: m.Slo) -> str:
    """Return the command that turns a draft into a file of one's own."""
    return f"ninelives slo adopt {item.id}"
