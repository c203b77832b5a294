"""Who changes objectives, and which commit they come from: as far as this process can know."""

import getpass
import os
from pathlib import Path
from typing import Final

# a pipeline's actor says more than the account that its runner uses
CI_ACTORS: Final = (
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "CIRCLE_USERNAME",
    "BUILD_USER",
)
HASH_LENGTHS: Final = (40, 64)  # SHA-1 and SHA-256


def author() -> str:
    """Return the actor of the pipeline that runs this, else the user's name, "" where neither is known."""
    actor = next((os.environ[name] for name in CI_ACTORS if os.environ.get(name)), "")
    if actor:
        return actor
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that no one named
        return ""


def commit_of(file: str) -> str:
    """Return the commit that the git repository of *file* stands at, "" where there is none.

    The repository is read plainly: the machine need not have git.
    """
    try:
        repository = _repository(Path(file).resolve())
        return "" if repository is None else _head(repository)
    except (OSError, UnicodeDecodeError):
        return ""


def _repository(path: Path) -> Path | None:
    """Return the folder that holds HEAD; in a work tree of its own `.git` is a file that names it."""
    marker = next((folder / ".git" for folder in path.parents if (folder / ".git").exists()), None)
    if marker is None or marker.is_dir():
        return marker
    return (marker.parent / marker.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()


def _head(repository: Path) -> str:
    head = (repository / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref:"):
        return _commit(head)
    name = head.removeprefix("ref:").strip()
    common = repository / "commondir"
    shared = repository / common.read_text(encoding="utf-8").strip() if common.exists() else repository
    if (shared / name).exists():
        return _commit((shared / name).read_text(encoding="utf-8").strip())
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.exists() else []
    return next((_commit(line.split()[0]) for line in lines if line.endswith(f" {name}")), "")


def _commit(text: str) -> str:
    return text if len(text) in HASH_LENGTHS and set(text) <= set("0123456789abcdef") else ""
