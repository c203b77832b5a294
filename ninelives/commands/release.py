"""`release judge`."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from ninelives.commands.output import connect, json_flag, print_json
from ninelives.commands.times import length_of
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

NOT_JUDGED = 4


@click.group()
def release() -> None:
    """Releases: is the new version worse than the old one?"""


@release.command()
@setting_flags("api", "token")
@click.argument("service")
@click.option("--from", "from_version", required=True, help="The old version (service.version): the control.")
@click.option("--to", "to_version", required=True, help="The new version: the treatment.")
@click.option("--environment", default=None, help="Only requests of this environment.")
@click.option(
    "--window", default=None, help="Only so much of the past, such as 30m; since the deploy by default, at most 6h."
)
@click.option(
    "--min-samples",
    type=click.IntRange(min=1),
    default=100,
    help="Fewer requests of a version decide nothing; 100 by default.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, max_open=True),
    default=None,
    help="Share of requests that may be worse, such as 0.01; 1 - objective by default.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0),
    default=0.0,
    help="Look again for so many seconds, until it is decided.",
)
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the result as JUnit XML.")
@json_flag
def judge(
    settings: Settings,
    service: str,
    *,
    from_version: str,
    to_version: str,
    environment: str | None,
    window: str | None,
    min_samples: int,
    margin: float | None,
    wait_s: float,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Judge a release of SERVICE. Exit code: 0 held, 1 deviated, 2 misuse, 3 inconclusive, 4 not judged."""
    from api.client import ApiError
    from chaos.releases.asking import NotJudgedError
    from chaos.releases.judgement import Asked
    from chaos.releases.junit import release_junit
    from chaos.releases.text import release_text
    from chaos.releases.waiting import judge_release

    if from_version == to_version:
        fail(f"--from and --to are both {to_version!r}; name the old and the new version", MISUSE)
    asked = Asked(service, from_version, to_version, environment, _window(window), min_samples, margin)

    def tell(seen: str) -> None:
        click.echo(f"{datetime.now(UTC):%H:%M:%S} undecided: {seen}", err=True)

    try:
        with connect(settings) as api:
            found = judge_release(
                api, asked, clock=lambda: datetime.now(UTC), sleep=time.sleep, wait_s=wait_s, on_look=tell
            )
    except (NotJudgedError, ApiError) as error:
        fail(f"not judged: {error}", NOT_JUDGED)
    if junit is not None:
        junit.write_text(release_junit(found), encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        click.echo(release_text(found), nl=False)
    raise SystemExit(found.exit_code)


def _window(text: str | None) -> timedelta | None:
    from chaos.releases.serving import LONGEST

    if text is None:
        return None
    found = length_of(text, "--window")
    if found > LONGEST:
        fail(f"--window {text} is too long; versions are compared over at most 6h of raw spans", MISUSE)
    return found
