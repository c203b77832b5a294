"""`slo show|gate|backtest|report`."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import click

from api import models as m
from ninelives.commands.output import connect, json_flag, print_json, reports_api_errors
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

PATIENCE_S = 600.0  # a backtest may count from all spans, a report follows the bad requests of a month


@click.command()
@setting_flags("api", "token")
@click.argument("slo_id", metavar="ID")
@json_flag
@reports_api_errors
def show(settings: Settings, slo_id: str, as_json: bool) -> None:
    """Show everything about one objective: budget in time, burn rates, conditions, maintenance, last change."""
    from ninelives.slo_text import slo_lines

    with connect(settings) as api:
        found, details = api.slo(slo_id), api.slo_details(slo_id)
    if as_json:
        both = {"slo": found.model_dump(mode="json"), "details": details.model_dump(mode="json")}
        click.echo(json.dumps(both, indent=2, ensure_ascii=False))
        return
    for line in slo_lines(found, details):
        click.echo(line)


@click.command()
@setting_flags("api", "token")
@click.option("--slo", "slo_id", required=True, help="Id of the objective.")
@click.option("--min-budget", required=True, help="Share of the error budget that must be left, such as 20% or 0.2.")
@click.option("--allow-no-data", is_flag=True, help="Let an objective without events pass.")
@json_flag
@reports_api_errors
def gate(settings: Settings, slo_id: str, min_budget: str, allow_no_data: bool, as_json: bool) -> None:
    """Exit with 0 if enough error budget is left, else with 1: for pipelines, before a deployment."""
    share = _share(min_budget)
    with connect(settings) as api:
        found = api.gate(slo_id, min_budget=str(share), allow_no_data=allow_no_data)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{'pass' if found.passes else 'fail'}: {found.reason}")
    if not found.passes:
        raise SystemExit(1)


@click.command()
@setting_flags("api", "token")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--days", type=click.IntRange(1, 400), default=30, help="How many days of the past; 30 by default.")
@json_flag
@reports_api_errors
def backtest(settings: Settings, file: Path, days: int, as_json: bool) -> None:
    """Replay the objectives in FILE on the past: the alerts that they would have sent, and how true these were."""
    from api.client import ApiClient
    from ninelives.slo_text import backtest_lines

    text = _text(file)
    start = datetime.now(UTC) - timedelta(days=days)
    with ApiClient(settings.api_url, token=settings.token, timeout_s=PATIENCE_S) as api:
        found = api.backtest(m.BacktestRequest(text=text, file=str(file), start=start))
    if as_json:
        print_json(found)
        return
    for number, item in enumerate(found):
        if number:
            click.echo()
        for line in backtest_lines(item):
            click.echo(line)


@click.command()
@setting_flags("api", "token")
@click.option("--month", default=None, help="Month in UTC, such as 2026-10; the last one by default.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write to; the present one by default.",
)
@click.option("--drafts", is_flag=True, help="Report on draft objectives too.")
@json_flag
@reports_api_errors
def report(settings: Settings, month: str | None, output: Path, drafts: bool, as_json: bool) -> None:
    """Write a month of all objectives as an HTML page and as Markdown: budgets, who spent them, incidents."""
    from api.client import ApiClient
    from ninelives.report_html import html_report
    from ninelives.report_markdown import markdown_report

    asked = month or f"{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"
    with ApiClient(settings.api_url, token=settings.token, timeout_s=PATIENCE_S) as api:
        found = api.slo_report(asked, drafts=drafts)
    if as_json:
        print_json(found)
        return
    output.mkdir(parents=True, exist_ok=True)
    for suffix, text in (("html", html_report(found)), ("md", markdown_report(found))):
        path = output / f"slo-report-{found.month}.{suffix}"
        path.write_text(text, encoding="utf-8")
        click.echo(f"wrote {path}")


def _share(text: str) -> Decimal:
    """Return "20%" or "0.2" as 0.2."""
    match = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*(%?)", text.strip())
    share = None if match is None else Decimal(match[1]) / (100 if match[2] else 1)
    if share is None or share > 1:
        fail(f"--min-budget {text!r} is not a share of a budget; write it as 20% or 0.2", MISUSE)
    assert share is not None
    return share


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}", MISUSE)
        raise
