"""The secret that a fault daemon beyond loopback asks for."""

import os
import secrets
from pathlib import Path

TOKEN_BYTES = 32


def token_path(data_dir: Path) -> Path:
    return data_dir / "chaos" / "daemon.token"


def read_token(data_dir: Path) -> str:
    """Return the token of the daemon that keeps its records in *data_dir*, "" when it has none (raises OSError)."""
    try:
        return token_path(data_dir).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def ensure_token(data_dir: Path) -> str:
    """Return the token in *data_dir*; the first call makes it, in a file that only its owner can read.

    Raises:
        OSError: the file cannot be written or read.
    """
    path = token_path(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    found = read_token(data_dir)
    if found:
        return found
    made = secrets.token_urlsafe(TOKEN_BYTES)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{made}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return made
