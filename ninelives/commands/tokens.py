"""`tokens add|list|rotate|revoke`: who may send telemetry, and who may use the API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

import click

from ninelives.commands.output import json_flag, moment, print_table
from ninelives.options import fail, setting_flags
from ninelives.settings import Settings
from storage.tokens import Scope, Token, TokensError, editing, read_tokens

if TYPE_CHECKING:
    from ninelives.access import Issued


@click.group()
def tokens() -> None:
    """Tokens of those who send telemetry, read it, or change something."""


@tokens.command()
@setting_flags("data", "tokens_file")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice(get_args(Scope)),
    help="What it allows; may be given several times.",
)  # fmt: skip
@click.option("--requests-per-s", type=click.FloatRange(min=0, min_open=True), help="Most OTLP requests a second.")
@click.option("--mb-per-s", type=click.FloatRange(min=0, min_open=True), help="Most MB of uncompressed OTLP a second.")
@json_flag
def add(settings: Settings, name: str, scopes: tuple[Scope, ...], as_json: bool, **limits: float | None) -> None:
    """Make a token for NAME and show it, this once."""
    from ninelives.access import issue

    is_new = not settings.tokens_path.exists()
    issued = issue(name, *scopes, **limits)
    with _reports_errors(), editing(settings.tokens_path) as known:
        if any(token.name == name for token in known):
            fail(f"{name!r} has a token; 'ninelives tokens rotate {name}' makes the next one", 1)
        known.append(issued.token)
    _show(issued, as_json)
    if is_new:
        click.echo(f"{settings.tokens_path} is new: 'ninelives up' asks for tokens from its next start", err=True)


@tokens.command(name="list")
@setting_flags("data", "tokens_file")
@json_flag
def list_tokens(settings: Settings, as_json: bool) -> None:
    """Show names, scopes and limits. Nobody can show a token again."""
    with _reports_errors():
        known = read_tokens(settings.tokens_path)
    if as_json:
        click.echo(json.dumps([_facts(token) for token in known], indent=2))
        return
    rows = [
        (token.name, " ".join(sorted(token.scopes)), _limits(token), moment(token.created_at), token.sha256[:8])
        for token in known
    ]
    print_table(("NAME", "SCOPES", "LIMITS", "CREATED", "SHA256"), rows)


@tokens.command()
@setting_flags("data", "tokens_file")
@click.argument("name")
@json_flag
def rotate(settings: Settings, name: str, as_json: bool) -> None:
    """Make the next token for NAME and show it, this once. The one before stays valid until 'revoke NAME --old'."""
    from ninelives.access import issue_next

    with _reports_errors(), editing(settings.tokens_path) as known:
        own = _of(known, name)
        if len(own) > 1:
            fail(f"{name!r} has {len(own)} tokens already; 'ninelives tokens revoke {name} --old' ends the older", 1)
        issued = issue_next(own[0])
        known.append(issued.token)
    _show(issued, as_json)


@tokens.command()
@setting_flags("data", "tokens_file")
@click.argument("name")
@click.option("--old", is_flag=True, help="Only those before the newest.")
def revoke(settings: Settings, name: str, old: bool) -> None:
    """End NAME's tokens; a running Ninelives refuses them within a second."""
    with _reports_errors(), editing(settings.tokens_path) as known:
        own = _of(known, name)
        ended = own[:-1] if old else own
        known[:] = [token for token in known if token not in ended]
    click.echo(f"revoked {len(ended)} token(s) of {name}")


@contextmanager
def _reports_errors() -> Iterator[None]:
    """Turn a file that cannot be used into one line and exit code 1."""
    try:
        yield
    except TokensError as error:
        fail(str(error), 1)


def _of(known: list[Token], name: str) -> list[Token]:
    own = [token for token in known if token.name == name]
    if not own:
        fail(f"{name!r} has no token; 'ninelives tokens list' shows who has", 1)
    return own


def _show(issued: "Issued", as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**_facts(issued.token), "token": issued.secret}, indent=2))
    else:
        click.echo(issued.secret)


def _facts(token: Token) -> dict[str, str | float | list[str] | None]:
    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "requests_per_s": token.requests_per_s,
        "mb_per_s": token.mb_per_s,
        "created_at": None if token.created_at is None else token.created_at.isoformat(),
        "sha256": token.sha256,
    }


def _limits(token: Token) -> str:
    limits = ((token.requests_per_s, "requests/s"), (token.mb_per_s, "MB/s"))
    return ", ".join(f"{limit:g} {unit}" for limit, unit in limits if limit is not None) or "none"
