"""`collector`, `collector dead-letters`, `collector replay`: the collector apart, and what it could not store."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ninelives.commands import roles
from ninelives.commands.output import json_flag, moment, print_table
from ninelives.options import MISUSE, fail, setting_flags
from ninelives.settings import Settings

if TYPE_CHECKING:
    from collector.writer.dead_letters import DeadLetters, Letter

LONGEST_REASON = 80
TIMEOUT_S = 30.0


@click.group(invoke_without_command=True, params=[*roles.collector.params], help=roles.collector.help)
@click.pass_context
def collector(ctx: click.Context, /, **given: Any) -> None:
    if ctx.invoked_subcommand is None and roles.collector.callback is not None:
        roles.collector.callback(**given)


@collector.command(name="dead-letters")
@setting_flags("data")
@json_flag
def list_dead_letters(settings: Settings, as_json: bool) -> None:
    """Show the acknowledged requests that could not be stored, the oldest first, and why."""
    letters = _dead_letters(settings).letters()
    if as_json:
        click.echo(json.dumps([_facts(letter) for letter in letters], indent=2, ensure_ascii=False))
        return
    if not letters:
        click.echo("no dead letters")
        return
    rows = [
        (
            letter.signal,
            moment(letter.at),
            "unknown" if letter.items is None else f"{letter.items:,}",
            f"{letter.size_bytes:,}",
            _printable(letter.reason)[:LONGEST_REASON],
            str(letter.path),
        )
        for letter in letters
    ]
    print_table(("SIGNAL", "AT", "ITEMS", "BYTES", "REASON", "FILE"), rows)
    click.echo(f"{len(letters)} dead letter(s); 'ninelives collector replay' sends them again")


@collector.command()
@setting_flags("data", "token")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--otlp-http", "url", metavar="URL", help="URL of the collector; by default that of the settings.")
def replay(settings: Settings, files: tuple[Path, ...], url: str | None) -> None:
    """Send FILES, by default every dead letter, to the collector again; what it takes in full is removed.

    Exit code 0 when all were taken, 1 when one was kept.
    """
    import httpx

    dead_letters = _dead_letters(settings)
    letters = [_letter(path) for path in files] or dead_letters.letters()
    base_url = (url or f"http://{settings.otlp_http.local}").rstrip("/")
    headers = {"Content-Type": "application/x-protobuf"}
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token}"
    try:
        # trust_env=False: a proxy meant for the outside must not swallow calls to a local server
        with httpx.Client(base_url=base_url, timeout=TIMEOUT_S, headers=headers, trust_env=False) as http:
            taken = _send_all(http, dead_letters, letters)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        fail(f"--otlp-http={base_url}: {error}; use a URL such as http://127.0.0.1:4318", MISUSE)
    click.echo(f"{taken} of {len(letters)} dead letter(s) sent again")
    if taken < len(letters):
        raise SystemExit(1)


def _send_all(http: Any, dead_letters: "DeadLetters", letters: Sequence["Letter"]) -> int:
    """Send *letters*, remove those that were taken in full, and return their number."""
    import httpx

    taken = 0
    for letter in letters:
        try:
            refusal = _send(http, letter)
        except httpx.TransportError as error:
            if isinstance(error, httpx.UnsupportedProtocol):
                raise
            click.echo(f"{http.base_url} does not answer: {error}; is the collector running?", err=True)
            return taken
        if refusal:
            click.echo(f"kept {letter.path}: {_printable(refusal)}", err=True)
        else:
            dead_letters.discard(letter)
            taken += 1
    return taken


def _send(http: Any, letter: "Letter") -> str:
    """Return "" when the collector took all of *letter*, otherwise its answer."""
    from collector.check.parse import REQUESTS

    if letter.signal not in REQUESTS:
        return f"{letter.signal!r} is no signal; the note beside it is missing or damaged"
    if not letter.size_bytes:
        return "its bytes are gone, there is nothing to send; remove the file when you have seen it"
    response = http.post(f"/v1/{letter.signal}", content=letter.path.read_bytes())
    if response.status_code != 200:
        return f"HTTP {response.status_code}: {_status_message(response.content)}"
    return _partial_success(letter.signal, response.content)


def _status_message(content: bytes) -> str:
    from google.protobuf.message import DecodeError
    from google.rpc import status_pb2

    try:
        return str(status_pb2.Status.FromString(content).message)
    except DecodeError:
        return content[:200].decode(errors="replace")


def _partial_success(signal: str, content: bytes) -> str:
    """Return what the collector says of items that it left out, "" when there are none."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    try:
        # the answers of all signals have the same fields under the same numbers
        partial = ExportTraceServiceResponse.FromString(content).partial_success
    except DecodeError:
        return f"the answer is no OTLP answer: {content[:200]!r}; is this the address of a collector?"
    if partial.rejected_spans:
        return f"{partial.rejected_spans} items of {signal} were left out: {partial.error_message}"
    return ""


def _dead_letters(settings: Settings) -> "DeadLetters":
    from collector.writer.dead_letters import FOLDER, DeadLetters

    return DeadLetters(settings.data / FOLDER)


def _letter(path: Path) -> "Letter":
    from collector.writer.dead_letters import read_letter

    letter = read_letter(path) if path.suffix in {".pb", ".json"} else None
    if letter is None:
        fail(f"{path}: no dead letter; 'ninelives collector dead-letters' shows their files", MISUSE)
    assert letter is not None
    return letter


def _facts(letter: "Letter") -> dict[str, str | int | None]:
    return {
        "signal": letter.signal,
        "at": letter.at.isoformat(),
        "items": letter.items,
        "bytes": letter.size_bytes,
        "reason": letter.reason,
        "file": str(letter.path),
    }


def _printable(text: str) -> str:
    """Return *text* on one line without control characters: bytes of a request must not move the terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
