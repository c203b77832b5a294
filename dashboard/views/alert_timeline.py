"""Alerts over time: a lane for each, and everything that happened to one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from api import models as m
from dashboard.views import alerts, units
from dashboard.views.markup import Column, Look, Markup, chip, link, muted, table, tag

MOST_LANES = 12
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_KINDS: dict[str, Look] = {
    "pending": Look("◔", "Pending", "warn"),
    "firing": Look("●", "Fires", "bad"),
    "resolved": Look("✓", "Resolved", "good"),
    "notification": Look("✉", "Message", "info"),
    "delivery": Look("➤", "Delivery", "none"),
    "acknowledgement": Look("☑", "Taken on", "info"),
    "silence": Look("◼", "Silenced", "info"),
    "note": Look("✎", "Note", "none"),
    "deployment": Look("▲", "Deployment", "none"),
    "experiment": Look("⚡", "Experiment", "none"),
}


def lanes(items: Sequence[m.Alert], now: datetime, length: timedelta = DAY) -> Markup:
    """Return when each alert was on within *length* before *now*; "" where none was.

    Episodes of one rule and severity share a lane. A tick marks where somebody took it on.
    """
    start = now - length
    touching = [item for item in items if (item.resolved_at or now) > start and item.fired_at is not None]
    by_rule: dict[tuple[str, str], list[m.Alert]] = {}
    for item in sorted(touching, key=lambda item: item.started_at, reverse=True):
        by_rule.setdefault((item.rule or item.slo_id, item.severity), []).append(item)
    if not by_rule:
        return Markup("")
    shown = list(by_rule.values())[:MOST_LANES]
    rows = [_lane(episodes, start, now) for episodes in shown]
    more = len(by_rule) - len(shown)
    rest = [tag("p", muted(f"and {units.plural(more, 'other alert')}"))] if more else []
    ends = (tag("span", units.clock(start)), tag("span", f"the last {length / HOUR:g} h"))
    scale = tag("div", tag("div"), tag("div", *ends, tag("span", "now"), css="nl-lane-scale nl-muted"), css="nl-lane")
    return tag("div", *rows, scale, *rest, css="nl-lanes")


def _lane(episodes: Sequence[m.Alert], start: datetime, now: datetime) -> Markup:
    newest = episodes[0]
    bars = [_bar(item, start, now) for item in episodes]
    ticks = [
        _tick(each.at, start, now, f"taken on by {each.author}")
        for item in episodes
        for each in item.acknowledgements
        if each.at > start
    ]
    name = tag("div", link(alerts.href(newest.id), newest.rule or newest.slo_id), " ", muted(newest.severity))
    return tag("div", name, tag("div", *bars, *ticks, css="nl-lane-track"), css="nl-lane")


def _bar(item: m.Alert, start: datetime, now: datetime) -> Markup:
    begin, end = max(item.started_at, start), item.resolved_at or now
    left = _share(begin, start, now)
    width = max(_share(end, start, now) - left, 0.4)  # what lasted a minute is seen too
    tone = "bad" if item.severity == "page" else "warn"
    said = f"{units.instant(item.started_at)}, {alerts.lasted(item, now)}"
    style = f"left:{min(left, 99.6):.2f}%;width:{width:.2f}%"
    return tag(
        "a",
        tag("span", said, css="nl-hidden"),
        href=alerts.href(item.id),
        title=said,
        css=f"nl-lane-bar nl-{tone}",
        style=style,
    )


def _tick(at: datetime, start: datetime, now: datetime, said: str) -> Markup:
    place = min(_share(at, start, now), 99.0)
    return tag("span", "☑", css="nl-lane-tick", title=said, style=f"left:{place:.2f}%")


def _share(at: datetime, start: datetime, now: datetime) -> float:
    return (at - start) / (now - start) * 100


def events(timeline: Sequence[m.TimelineEvent]) -> Markup:
    """Return everything that happened, newest first."""
    columns = (Column("When"), Column("What"), Column("Details"))
    rows = [
        (
            units.instant(item.at),
            chip(_KINDS[item.kind]),
            link(item.url.lstrip("/"), item.text) if item.url else item.text,
        )
        for item in reversed(timeline)
    ]
    return table(columns, rows, caption="Timeline, newest first")
