"""The way in: alarms, stages, volumes of services, what is wrong with their telemetry, dead letters."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from api import models as m
from dashboard.views import charts, findings, units
from dashboard.views.markup import (
    Column,
    Look,
    Markup,
    Tone,
    chip,
    grid,
    join,
    lines,
    link,
    muted,
    page_href,
    strong,
    table,
    tag,
    tile,
)

NOUNS = {"traces": "spans", "metrics": "data points", "logs": "log records"}
SIGNALS = tuple(NOUNS)

_STAGE_COLUMNS = (
    Column("Signal"),
    Column("Received", numeric=True),
    Column("Stored", numeric=True),
    Column("Waiting", numeric=True),
    Column("Left out", numeric=True),
    Column("Refused", numeric=True),
    Column("Put aside", numeric=True),
    Column("Missing", numeric=True),
    Column("Database"),
)
_SERVICE_COLUMNS = (
    Column("Service"),
    Column("Spans", numeric=True),
    Column("Data points", numeric=True),
    Column("Log records", numeric=True),
    Column("Last"),
)
_LETTER_COLUMNS = (Column("Put aside"), Column("Signal"), Column("Items", numeric=True), Column("Why"), Column("File"))
_SHED = ("nothing", "low priority", "all but critical", "everything")
_STALE = timedelta(minutes=1)


def tiles(health: m.IngestHealth) -> Markup:
    """Return the headline: is anything wrong, and what came in and went on during the window."""
    received = sum(point.received for point in health.series)
    stored = sum(point.stored for point in health.series)
    waiting = sum(stage.waiting_items for stage in health.stages)
    missing = sum(stage.unaccounted_items for stage in health.stages)
    window = units.length(health.window_s)
    return grid(
        [
            _alarm_tile(health.alarms),
            tile(f"Received, last {window}", units.count(received), units.rate(received / health.window_s), "info"),
            tile(f"Stored, last {window}", units.count(stored), units.rate(stored / health.window_s), "info"),
            tile("Waiting", units.count(waiting), _oldest(health.stages), "warn" if _is_old(health.stages) else "good"),
            tile(
                "Missing",
                f"✕ {units.count(missing)}" if missing else "✓ 0",
                "acknowledged, and in no place",
                "bad" if missing else "good",
            ),
        ]
    )


def _alarm_tile(alarms: Sequence[m.IngestAlarm]) -> Markup:
    if not alarms:
        return tile("Alarms", "✓ 0", "nothing is wrong with the way in", "good")
    worst = findings.SEVERITIES[alarms[0].severity]
    return tile("Alarms", f"{worst.icon} {len(alarms)}", f"worst: {worst.word.lower()}", worst.tone)


def _oldest(stages: Sequence[m.IngestStage]) -> str:
    oldest_s = max((stage.spool_oldest_s for stage in stages), default=0.0)
    return f"in the spool, the oldest for {units.length(oldest_s)}" if oldest_s else "nothing is in the spool"


def _is_old(stages: Sequence[m.IngestStage]) -> bool:
    return any(stage.spool_oldest_s > _STALE.total_seconds() for stage in stages)


def alarms(items: Sequence[m.IngestAlarm]) -> Markup:
    """Return the alarms with their remedies, worst first."""
    if not items:
        return tag("p", "✓ No alarm: everything that was acknowledged is stored or on its way.")
    return tag("ul", *(_alarm(item) for item in items), css="nl-attention")


def _alarm(item: m.IngestAlarm) -> Markup:
    told = lines(strong(item.text), f"To do: {item.remedy}")
    return tag(
        "li",
        chip(findings.SEVERITIES[item.severity]),
        tag("span", told, css="nl-grow"),
        muted(f"{item.signal} · {item.collector}"),
    )


def stages(items: Sequence[m.IngestStage], now: datetime) -> Markup:
    """Return a row for each signal of each collector, with what became of its items since the start."""
    ordered = sorted(items, key=lambda item: (_place(item.signal), item.collector))
    return table(_STAGE_COLUMNS, [_stage(item, now) for item in ordered], caption="What became of everything received")


def _stage(item: m.IngestStage, now: datetime) -> tuple[str, ...]:
    waiting = [f"oldest {units.length(item.spool_oldest_s)}", units.size(item.spool_bytes)] if item.spool_bytes else []
    repeated = f"{units.count(item.repeated_items)} sent twice" if item.repeated_items else ""
    return (
        lines(strong(item.signal), muted(item.collector), muted(_seen(item, now))),
        lines(units.count(item.received_items), muted(repeated)),
        lines(
            units.count(item.stored_items), muted(units.ago(item.last_stored_at, now) if item.last_stored_at else "")
        ),
        lines(units.count(item.waiting_items), muted(", ".join(waiting))),
        _bad(item.rejected_items, "warn"),
        _lines(_bad(item.refused_items, "warn"), *_reasons(item.refused_requests)),
        _lines(_bad(item.put_aside_items, "warn"), *_aside(item)),
        _bad(item.unaccounted_items, "bad"),
        _database(item),
    )


def _lines(first: str, *notes: str) -> Markup:
    """Return a value with notes below it; empty ones are left out."""
    return lines(first, *(muted(note) for note in notes if note))


def _seen(item: m.IngestStage, now: datetime) -> str:
    if item.final:
        return f"stopped {units.ago(item.at, now)}"
    return f"silent for {units.length((now - item.at).total_seconds())}" if now - item.at > _STALE else ""


def _bad(amount: int, tone: Tone) -> Markup:
    """Return a number that should be 0, marked where it is not."""
    if not amount:
        return muted("0")
    icon = "✕" if tone == "bad" else "▲"
    return tag("span", f"{icon} {units.count(amount)}", css="nl-text-bad" if tone == "bad" else "")


def _reasons(refused: dict[str, int]) -> list[str]:
    return [f"{units.plural(count, 'request')}: {reason}" for reason, count in sorted(refused.items())]


def _aside(item: m.IngestStage) -> list[str]:
    told = [units.plural(item.dead_letters, "dead letter")] if item.dead_letters else []
    return told + ([f"{units.count(item.damaged_requests)} damaged"] if item.damaged_requests else [])


def _database(item: m.IngestStage) -> Markup:
    shedding = f"now refuses {_SHED[item.shedding_level]}" if item.shedding_level else ""
    if item.breaker == "closed":
        look = Look("▲", "Failing", "warn") if item.last_error else Look("✓", "Takes data", "good")
        return _lines(chip(look), item.last_error, shedding)
    look = Look("✕", f"Circuit {item.breaker}", "bad")
    return _lines(chip(look), f"for {units.length(item.breaker_s)}", item.last_error, shedding)


def _place(signal: str) -> int:
    return SIGNALS.index(signal) if signal in SIGNALS else len(SIGNALS)


def rates(health: m.IngestHealth) -> dict[str, charts.Option]:
    """Return a chart for each signal that sent something in a step that has ended: received and stored a second."""
    found: dict[str, charts.Option] = {}
    for signal in SIGNALS:
        points = [point for point in health.series if point.signal == signal]
        if any(point.received or point.refused_requests for point in points):
            data = _frame(points, health.step_s, health.as_of)
            found |= {} if data.empty else {signal: _rate_chart(health, signal, data)}
    return found


def _rate_chart(health: m.IngestHealth, signal: str, data: pd.DataFrame) -> charts.Option:
    option = charts.over_time(
        data,
        [charts.Line("received", area=True), charts.Line("stored"), charts.Line("refused", color=charts.RED)],
        unit=f"{NOUNS[signal]}/s",
        value_format="%.1f /s",
    )
    for line in option["series"]:
        line["showSymbol"] = len(data) < 3  # a lone point is no line
    start = health.as_of - timedelta(seconds=health.window_s)
    option["xAxis"] |= {"min": start.isoformat(), "max": health.as_of.isoformat()}
    return option


def _frame(points: Sequence[m.IngestPoint], step_s: int, as_of: datetime) -> pd.DataFrame:
    """Return rates; a step that has not ended has none, and one without reports is a gap."""
    ended = [point for point in points if point.at + timedelta(seconds=step_s) <= as_of]
    steps = {point.at: point for point in ended}
    times = [
        min(steps) + timedelta(seconds=step_s * place)
        for place in range(round((max(steps) - min(steps)).total_seconds() / step_s) + 1)
    ] if steps else []  # fmt: skip

    def column(name: str) -> pd.array:
        return pd.array([getattr(steps[at], name) / step_s if at in steps else None for at in times], dtype="Float64")

    return pd.DataFrame(
        {"time": pd.to_datetime(times, utc=True)} | {name: column(name) for name in ("received", "stored", "refused")}
    )


def services(volumes: Sequence[m.ServiceVolume], window_s: int, now: datetime) -> Markup:
    """Return what is stored of each service, by signal, the largest first."""
    by_service: dict[tuple[str, str], dict[str, m.ServiceVolume]] = {}
    for volume in volumes:
        by_service.setdefault((volume.service, volume.environment), {})[volume.signal] = volume
    rows = [
        (
            lines(link(page_href("service", name=name, environment=place), name), muted(place or "no environment")),
            *(_volume(found.get(signal), window_s) for signal in SIGNALS),
            units.ago(max(volume.last_at for volume in found.values()), now),
        )
        for (name, place), found in by_service.items()
    ]
    return table(_SERVICE_COLUMNS, rows, caption="What is stored of each service")


def _volume(volume: m.ServiceVolume | None, window_s: int) -> Markup:
    if volume is None:
        return muted(units.MISSING)
    return lines(units.count(volume.items), muted(f"{units.rate(volume.items / window_s)}"))


def letters(items: Sequence[m.DeadLetter], now: datetime) -> Markup:
    """Return the dead letters with their reasons, the newest first."""
    rows = [
        (
            lines(units.ago(item.at, now), muted(units.instant(item.at))),
            item.signal,
            lines(units.count(item.items) if item.items is not None else "unknown", muted(units.size(item.size_bytes))),
            item.reason,
            tag("code", item.file),
        )
        for item in items
    ]
    return table(_LETTER_COLUMNS, rows, caption="Dead letters, newest first")


def takeaway(signal: str, points: Sequence[m.IngestPoint]) -> str:
    """Return what a chart of rates says, for those who cannot see it."""
    own = [point for point in points if point.signal == signal]
    received, stored = (sum(getattr(point, name) for point in own) for name in ("received", "stored"))
    return f"{NOUNS[signal].capitalize()}: {units.count(received)} received, {units.count(stored)} stored"


def unread(health: m.IngestHealth) -> Markup:
    """Return why the database could not be asked, "" when it could."""
    if not health.error:
        return join([])
    text = "The database cannot be read, so only the collector in the API's own process is shown: "
    return tag("div", strong(f"✕ {text}"), health.error, css="nl-notice nl-edge-bad", role="alert")
