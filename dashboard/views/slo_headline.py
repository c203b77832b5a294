"""What one SLO's page begins and ends with: where it stands, and what else is on record about it."""

from collections.abc import Sequence

from api import models as m
from dashboard.views import looks, units
from dashboard.views.markup import Markup, Tone, facts, grid, join, link, muted, page_href, tag, tile
from dashboard.views.slos import LISTED_WINDOWS, budget_text, budget_tone, seconds_to_exhaustion, sli

_HOUR_S = 3600


def headline(item: m.Slo, alerts: Sequence[m.Alert] = (), found: m.SloExplanation | None = None) -> Markup:
    """Return what one SLO promises and where it stands: budget, speed, end, since when, and who spends it."""
    window = units.window_name(item.window)
    promise = f"{units.objective(item.objective)} of {item.promise} over {window}"
    service = link(page_href("service", name=item.service, environment=item.environment), f"service {item.service}")
    said = tag("p", join([looks.slo(item.state), promise, service, looks.slo_flags(item)], " "), css="nl-lead")
    left, tone = item.error_budget_remaining, budget_tone(item.error_budget_remaining)
    hour = item.burn_rates.get("1h")
    speed: Tone = "none" if hour is None else "bad" if hour > 1 else "good"
    tiles = [
        tile("Budget left", *_left(left, window), tone),
        tile("SLI", sli(item.sli), _counts(item.bad, item.total), tone),
        tile("SLI, last hour", sli(item.hour.sli), _counts(item.hour.bad, item.hour.total), speed),
        tile("Burn rate, last hour", units.burn(hour) if hour is not None else "no traffic", _slower(item), speed),
        tile("Runs out", *_end(item)),
    ]
    if item.kind == "latency":
        limit = f"limit {units.duration(item.threshold_ms)}"
        tiles.append(tile(f"p{item.objective * 100:g}, last hour", units.duration(item.percentile_ms), limit, speed))
    tiles += [_alert(alert) for alert in alerts if alert.slo_id == item.id and alert.state != "resolved"]
    if found is not None and found.spenders:
        first = found.spenders[0]
        name, share = first.operation or "all others", units.percent(first.share, 0)
        tiles.append(tile("Spent by", name, f"{first.service}: {share} of the bad events".lstrip(": "), "bad"))
    sure = tag("p", f"Over {window}: ", certainty(item))
    return join([said, grid(tiles), sure])


def certainty(item: m.Slo) -> str:
    """Return in words how fast the budget surely burns: few events make no sure rate."""
    bound = item.burn_rate_at_least
    if bound is None:
        return muted("no data")
    if not item.bad:
        return muted("nothing was bad")
    words = f"95 % sure that it burns at least {units.burn(bound)}"
    return words if item.surely_burning else join([words, muted("not sure that it burns faster than 1x")], "; ")


def _slower(item: m.Slo) -> str:
    """Return the burn rates of longer windows in words."""
    known = [(window, item.burn_rates.get(window)) for window in LISTED_WINDOWS[1:]]
    told = [f"{units.burn(value)} in {units.window_name(window)}" for window, value in known if value is not None]
    return ", ".join(told)


def as_forecast(item: m.Slo, forecasts: Sequence[m.SloForecast]) -> m.Slo:
    """Return *item* with the end of its budget as the forecast has it now: what lists tell may be a minute old."""
    ends = [found.exhausted_at for found in forecasts if found.span_s == _HOUR_S]
    return item.model_copy(update={"forecast": True, "runs_out_at": ends[0]}) if ends else item


def _left(left: float | None, window: str) -> tuple[str, str]:
    """Return the budget left and a note; the note says what a negative one means."""
    if left is None or left >= 0:
        return budget_text(left), f"of {window}"
    number, _, word = budget_text(left).partition(" (")
    return number, f"{word.rstrip(')')}, of {window}"


def _end(item: m.Slo) -> tuple[str, str, Tone]:
    """Return when the budget ends: in a word, a note and a colour."""
    left = item.error_budget_remaining
    if left is None:
        return "no data", "", "none"
    if left <= 0:
        return "spent", "nothing is left", "bad"
    seconds = seconds_to_exhaustion(item)
    if seconds is not None:
        return f"in {units.length(seconds)}", "if things go on as in the last hour", "warn"
    if item.forecast:
        return "not soon", "not within the window, if things go on as in the last hour", "good"
    return "unknown", "slices of time are not forecast", "none"


def _alert(alert: m.Alert) -> Markup:
    look = looks.ALERT_STATES[alert.state]
    since = f"since {units.instant(alert.started_at)}"
    return tile(f"Alert ({alert.severity})", look.word, since, look.tone, page_href("alert", id=alert.id))


def definition(item: m.Slo) -> Markup:
    """Return what else is on record about an SLO: where it is defined, by whom, and what it allows in time."""
    window = units.window_name(item.window)
    allowed = units.length(item.allowed_downtime_s)
    rows: list[tuple[str, str]] = [
        ("Environment", item.environment or units.MISSING),
        ("Policy", item.policy or units.MISSING),
        ("Defined in", item.source or units.MISSING),
        ("The target allows", f"{allowed} of full outage in {window}"),
        ("As of", units.instant(item.as_of)),
    ]
    if item.sla is not None:
        rows.append(("Promised to customers (SLA)", units.objective(item.sla)))
    if item.unadjusted is not None:
        rows.append(("Budget left with excluded time", budget_text(item.unadjusted.error_budget_remaining)))
    if item.owner:
        rows.append(("Owner", item.owner))
    return facts(rows)


def _counts(bad: int, total: int) -> str:
    return f"{units.count(bad)} bad of {units.count(total)}"
