"""`slo backfill`."""

import click

from api import models as m
from ninelives.commands.output import connect, json_flag, moment, percent, print_json, print_table, reports_api_errors
from ninelives.options import setting_flags
from ninelives.settings import Settings


@click.command()
@setting_flags("api", "token")
@click.argument("slo_id", metavar="[ID]", required=False)
@json_flag
@reports_api_errors
def backfill(settings: Settings, slo_id: str | None, as_json: bool) -> None:
    """Show how far the past of objectives is counted; with an ID, have that objective's past counted anew."""
    with connect(settings) as api:
        found: m.BackfillRequest | list[m.Backfill] = api.request_backfill(slo_id) if slo_id else api.backfills()
    if as_json:
        print_json(found)
    elif isinstance(found, m.BackfillRequest):
        _print_request(found)
    elif found:
        header = ("SLO", "SOURCE", "DONE", "COUNTED BACK TO", "GOES BACK TO", "MINUTES", "STARTED", "FINISHED")
        print_table(header, [_row(item) for item in found])
    else:
        click.echo("nothing is counted yet: the first evaluation begins with it, 15 s after the start at most")


def _print_request(found: m.BackfillRequest) -> None:
    click.echo(f"{found.slo_id}: the next evaluation counts its past anew; 'ninelives slo backfill' shows the progress")
    if found.shared_with:
        click.echo(f"the same events are counted for {', '.join(found.shared_with)}")


def _row(item: m.Backfill) -> tuple[str, ...]:
    done = percent(item.progress, 1)
    finished = "goes on" if item.finished_at is None else moment(item.finished_at)
    return (
        item.slo_id,
        item.source,
        done,
        moment(item.done_until),
        moment(item.starts_at),
        f"{item.minutes:,}",
        moment(item.started_at),
        finished,
    )
