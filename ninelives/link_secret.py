"""The secret that signs the links in messages: made once, then the same for every role that shares the file."""

import os
import secrets
from pathlib import Path

from alerts.signing import SHORTEST_SECRET
from ninelives.settings import SettingsError


def read_link_secret(path: Path) -> bytes:
    """Return the secret in *path*; where there is no such file, one is made that only this user may read.

    Raises:
        SettingsError: the file cannot be read or made, or holds too little.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"the secret of links, {path}, cannot be read or made: {error.strerror}") from error
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(
            f"the secret of links, {path}, has {len(secret)} bytes; it needs {SHORTEST_SECRET} or more:"
            " write what 'openssl rand -hex 32' prints into it, or remove it and a new one is made"
        )
    return secret


def _make(path: Path) -> None:
    """Write a new secret, whole or not at all; of two roles that start at the same time one is first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600, exist_ok=False)
    try:
        draft.write_text(secrets.token_hex(SHORTEST_SECRET), encoding="ascii")
        os.link(draft, path)
    except FileExistsError:
        return  # the other role's is as good
    finally:
        draft.unlink()
