"""The data folder: one process holds it at a time."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

PATTERN = "*?{}"


class DataFolderError(Exception):
    """The data folder cannot be used: another process works in it, or its name is a pattern."""


def hold(folder: Path) -> IO[str]:
    """Create *folder* and hold it until the returned file is closed or the process ends, however it ends.

    Raises:
        DataFolderError: another process holds it, or the database would not find files in it.
    """
    if marks := sorted(set(str(folder.absolute())) & set(PATTERN)):
        raise DataFolderError(
            f"the path of the data folder {folder.absolute()} has a {' and a '.join(marks)}, which the database reads"
            " as a pattern; choose another folder with --data"
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise DataFolderError(
            f"the data folder {folder} is held by process {holder}; stop it, or choose another folder with --data"
        ) from error
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def use_own_temporary_files(folder: Path) -> None:
    """Keep this process's temporary files in the data folder, and remove those of a process that was killed.

    The database client copies into them what it inserts; nothing a user sent may stay behind in /tmp.
    """
    own = folder / "tmp"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    tempfile.tempdir = str(own)
