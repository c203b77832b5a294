"""`alerts silence add|list|expire`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from api import models as m
from ninelives.commands.output import (
    connect,
    json_flag,
    moment,
    print_found,
    printable,
    reports_api_errors,
    table_lines,
)
from ninelives.commands.times import length_of, time_of
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

LONGEST_UNTIL_RESOLVED = timedelta(days=7)


@click.group()
def silence() -> None:
    """Alerts that nobody wants to hear of for a while. They fire all the same, and budgets are not touched."""


@silence.command()
@setting_flags("api", "token")
@click.argument("matchers", nargs=-1, required=True, metavar="MATCHER...")
@click.option("--for", "length", default=None, help="How long, such as 90m or 2h.")
@click.option("--end", default=None, help="Until when, such as 2026-10-03T22:00:00Z.")
@click.option("--until-resolved", is_flag=True, help="End it with the alerts; after 7 days unless told otherwise.")
@click.option("--start", default=None, help="When it begins, such as 2026-10-03T22:00:00Z; now by default.")
@click.option("--comment", required=True, help="Why, for whoever wonders about the silence.")
@click.option("--author", default=None, help="Who asks for it; you by default.")
@json_flag
@reports_api_errors
def add(settings: Settings, matchers: tuple[str, ...], start: str | None, as_json: bool, **asked: Any) -> None:
    """Silence the alerts that all MATCHERs match, such as service_name=checkout or 'severity=~"page|ticket"'."""
    from ninelives.authorship import author

    begin = None if start is None else time_of(start, "--start")
    wanted = m.NewSilence(
        matchers=list(matchers),
        starts_at=begin,
        ends_at=_end(begin or datetime.now(UTC), asked["length"], asked["end"], asked["until_resolved"]),
        author=author() if asked["author"] is None else asked["author"],
        comment=asked["comment"],
        until_resolved=asked["until_resolved"],
    )
    with connect(settings) as api:
        found = api.add_silence(wanted)
    lines = (
        f"{found.id}: {found.state}, from {moment(found.starts_at)} until {_until(found)}",
        f"it matches {', '.join(found.alert_ids) or 'no alert that is open now'}",
    )
    print_found(found, lines, as_json=as_json)


@silence.command(name="list")
@setting_flags("api", "token")
@click.option("--expired", is_flag=True, help="Those that are over too.")
@json_flag
@reports_api_errors
def list_silences(settings: Settings, expired: bool, as_json: bool) -> None:
    """Show the silences that are or will be in force, the newest first."""
    with connect(settings) as api:
        found = api.silences(expired=expired)
    rows = [
        (
            item.id,
            item.state,
            moment(item.starts_at),
            _until(item),
            printable(", ".join(item.matchers)),
            str(len(item.alert_ids)),
            printable(item.author),
            printable(item.comment),
        )
        for item in found
    ]
    header = ("ID", "STATE", "FROM", "UNTIL", "MATCHERS", "ALERTS", "BY", "COMMENT")
    print_found(found, table_lines(header, rows), as_json=as_json)


@silence.command()
@setting_flags("api", "token")
@click.argument("silence_id", metavar="ID")
@json_flag
@reports_api_errors
def expire(settings: Settings, silence_id: str, as_json: bool) -> None:
    """End a silence now, or call it off before it begins; it stays on record."""
    with connect(settings) as api:
        found = api.expire_silence(silence_id)
    print_found(found, [f"{found.id}: over since {_until(found)}"], as_json=as_json)


def _end(begin: datetime, length: str | None, end: str | None, until_resolved: bool) -> datetime:
    if length is not None and end is not None:
        fail(f"--for {length} and --end {end} both say when it ends; leave one out", MISUSE)
    if end is not None:
        return time_of(end, "--end")
    if length is not None:
        return begin + length_of(length, "--for")
    if not until_resolved:
        fail("say when it ends: --for 2h, --end with a time, or --until-resolved", MISUSE)
    return begin + LONGEST_UNTIL_RESOLVED


def _until(found: m.Silence) -> str:
    if found.state == "expired":
        return moment(found.ends_at if found.expired_at is None else min(found.ends_at, found.expired_at))
    return moment(found.ends_at) + (", or until resolved" if found.until_resolved else "")
