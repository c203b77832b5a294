"""`slo import|export`: objectives from and for other tools."""

from pathlib import Path

import click

from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings
from slo.duration import parse_duration
from slo.errors import InvalidDuration, InvalidObjective
from slo.model import Slo


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder to write the SLO file into; printed by default."
)
@click.option("--period", default="30d", show_default=True, help="Window of the objectives, which Sloth's files lack.")
def import_slos(file: Path, output: Path | None, period: str) -> None:
    """Turn a file of Sloth (prometheus/v1, PrometheusServiceLevel) into an SLO file; print what does not come along."""
    from slo.sloth import read_sloth
    from slo.sloth_text import imported_text

    try:
        text, window = file.read_text(encoding="utf-8"), parse_duration(period)
        found = read_sloth(text, file.name, period=window)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}", MISUSE)
    except (InvalidDuration, InvalidObjective) as error:
        fail(f"--period: {error}", MISUSE)
    for remark in sorted(found.remarks, key=lambda remark: remark.line):
        level = "error" if remark.lost else "warning"
        click.echo(f"{file}:{remark.line}: {level}: {remark}", err=True)
    written = imported_text(found, file.name)
    if output is None:
        click.echo(written, nl=False)
    else:
        _write(output, f"{file.stem}.yaml", written)
    lost = sum(remark.lost for remark in found.remarks)
    click.echo(f"{len(found.imported)} objective(s) imported, {lost} not", err=True)
    if lost:
        raise SystemExit(1)


@click.command(name="export")
@setting_flags("slos")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["openslo", "prometheus"]),
    default="openslo",
    show_default=True,
    help="OpenSLO documents, or Prometheus rules over the counters at /metrics.",
)
def export_slos(settings: Settings, ids: tuple[str, ...], form: str) -> None:
    """Print the objectives of the SLO files, or those with the IDs, for other tools."""
    from slo.openslo_export import openslo_documents
    from slo.prometheus_rules import prometheus_rules
    from storage.slo_catalog import find_slo_files, read_slo_files

    slos, paths, problems = read_slo_files(find_slo_files(settings.slos))
    for problem in problems:
        click.echo(str(problem), err=True)
    if not paths:
        fail(f"there are no SLO files in {', '.join(str(path) for path in settings.slos)}", 1)
    text, remarks = (prometheus_rules if form == "prometheus" else openslo_documents)(_chosen(slos, ids))
    for remark in remarks:
        click.echo(remark, err=True)
    click.echo(text, nl=False)
    if any(problem.level == "error" for problem in problems):
        raise SystemExit(1)


def _chosen(slos: list[Slo], ids: tuple[str, ...]) -> list[Slo]:
    known = {slo.id: slo for slo in slos}
    for slo_id in ids:
        if slo_id not in known:
            fail(f"{slo_id!r} is not in the SLO files; known: {', '.join(known) or 'none'}", 1)
    return [known[slo_id] for slo_id in ids] if ids else slos


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    if path.exists():
        fail(f"{path} is there already; move it away first", 1)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"wrote {path}", err=True)
