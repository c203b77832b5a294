"""The figures of a monthly report as people read them, the same in HTML and Markdown."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from api import models as m
from slo.nines import downtime_text

NO_DATA = "no data"


def title(report: m.SloReport) -> str:
    return f"SLO report, {report.start:%B %Y}"


def period(report: m.SloReport) -> str:
    """Return what the report covers."""
    if report.complete:
        return f"{report.start:%Y-%m-%d} to {report.end - timedelta(days=1):%Y-%m-%d}, in UTC"
    return f"{report.start:%Y-%m-%d} to {report.end:%Y-%m-%d %H:%M} UTC, the month goes on"


def sentence(report: m.SloReport) -> str:
    """Return the month in one sentence."""
    totals = report.totals
    parts = [f"{totals.met} of {_counted(totals.objectives, 'objective')} met"]
    if totals.missed:
        parts.append(f"{totals.missed} missed")
    if totals.without_data:
        parts.append(f"{totals.without_data} without data")
    alerts = f"{_counted(totals.pages, 'page')} and {_counted(totals.tickets, 'ticket')}"
    if totals.mean_duration_s is not None:
        alerts += f", {duration(totals.mean_duration_s)} each on average"
    return f"{', '.join(parts)}; {alerts}."


def percent_of(good: int, total: int) -> str:
    """Return *good* of *total* in percent, to four digits, cut and not rounded: only all is 100 %.

    >>> percent_of(999_999_999, 1_000_000_000), percent_of(3, 3), percent_of(0, 0), percent_of(7, 8)
    ('99.9999 %', '100 %', 'no data', '87.5 %')
    """
    return NO_DATA if not total else f"{_plain(Decimal(good * 10**6 // total) / 10**4)} %"


def budget(ratio: float | None) -> str:
    """Return a share of a budget in percent, cut to one digit.

    >>> budget(0.2999), budget(0.57), budget(-16.34), budget(None)
    ('29.9 %', '57.0 %', '-1,634.0 %', 'no data')
    """
    if ratio is None:
        return NO_DATA
    return f"{(Decimal(str(ratio)) * 100).quantize(Decimal('0.1'), ROUND_FLOOR):,} %"


def verdict(figures: m.ReportFigures) -> str:
    return NO_DATA if figures.met is None else "met" if figures.met else "missed"


def objective(slo: m.ReportSlo) -> str:
    return f"{_plain(Decimal(slo.target) * 100)} % over {slo.window}"


def where(slo: m.ReportSlo) -> str:
    return f"{slo.service} in {slo.environment}" if slo.environment else slo.service


def events(figures: m.ReportFigures) -> str:
    return f"{figures.good:,} good, {figures.bad:,} bad of {figures.total:,}"


def nines(slo: m.ReportSlo) -> str:
    if not slo.judged.total:
        return NO_DATA
    return "no bad event" if slo.nines is None else _counted(slo.nines, "nine")


def duration(seconds: float | None) -> str:
    """Return a duration in whole seconds; None goes on.

    >>> duration(3723.9), duration(None)
    ('1 h 2 m 3 s', 'goes on')
    """
    return "goes on" if seconds is None else downtime_text(timedelta(seconds=int(seconds)))


def facts(slo: m.ReportSlo) -> list[tuple[str, str]]:
    """Return the figures of one objective, each with its name."""
    found = [
        ("Objective", objective(slo)),
        ("Good events", f"{percent_of(slo.judged.good, slo.judged.total)} ({events(slo.judged)})"),
        ("Nines", nines(slo)),
        ("Budget of the month left, by the objective in force then", budget(slo.judged.error_budget_remaining)),
        ("Budget of the month left, by today's objective", budget(slo.today.error_budget_remaining)),
    ]
    if slo.judged_in_full is not None and slo.today_in_full is not None:
        full = slo.judged_in_full
        found += [
            ("Maintenance, left out above", duration(slo.excluded_s)),
            ("Good events with maintenance", f"{percent_of(full.good, full.total)} ({events(full)})"),
            ("Budget left with maintenance, then", budget(full.error_budget_remaining)),
            ("Budget left with maintenance, today", budget(slo.today_in_full.error_budget_remaining)),
        ]
    ends = (("by the objective in force then", slo.end_then), ("by today's objective", slo.end_today))
    found += [
        (f"Budget of {slo.window} left at the end, {name}", f"{budget(end.error_budget_remaining)} ({end.state})")
        for name, end in ends
        if end is not None
    ]
    return [*found, ("Data", f"{budget(slo.coverage)} of the time")]


def change(item: m.ReportChange) -> str:
    """Return a revision in one line."""
    author = f" by {item.author}" if item.author else ""
    commit = f" ({item.commit[:12]})" if item.commit else ""
    return f"{moment(item.at)}, revision {item.number}{author}{commit}: {item.text}"


def spenders_title(slo: m.ReportSlo) -> str:
    """Return the heading over the spenders; requests are not kept as long as counts are."""
    told = "Who spent the budget"
    bad = (slo.judged_in_full or slo.judged).bad
    return told if slo.charged >= bad else f"{told} (of {slo.charged:,} of {bad:,} bad events, which are stored still)"


def spender(item: m.ReportSpender) -> str:
    operation = f"{item.service} {item.operation}".strip() or "all others"
    return f"{budget(item.share)} {operation}"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
