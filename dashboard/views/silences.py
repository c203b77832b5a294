"""Silences: which alerts nobody is told of, until when, by whom."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from api import models as m
from dashboard.views import units
from dashboard.views.markup import Column, Look, Markup, chip, lines, muted, table, tag

EXPIRE: Final = "expire:"  # begins what a used button of the list says
_STATES: dict[m.SilenceState, Look] = {
    "active": Look("◼", "In force", "info"),
    "pending": Look("◔", "Begins later", "none"),
    "expired": Look("✓", "Over", "none"),
}
LENGTHS: Final = {
    "30 minutes": timedelta(minutes=30),
    "2 hours": timedelta(hours=2),
    "8 hours": timedelta(hours=8),
    "1 day": timedelta(days=1),
    "until it is resolved, 7 days at most": timedelta(days=7),
}


def listing(silences: Sequence[m.Silence], now: datetime, *, may_end: bool = True) -> Markup:
    """Return the silences, each with a button that ends it, or with its id where that is for a command to do."""
    columns = (
        Column("State"),
        Column("Alerts with"),
        Column("Until"),
        Column("Why"),
        Column("Matches now"),
        Column(""),
    )
    rows = [
        (
            chip(_STATES[item.state]),
            lines(*item.matchers),
            lines(
                units.instant(item.expired_at or item.ends_at),
                muted("or when resolved" if item.until_resolved else _left(item, now)),
            ),
            lines(item.comment, muted(item.author)),
            units.plural(len(item.alert_ids), "alert"),
            _end(item) if may_end else muted(item.id),
        )
        for item in silences
    ]
    return table(columns, rows, caption="Silences")


def of_alert(item: m.Alert, author: str, comment: str, length: str, now: datetime) -> m.NewSilence:
    """Return a silence of just the rule and severity of *item*, for one of `LENGTHS`."""
    return m.NewSilence(
        matchers=matchers_of(item),
        ends_at=now + LENGTHS[length],
        author=author,
        comment=comment,
        until_resolved=length.startswith("until"),
    )


def by_labels(matchers: str, author: str, comment: str, ends_at: datetime) -> m.NewSilence:
    """Return a silence from now of what all of *matchers*, separated by commas outside of quotes, match."""
    return m.NewSilence(matchers=split(matchers), ends_at=ends_at, author=author, comment=comment)


def split(text: str) -> list[str]:
    r"""Return the matchers in *text*; the API says what is wrong with one, so nothing but commas is left out.

    >>> split('service_name="a, b", severity=page')
    ['service_name="a, b"', 'severity=page']
    >>> split(r'rule="say \"a, b\"", team="shop, severity=page')
    ['rule="say \\"a, b\\""', 'team="shop, severity=page']
    """
    found = re.findall(r'(?:"(?:[^"\\]|\\.|\\$)*(?:"|$)|[^,"])+', text, re.DOTALL)
    return [item.strip() for item in found if item.strip()]


def matchers_of(item: m.Alert) -> list[str]:
    """Return what matches just the rule and severity of *item*."""
    return [f"{name}={_quoted(value)}" for name, value in identity(item).items()]


def identity(item: m.Alert) -> dict[str, str]:
    """Return the labels that tell this alert from any other; those that it has."""
    named = {name: item.labels.get(name, "") for name in ("alertname", "rule", "slo_id", "service_name", "environment")}
    named |= {"severity": item.severity}
    return {name: value for name, value in named.items() if value}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _left(item: m.Silence, now: datetime) -> str:
    if item.state != "active":
        return ""
    return f"{units.length((item.ends_at - now).total_seconds())} left"


def _end(item: m.Silence) -> Markup:
    if item.state == "expired":
        return Markup("")
    return tag("button", "End it", css="nl-move", type="button", data_select=EXPIRE + item.id)
