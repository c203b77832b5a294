"""`chaos list|show|report|import`: runs that are on record."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ninelives.commands.output import connect, json_flag, moment, print_json, print_table, reports_api_errors
from ninelives.options import setting_flags
from ninelives.settings import Settings

if TYPE_CHECKING:
    from api.models import Run


@click.command(name="list")
@setting_flags("api", "token")
@click.option("--experiment", default="", help="Only runs of this one.")
@json_flag
@reports_api_errors
def list_runs(settings: Settings, experiment: str, as_json: bool) -> None:
    """Show the newest runs."""
    with connect(settings) as api:
        found = api.runs(experiment=experiment)
    if as_json:
        print_json(found)
        return
    rows = [(moment(item.started_at), item.id, item.status, item.verdict or "", item.summary) for item in found]
    print_table(("STARTED", "RUN", "STATUS", "VERDICT", "SUMMARY"), rows)


@click.command()
@setting_flags("api", "token")
@click.argument("run_id")
@json_flag
@reports_api_errors
def show(settings: Settings, run_id: str, as_json: bool) -> None:
    """Show one run: verdict, findings, checks, cost and timeline."""
    from chaos.report.text import text_report

    with connect(settings) as api:
        found = api.run(run_id)
    if as_json:
        print_json(found)
    else:
        click.echo(text_report(found))


@click.command(name="report")
@setting_flags("api", "token")
@click.argument("run_id")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File; <RUN_ID>.html by default.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to this file as well.")
@reports_api_errors
def report_run(settings: Settings, run_id: str, output: Path | None, junit: Path | None) -> None:
    """Write one run as an HTML page that stands alone."""
    with connect(settings) as api:
        found = api.run(run_id)
    page = output or Path(f"{run_id}.html")
    write_reports(found, junit=junit, page=page)
    click.echo(str(page))


@click.command(name="import")
@setting_flags("api", "token")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@reports_api_errors
def import_journal(settings: Settings, journal: Path) -> None:
    """Store a Chaos Toolkit JOURNAL, so that it is shown beside our own runs."""
    with connect(settings) as api:
        click.echo(api.import_journal(journal.read_bytes()).id)


def write_reports(run: "Run", *, junit: Path | None, page: Path | None) -> None:
    """Write *run* as JUnit XML and as an HTML page, where asked for."""
    if junit is not None:
        from chaos.report.junit import junit_report

        junit.write_text(junit_report(run), encoding="utf-8")
    if page is not None:
        from chaos.report.html import html_report

        page.write_text(html_report(run), encoding="utf-8")
