"""A disk that refuses, writes less than asked, or takes nothing back: what is acknowledged, and only that, is kept."""

import errno
import functools
import itertools
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import Overloaded
from collector.spool import spool as spools
from collector.spool.contents import load
from collector.spool.index import Kind
from collector.spool.recovery import recover, request_counter
from collector.spool.segment import Segment
from collector.spool.spool import Spool

CALLS = ("pwritev", "fdatasync", "ftruncate")


class Disk:
    """The real system calls; *plan* says for each, by its name, whether it does its work.

    "": it does. "short": a write takes half. The name of an error: it fails, a write after half of it is done.
    """

    def __init__(self, patch, plan):
        self.plan = plan
        self.calls = []  # (name, file, step)
        for name in CALLS:
            patch.setattr(os, name, functools.partial(self._call, name, getattr(os, name)))

    def _call(self, name, real, descriptor, *args):
        step = self.plan(name)
        self.calls.append((name, Path(f"/proc/self/fd/{descriptor}").readlink(), step))
        if name == "pwritev" and step:
            views, offset = args
            written = real(descriptor, [bytes(views[0])[: max(1, len(views[0]) // 2)]], offset)
            if step == "short":
                return written
        if step and step != "short":
            raise OSError(getattr(errno, step), os.strerror(getattr(errno, step)))
        return real(descriptor, *args)

    def failing(self, **errors):
        """Let the calls named so fail with these errors from now on."""
        self.plan = lambda name: errors.get(name, "")


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch, lambda _name: "")


@pytest.fixture
def spool(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 3600.0)
    found = Spool(tmp_path / "traces", limit_bytes=1 << 20)
    yield found
    found.close()


def put(spool, *bodies):
    """Append *bodies*, each in a group of its own, and return those that were acknowledged."""
    acknowledged = []
    for body in bodies:
        with suppress(Overloaded):
            spool.append(body, body, 1).result(10)
            acknowledged.append(body)
    return acknowledged


def bodies_of(segment: Segment):
    """Return the requests of *segment*, None for bytes that are none."""
    contents = load(segment, request_counter("traces"))
    return [contents.body(entry) if entry.kind == Kind.REQUEST else None for entry in contents.entries]


def sealed(spool):
    """Close *spool* and return what the writer would get of it, a list a segment."""
    spool.close()
    return [bodies_of(segment) for segment in spool._sealed]


def after_a_crash(folder, into):
    """Return what the next process would find if this one died now."""
    copy = into / folder.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    return [bodies_of(found.segment) for found in recover(copy)]


def test_a_full_disk_refuses_and_the_same_segment_goes_on_when_there_is_room(spool, disk, tmp_path):
    assert put(spool, b"before") == [b"before"]
    disk.failing(pwritev="ENOSPC")
    with pytest.raises(Overloaded, match="the spool cannot be written: No space left on device"):
        spool.append(b"lost", b"lost", 1).result(10)
    assert spool.disk_error == "No space left on device"
    assert after_a_crash(spool.folder, tmp_path / "crash") == [[b"before"]]
    disk.failing()
    assert put(spool, b"after", b"lost") == [b"after", b"lost"]
    assert spool.disk_error == ""
    assert sealed(spool) == [[b"before", b"after", b"lost"]]


def test_a_file_whose_sync_failed_is_sealed_and_never_trusted_again(spool, disk, tmp_path):
    """The kernel reports a failed write once and forgets the pages: a second sync would succeed and prove nothing."""
    put(spool, b"before")
    disk.failing(fdatasync="EIO")
    assert put(spool, b"lost") == []
    disk.failing()
    assert after_a_crash(spool.folder, tmp_path / "crash") == [[b"before"]]
    put(spool, b"after", b"lost")
    assert sealed(spool) == [[b"before"], [b"after", b"lost"]]
    (failed,) = {path for name, path, step in disk.calls if step}
    later = disk.calls[[step for _, _, step in disk.calls].index("EIO") + 1 :]
    assert not [path for name, path, _ in later if name == "fdatasync" and path.stem == failed.stem]


def test_a_segment_that_cannot_be_cut_back_is_sealed_at_its_last_good_size(spool, disk, tmp_path):
    put(spool, b"before", b"before too")
    disk.failing(pwritev="EIO", ftruncate="EIO")
    assert put(spool, b"x" * 100) == []
    disk.failing()
    put(spool, b"after")
    assert after_a_crash(spool.folder, tmp_path / "crash") == [[b"before", b"before too"], [b"after"]]
    assert sealed(spool) == [[b"before", b"before too"], [b"after"]]


def test_what_was_refused_does_not_come_back_after_a_restart_even_if_its_bytes_reached_the_disk(spool, disk, tmp_path):
    """Its client was told to send it again, and did: it would be stored twice."""
    put(spool, b"before")
    disk.failing(fdatasync="EIO", ftruncate="EIO")
    assert put(spool, b"refused") == []
    disk.failing()
    put(spool, b"refused")
    assert after_a_crash(spool.folder, tmp_path / "crash") == [[b"before"], [b"refused"]]


@pytest.mark.parametrize("also", ["", "EIO"], ids=["cut back", "not cut back"])
def test_the_first_group_of_a_segment_may_fail_as_well(spool, disk, tmp_path, also):
    disk.failing(fdatasync="EIO", ftruncate=also)
    assert put(spool, b"refused") == []
    disk.failing()
    assert list(spool.folder.iterdir()) == []
    assert put(spool, b"refused") == [b"refused"]
    assert after_a_crash(spool.folder, tmp_path / "crash") == [[b"refused"]]


def test_an_empty_segment_that_cannot_be_removed_brings_nothing_back(spool, disk, tmp_path, monkeypatch):
    disk.failing(fdatasync="EIO", ftruncate="EIO")

    def refuse(_path, **_options):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("collector.spool.open_segment.Path.unlink", refuse)
        assert put(spool, b"refused") == []
    disk.failing()
    assert len(list(spool.folder.iterdir())) == 2
    assert after_a_crash(spool.folder, tmp_path / "crash") == []


def test_a_folder_that_takes_no_new_file_refuses_until_it_does(spool):
    shutil.rmtree(spool.folder)
    with pytest.raises(Overloaded, match="No such file or directory"):
        spool.append(b"body", b"body", 1).result(10)
    spool.folder.mkdir()
    assert put(spool, b"body") == [b"body"]
    assert sealed(spool) == [[b"body"]]


def test_an_index_that_cannot_be_created_leaves_no_file_behind(spool, monkeypatch):
    real = Path.open

    def refuse(path, *args, **options):
        if path.suffix == ".seg":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("collector.spool.open_segment.Path.open", refuse)
        assert put(spool, b"body") == []
    assert list(spool.folder.iterdir()) == []


def test_short_writes_are_completed(spool, disk):
    disk.plan = lambda name: "short" if name == "pwritev" and len(disk.calls) % 7 else ""
    bodies = [bytes([number]) * 300 for number in range(10)]
    assert put(spool, *bodies) == bodies
    assert sealed(spool) == [bodies]


def test_a_seal_that_the_disk_refuses_does_not_hold_the_segment_back(spool, disk, tmp_path):
    put(spool, b"body")
    disk.failing(pwritev="ENOSPC")
    assert sealed(spool) == [[b"body"]]
    disk.failing()
    assert after_a_crash(spool.folder, tmp_path / "crash") == [[b"body"]]


STEPS = st.sampled_from(["", "", "", "", "short", "EIO", "ENOSPC"])


@given(steps=st.lists(STEPS, max_size=60), size=st.integers(1, 400), fsync=st.sampled_from(["always", "off"]))
def test_whatever_the_disk_does_exactly_the_acknowledged_requests_are_there(tmp_path_factory, steps, size, fsync):
    """In this process; and after a crash, as long as the disk took back what it refused, or a mark in its place."""
    folder = tmp_path_factory.mktemp("faulty")
    plan = itertools.chain(steps, itertools.repeat(""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spools, "SEAL_AFTER_S", 3600.0)
        patch.setattr(spools, "SEAL_BYTES", 1000)
        disk = Disk(patch, lambda _name: next(plan))
        spool = Spool(folder / "traces", limit_bytes=1 << 20, fsync=fsync)
        bodies = [bytes([number]) * size for number in range(12)]
        acknowledged = put(spool, *bodies)
        crashed = [body for part in after_a_crash(spool.folder, folder / "crash") for body in part]
        kept = [body for part in sealed(spool) for body in part]
    assert kept == acknowledged
    assert [body for body in crashed if body in acknowledged] == acknowledged
    if not any(name == "ftruncate" and step for name, _, step in disk.calls):
        assert crashed == acknowledged


LIMITED = """
import resource, sys
from pathlib import Path
from collector.spool import spool as spools
from collector.errors import Overloaded

spools.SEAL_AFTER_S = 3600.0
spool = spools.Spool(Path(sys.argv[1]), limit_bytes=1 << 20)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))

def send(number):
    body = bytes([number]) * 3000
    try:
        return spool.append(body, body, 1).result(10)
    except Overloaded as refusal:
        return str(refusal)

print([send(number) for number in range(5)])
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print([send(number) for number in range(5)])
sys.stdout.flush()
"""


def test_a_file_that_the_kernel_does_not_let_grow_is_refused_and_goes_on_later(tmp_path):
    """A real limit, which a write reaches half way: the process's file size."""
    folder = tmp_path / "traces"
    command = [sys.executable, "-c", LIMITED, str(folder)]
    first, second = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    refused = "the spool cannot be written: File too large"
    assert first == str([True, True, True, refused, refused])
    assert second == str([False, False, False, True, True])
    assert after_a_crash(folder, tmp_path / "crash") == [[bytes([number]) * 3000 for number in range(5)]]


START_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from collector.spool.contents import load
from collector.spool.recovery import request_counter
from collector.spool.spool import Spool

resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))  # nothing grows beyond 10 bytes
spool = Spool(Path(sys.argv[1]), limit_bytes=1 << 20)
known = [spool.append(body, body, 1).done() for body in (b"first", b"second")]
spool.close()
while (segment := spool.next_sealed(0)) is not None:
    contents = load(segment, request_counter("traces"))
    print([contents.body(entry) for entry in contents.entries], known)
    spool.remove(segment)
"""


@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
def test_a_full_disk_does_not_keep_the_start_from_making_room(spool, tmp_path, torn):
    """The open segment of the process that died cannot be sealed on disk, and is written out all the same."""
    put(spool, b"first", b"second", b"third" * 10)
    shutil.copytree(spool.folder, tmp_path / "crash" / "traces")
    if torn:
        (path,) = (tmp_path / "crash" / "traces").glob("*.seg")
        os.truncate(path, path.stat().st_size - 1)
    command = [sys.executable, "-c", START_ON_A_FULL_DISK, str(tmp_path / "crash" / "traces")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    bodies = [b"first", b"second"] if torn else [b"first", b"second", b"third" * 10]
    assert done.stdout == f"{bodies} [True, True]\n"
    assert "File too large" in done.stderr
    assert [path.suffix for path in (tmp_path / "crash" / "traces").iterdir()] == [".stored"]
