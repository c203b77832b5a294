"""`slo list|suggest|validate|adopt`."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import click

from api.models import Slo
from ninelives.commands import slo_maintenance, slo_review
from ninelives.commands.output import connect, json_flag, percent, print_json, print_table, reports_api_errors
from ninelives.commands.slo_backfill import backfill
from ninelives.commands.slo_exchange import export_slos, import_slos
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings
from slo.duration import format_duration
from slo.nines import PERIODS, downtime_text, nines_table
from slo.wording import percent_of_target


@click.group()
def slo() -> None:
    """Service level objectives."""


slo.add_command(import_slos)
slo.add_command(export_slos)
slo.add_command(backfill)


@slo.command(name="list")
@setting_flags("api", "token")
@click.option("--nines", is_flag=True, help="Show instead what usual targets allow in usual windows.")
@json_flag
@reports_api_errors
def list_slos(settings: Settings, nines: bool, as_json: bool) -> None:
    """Show every objective, the one with the least budget first, and the downtime that each target allows."""
    if nines:
        _print_nines()
        return
    with connect(settings) as api:
        found = api.slos()
    found.sort(key=lambda item: (item.error_budget_remaining is None, item.error_budget_remaining or 0))
    if as_json:
        print_json(found)
        return
    several = len({item.environment for item in found}) > 1
    rows = [
        (
            item.id + (" (draft)" if item.draft else ""),
            *([item.environment or "(any or none)"] if several else []),
            f"{item.objective * 100:g} % / {item.window}",
            _downtime(item),
            percent(item.sli),
            percent(item.error_budget_remaining, 1),
            item.state + _doubts(item),
        )
        for item in found
    ]
    where = ("ENVIRONMENT",) if several else ()
    print_table(("SLO", *where, "OBJECTIVE", "ALLOWS", "SLI", "BUDGET LEFT", "STATE"), rows)


def _downtime(item: Slo) -> str:
    return downtime_text(timedelta(seconds=item.allowed_downtime_s))


def _doubts(item: Slo) -> str:
    marks = [_covered(item)] if item.provisional else []
    marks += ["few events"] if item.low_confidence else []
    return f" ({', '.join(marks)})" if marks else ""


def _covered(item: Slo) -> str:
    """Return how much of the window, of a calendar window up to now, the data covers: 'provisional, 3.0 of 30 d'."""
    days = item.elapsed_s / 86400
    return f"provisional, {item.coverage * days:.1f} of {days:.4g} d"


def _print_nines() -> None:
    rows = [
        (percent_of_target(row.target), *(downtime_text(downtime) for downtime in row.downtimes))
        for row in nines_table()
    ]
    print_table(("TARGET", *(f"IN {format_duration(period)}" for period in PERIODS)), rows)


@slo.command()
@setting_flags("api", "token")
@click.argument("slo_id", metavar="ID")
@json_flag
@reports_api_errors
def suggest(settings: Settings, slo_id: str, as_json: bool) -> None:
    """Show the target, and of a latency objective the limit, that the past of an objective would have met."""
    with connect(settings) as api:
        found = api.slo_suggestion(slo_id)
    if as_json:
        print_json(found)
        return
    click.echo(f"target  {'none' if found.target is None else f'{found.target * 100:g} %'}")
    if found.threshold_ms is not None:
        click.echo(f"limit   {found.threshold_ms:g} ms")
    click.echo("\n".join(found.why.split("; ")))


@slo.command()
@setting_flags("slos", "retention_rollup_days")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Refuse what OpenSLO forbids or this program leaves out.")
@json_flag
def validate(settings: Settings, files: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Check SLO files (by default those of the settings); print file, line, field and reason of what is wrong."""
    from slo.openslo import LintFacts
    from storage.slo_catalog import find_slo_files, read_slo_files

    for path in files:
        if not path.exists():
            fail(f"{path}: no such file or folder", MISUSE)
    paths = find_slo_files(files or settings.slos)
    if not paths:
        places = ", ".join(str(path) for path in files or settings.slos)
        fail(f"there are no SLO files (.yaml, .yml, .json) in {places}", 1)
    facts = LintFacts(retention=timedelta(days=settings.retention_rollup_days))
    slos, names, problems = read_slo_files(paths, strict=strict, facts=facts)
    errors = sum(problem.level == "error" for problem in problems)
    if as_json:
        shown = [asdict(problem) for problem in problems]
        found = {"files": names, "objectives": [slo.id for slo in slos], "problems": shown}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(str(replace(problem, line=problem.line or 1)), err=True)
        warnings = len(problems) - errors
        click.echo(f"{len(slos)} objective(s) in {len(paths)} file(s), {errors} error(s), {warnings} warning(s)")
    if errors:
        raise SystemExit(1)


@slo.command()
@setting_flags("api", "token", "slos")
@click.argument("name")
@click.option("--environment", default=None, help="Only this environment, where the service has several.")
@reports_api_errors
def adopt(settings: Settings, name: str, environment: str | None) -> None:
    """Write the draft objectives of a service, or one by its id, to a file of your own: from then on they page."""
    from slo.draft import drafts_of
    from slo.openslo_writer import to_openslo

    with connect(settings) as api:
        found = api.slos()
    ids = {item.id for item in found if item.draft and name in {item.service, item.id}}
    pairs = {(item.service, item.environment) for item in found if item.id in ids}
    chosen = [pair for pair in pairs if environment is None or pair[1] == environment]
    drafts = [draft for draft in drafts_of(chosen) if draft.id in ids]
    if pairs and not drafts:
        known = ", ".join(sorted(repr(each) for _, each in pairs))
        fail(f"{name!r} has no draft objectives in the environment {environment!r}; it has in {known}", 1)
    if not drafts:
        known = ", ".join(sorted({item.service for item in found if item.draft})) or "none"
        fail(f"{name!r} is no service with draft objectives, and no draft; services that have: {known}", 1)
    folder = next((path for path in settings.slos if not path.is_file()), Path("slos"))
    folder.mkdir(parents=True, exist_ok=True)
    for draft in drafts:
        path = folder / f"{draft.id}.yaml"
        if path.exists():
            fail(f"{path} is there already; edit it, or remove it first", 1)
        path.write_text(to_openslo(draft), encoding="utf-8")
        click.echo(f"wrote {path}")


for command in (
    slo_review.show, slo_review.gate, slo_review.backtest, slo_review.report, slo_maintenance.maintenance,
):  # fmt: skip
    slo.add_command(command)
