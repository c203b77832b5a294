"""`trace show`."""

import click

from api import models as m
from ninelives.commands.output import connect, json_flag, moment, print_json, printable, reports_api_errors
from ninelives.options import setting_flags
from ninelives.settings import Settings

BAR = 30


@click.group()
def trace() -> None:
    """Traces."""


@trace.command()
@setting_flags("api", "token")
@click.argument("trace_id")
@json_flag
@reports_api_errors
def show(settings: Settings, trace_id: str, as_json: bool) -> None:
    """Show the spans of one trace as a tree with bars."""
    with connect(settings) as api:
        found = api.trace(trace_id)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found.trace_id}  {moment(found.started_at)}  {found.duration_ms:,.1f} ms")
    click.echo(f"{len(found.spans)} spans, {found.errors} with errors, services: {', '.join(found.services)}")
    names = [f"{'  ' * span.depth}{span.service}  {printable(span.name)}" for span in found.spans]
    width = min(70, max(len(name) for name in names))
    for span, name in zip(found.spans, names, strict=True):
        mark = " ! error" if span.error else ""
        click.echo(f"{name[:width].ljust(width)} |{_bar(span, found.duration_ms)}| {span.duration_ms:>10,.2f} ms{mark}")


def _bar(span: m.Span, whole_ms: float) -> str:
    """Return where the span lies in its trace."""
    scale = BAR / whole_ms if whole_ms else 0
    start = min(BAR - 1, int(span.offset_ms * scale))
    length = max(1, min(BAR - start, round(span.duration_ms * scale)))
    return (" " * start + "=" * length).ljust(BAR)
