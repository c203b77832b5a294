"""A disk that is full, and has room again: a small file system or, where none can be had, a limit on files."""

import errno
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil
from crash_server import Server

DISK_BYTES = 4 << 20
FILE_BYTES = 48 << 10


class SmallDisk(Protocol):
    name: str

    def fill(self, server: Server, leave_bytes: int) -> None:
        """Let *server* have about *leave_bytes* more."""

    def free(self, server: Server) -> None:
        """Let it have room again."""


class MountedDisk:
    """A file system in memory, of a few megabytes, of which a file takes the most."""

    name = "tmpfs"

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self, server: Server, leave_bytes: int) -> None:
        free = shutil.disk_usage(self._filler.parent).free
        try:
            with self._filler.open("ab") as file:
                file.write(bytes(max(0, free - leave_bytes)))
        except OSError as error:  # the spool has taken the rest meanwhile: full is full
            if error.errno != errno.ENOSPC:
                raise

    def free(self, server: Server) -> None:
        self._filler.unlink(missing_ok=True)


class FileSizeLimit:
    """A limit on the files of one process: the kernel refuses to make a segment larger."""

    name = "file size limit"

    def fill(self, server: Server, leave_bytes: int) -> None:
        self._limit(server, min(FILE_BYTES, leave_bytes))

    def free(self, server: Server) -> None:
        self._limit(server, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(server: Server, size: int) -> None:
        if server.process is not None:
            process = psutil.Process(server.process.pid)
            _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (size, hard))


@contextmanager
def small_disk(folder: Path, *, mounted: bool) -> Iterator[SmallDisk]:
    """Lend a small disk at *folder*, *mounted* where that is permitted; *folder* keeps what lies on it at the end."""
    folder.mkdir(parents=True)
    options = f"size={DISK_BYTES}"
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False).returncode:
        yield FileSizeLimit()
        return
    left = folder.with_name("left")
    try:
        yield MountedDisk(folder)
    finally:
        shutil.copytree(folder, left, ignore=shutil.ignore_patterns("filler"))
        subprocess.run(["umount", folder], check=True)
        shutil.copytree(left, folder, dirs_exist_ok=True)
        shutil.rmtree(left)
