"""API tokens: who may send telemetry and who may read it, as digests in a file of their own.

A token is 256 random bits, so there is nothing to guess: a plain SHA-256 keeps it as safe as a salted, slow hash would,
and costs a request one microsecond instead of a hundred milliseconds.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import hmac
import logging
import os
import secrets
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

log = logging.getLogger(__name__)

Scope = Literal["ingest", "read", "operate", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_IMPLIED: dict[Scope, frozenset[Scope]] = {"operate": frozenset({"read"}), "admin": frozenset(SCOPES)}

PREFIX = "nl_"  # lets scanners for leaked secrets recognise one
LOOK_EVERY_S = 1.0


class TokensError(Exception):
    """The file of tokens cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of one token; the token itself is known to its holder alone.

    Attributes:
        name: Whose it is. Two tokens of one name are one holder's, while the newer replaces the older.
        scopes: What it allows; "operate" implies "read", "admin" everything.
        sha256: Of the token's text, in hex.
        requests_per_s: Limit of the holder's OTLP requests; None is no limit.
        mb_per_s: Limit of the holder's uncompressed OTLP bytes, in millions; None is no limit.
        created_at: When it was made; None when the file does not say.
    """

    name: str
    scopes: frozenset[Scope]
    sha256: str
    requests_per_s: float | None = None
    mb_per_s: float | None = None
    created_at: datetime | None = None

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes or any(scope in _IMPLIED.get(own, ()) for own in self.scopes)


class _Entry(BaseModel):
    """A token as the file has it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,64}$")]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    requests_per_s: PositiveFloat | None = None
    mb_per_s: PositiveFloat | None = None
    created_at: datetime | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: list[_Entry]


def new_secret() -> str:
    """Return a new token: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def bearer(authorization: str | None) -> str | None:
    """Return the token of an Authorization header; None when it carries none.

    >>> bearer("Bearer abc"), bearer("bearer  abc "), bearer("Basic abc"), bearer(None)
    ('abc', 'abc', None, None)
    """
    scheme, _, secret = (authorization or "").strip().partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def read_tokens(path: Path) -> list[Token]:
    """Return the tokens of a YAML or JSON file.

    Raises:
        TokensError: it cannot be read, has another form, or others than its owner may change it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise TokensError(f"{path} may be changed by others than its owner: chmod 600 {path}")
            content = yaml.safe_load(file)
        entries = _File.model_validate(content).tokens
    except ValidationError as error:
        raise TokensError(f"{_reason(path, error)}; 'ninelives tokens add' writes such a file") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise TokensError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    return [Token(**{**entry.model_dump(), "scopes": frozenset(entry.scopes)}) for entry in entries]


def write_tokens(path: Path, tokens: Sequence[Token]) -> None:
    """Replace the file at *path*, which only its owner may read, in one step.

    Raises:
        TokensError: a token cannot be written like this, or the file cannot be.
    """
    entries = [_entry(path, token) for token in tokens]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 -- born unreadable for others
            yaml.safe_dump({"tokens": entries}, file, sort_keys=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise TokensError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def editing(path: Path) -> Iterator[list[Token]]:
    """Yield the tokens of *path*, none when it is missing, and write what became of them; nobody edits meanwhile.

    Raises:
        TokensError: the file cannot be used, before or after.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)  # the file itself is replaced, so it cannot carry the lock
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        tokens = read_tokens(path) if path.exists() else []
        yield tokens
        write_tokens(path, tokens)
    finally:
        os.close(folder)


def _entry(path: Path, token: Token) -> dict[str, object]:
    try:
        entry = _Entry.model_validate(
            {**dataclasses.asdict(token), "scopes": [scope for scope in SCOPES if scope in token.scopes]}
        )
    except ValidationError as error:
        raise TokensError(_reason(path, error)) from error
    return entry.model_dump(mode="json", exclude_none=True)


def _reason(path: Path, error: ValidationError) -> str:
    """Return what is wrong where; only a name is quoted, because somebody may have put a token in any other place."""
    first = error.errors()[0]
    value = f"={first['input']!r:.80}" if first["loc"][-1:] == ("name",) else ""
    return f"{path}: {'.'.join(map(str, first['loc']))}{value}: {first['msg']}"


class Tokens:
    """The tokens of a file, read again when it changes, so that a rotation needs no restart. Thread-safe.

    Args:
        path: Looked at once a second at most. A change that cannot be read leaves the last good tokens in force.
        own: Tokens beside the file's: those that this process gives to its children.

    Raises:
        TokensError: the file cannot be used at the start.
    """

    def __init__(self, path: Path, own: Sequence[Token] = ()) -> None:
        self._path = path
        self._own = tuple(own)
        self._lock = threading.Lock()
        self._seen = _version(path)
        self._tokens = (*read_tokens(path), *self._own)
        self._looked_at = monotonic()

    def find(self, authorization: str | None) -> Token | None:
        """Return the token that an Authorization header carries; None when it is missing or unknown."""
        secret = bearer(authorization)
        if secret is None:
            return None
        given, found = digest(secret), None
        for token in self._current(monotonic()):  # no early end: the time must not tell which one it is
            if hmac.compare_digest(given, token.sha256):
                found = token
        return found

    def _current(self, now: float) -> tuple[Token, ...]:
        if now - self._looked_at >= LOOK_EVERY_S and self._lock.acquire(blocking=False):
            try:
                self._looked_at = now
                self._reload()
            finally:
                self._lock.release()
        return self._tokens

    def _reload(self) -> None:
        version = _version(self._path)
        if version == self._seen:
            return
        self._seen = version
        try:
            self._tokens = (*read_tokens(self._path), *self._own)
        except TokensError as error:
            log.error("the last good tokens stay in force: %s", error)  # noqa: TRY400 -- the message says it all
        else:
            log.info("read %s again", self._path)


def _version(path: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None
