"""Who may come in: the tokens of this installation, made at first need, and those of our own children."""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ninelives.settings import EVERYWHERE, Address, Settings
from storage.tokens import Scope, Token, Tokens, digest, new_secret, write_tokens


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and, this once, its text."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True)
class Access:
    """What the listeners ask for, and what our children show them.

    Attributes:
        tokens: None lets everybody in: only loopback is served.
        dashboard: The dashboard's secret; "" when none is asked for.
        chaos: That of the experiments that we start; "" when none is asked for.
        demo: The demo's secret; "" when none is asked for.
        first: Tokens made by this start, to be shown once.
    """

    tokens: Tokens | None = None
    dashboard: str = ""
    chaos: str = ""
    demo: str = ""
    first: tuple[Issued, ...] = ()


def issue(name: str, *scopes: Scope, requests_per_s: float | None = None, mb_per_s: float | None = None) -> Issued:
    """Return a new token; only its digest is ever written."""
    secret = new_secret()
    created = datetime.now(UTC).replace(microsecond=0)
    return Issued(Token(name, frozenset(scopes), digest(secret), requests_per_s, mb_per_s, created), secret)


def issue_next(token: Token) -> Issued:
    """Return a new token with the name, scopes and limits of *token*."""
    return issue(token.name, *token.scopes, requests_per_s=token.requests_per_s, mb_per_s=token.mb_per_s)


def open_access(settings: Settings) -> Access:
    """Return who may come in. Beyond loopback somebody must be named: a missing file is made.

    Raises:
        TokensError: the file is there and cannot be used.
    """
    path = settings.tokens_path
    first: tuple[Issued, ...] = ()
    if not path.exists():
        if not settings.beyond_loopback and settings.tokens_file is None:
            return Access()
        first = (issue("services", "ingest"), issue("people", "read", "operate"))
        write_tokens(path, [issued.token for issued in first])
    dashboard, chaos, demo = issue("dashboard", "read"), issue("chaos", "read", "operate"), issue("demo", "ingest")
    tokens = Tokens(path, own=[dashboard.token, chaos.token, demo.token])
    return Access(tokens, dashboard.secret, chaos.secret, demo.secret, first)


def write_secret(path: Path, secret: str) -> None:
    """Write *secret* where only this user may read it: a command line is visible to everybody."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(secret, encoding="utf-8")


def otlp_headers(secret: str) -> str:
    """Return the value of OTEL_EXPORTER_OTLP_HEADERS, in which a space is written as %20."""
    return f"authorization=Bearer%20{secret}"


def first_lines(access: Access, endpoint: str, path: Path) -> list[str]:
    """Return what a person pastes; nobody can show the tokens again."""
    if not access.first:
        return []
    services, people = access.first
    return [
        f"Tokens were made in {path}; this is the only time that they are shown",
        "  in the environment of your services:",
        f"    export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}",
        "    export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        f"    export OTEL_EXPORTER_OTLP_HEADERS={otlp_headers(services.secret)}",
        "  in the environment of the commands, and for the API:",
        f"    export NINELIVES_TOKEN={people.secret}",
    ]


def seen_from_outside(address: Address) -> Address:
    """Return *address* as other machines write it: one on all addresses gets this machine's own."""
    if address.host not in EVERYWHERE:
        return address
    return Address(_own_address(), address.port)


def _own_address() -> str:
    """Return the address of the interface that leads out; a UDP socket sends nothing when it is connected."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation, so nobody's
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
