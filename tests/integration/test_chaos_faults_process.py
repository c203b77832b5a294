"""What each fault does to a live process, seen from outside, and that nothing of it stays."""

import os
import shutil
import time

import psutil
import pytest

from chaos.errors import FaultRefusedError
from tests.integration.chaos_victim import Victim, becomes, on_board, records, request, workers, world_of_victim

pytestmark = pytest.mark.slow

FD, AS = psutil.RLIMIT_NOFILE, psutil.RLIMIT_AS


@pytest.fixture(scope="module")
def shared_victim(tmp_path_factory):
    victim = Victim(tmp_path_factory.mktemp("victim"))
    yield victim
    victim.die()


@pytest.fixture
def victim(shared_victim):
    """The module's victim, alive and whole before and after."""
    before = _condition(shared_victim.process)
    yield shared_victim
    if shared_victim.child.poll() is None:
        assert _condition(shared_victim.process) == before
        assert shared_victim.ask() == "ok"
    else:
        shared_victim.start()
    assert list(shared_victim.disk_folder.iterdir()) == []


def _condition(process):
    return (
        process.status() == psutil.STATUS_STOPPED,
        process.rlimit(FD),
        process.rlimit(AS),
        sorted(process.cpu_affinity()),
    )


def stand_still_until_ended(worker):
    """Block the event loop, so that nobody reverts, and return for how long."""
    began = time.monotonic()
    while worker.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() - began < 10
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_hanging_process_keeps_its_connections_and_answers_when_it_goes_on(victim, tmp_path):
    async def test(board):
        fault = await board.inject(request("hang"))
        assert victim.process.status() == psutil.STATUS_STOPPED
        with pytest.raises(TimeoutError):
            victim.ask(timeout_s=0.2)
        assert records(tmp_path) == [f"{fault.id}.json"]
        ended = await board.revert(fault.id, "request")
        assert (ended.phase, ended.verified, ended.detail) == ("reverted", True, "")
        assert victim.ask() == "ok"
        assert records(tmp_path) == []

    on_board(tmp_path, world_of_victim(victim), test)


def test_the_lease_alone_ends_a_hang(victim, tmp_path):
    async def test(board):
        fault = await board.inject(request("hang", lease_ms=300))
        state, took_s = await becomes(board, fault.id, "reverted")
        assert took_s < 0.3 + 1
        assert (state.ended_by, state.verified) == ("lease", True)
        assert victim.ask() == "ok"

    on_board(tmp_path, world_of_victim(victim), test)


def test_a_process_that_is_stopped_by_somebody_else_is_not_hung_and_not_woken(victim, tmp_path):
    async def test(board):
        victim.process.suspend()
        try:
            with pytest.raises(FaultRefusedError, match="stopped already"):
                await board.inject(request("hang"))
            assert victim.process.status() == psutil.STATUS_STOPPED
        finally:
            victim.process.resume()

    on_board(tmp_path, world_of_victim(victim), test)


@pytest.mark.parametrize("kind", ["hang", "cpu", "file_descriptors", "memory"])
def test_a_target_that_dies_during_the_fault_leaves_nothing_to_restore(victim, tmp_path, kind):
    """The one that is started in its place is whole, and is left alone."""

    async def test(board):
        fault = await board.inject(request(kind, **({"mb": 8} if kind == "memory" else {})))
        victim.die()
        victim.start()
        ended = await board.revert(fault.id, "request")
        assert ended.verified
        assert "nothing left to restore" in ended.detail
        assert victim.ask() == "ok"
        assert victim.process.rlimit(FD) == psutil.Process().rlimit(FD)
        assert workers() == []

    on_board(tmp_path, world_of_victim(victim), test)


def test_a_starved_process_shares_one_core_with_workers_and_gets_all_cores_back(victim, tmp_path):
    """A thread that starts while it is starved is freed with the others."""
    before = set(victim.process.cpu_affinity())

    async def test(board):
        fault = await board.inject(request("cpu", workers=4))
        (core,) = victim.process.cpu_affinity()
        assert [child.cpu_affinity() for child in workers()] == [[core]] * 4
        assert float(victim.ask("/spun", timeout_s=30)) > 2.5  # 5 on an idle machine
        assert victim.ask("/threaded", timeout_s=30) == "1"
        ended = await board.revert(fault.id, "request")
        assert ended.verified
        threads = [thread.id for thread in victim.process.threads()]
        assert len(threads) > 1
        assert all(os.sched_getaffinity(thread) == before for thread in threads)
        assert workers() == []

    on_board(tmp_path, world_of_victim(victim), test)


def test_workers_end_by_themselves_when_a_hanging_daemon_neither_reverts_nor_renews(victim, tmp_path):
    """Their wall clock is the lease; a renewal is passed on to them."""

    async def test(board):
        fault = await board.inject(request("cpu", workers=1, lease_ms=300))
        (worker,) = workers()
        board.renew(fault.id, 800)
        assert 0.9 < stand_still_until_ended(worker) < 0.8 + 1.5

    on_board(tmp_path, world_of_victim(victim), test)


def test_a_process_without_spare_file_descriptors_opens_exactly_so_many(victim, tmp_path):
    """EMFILE after the two spare ones; the hard limit is as it was."""
    _, hard = victim.process.rlimit(FD)

    async def test(board):
        fault = await board.inject(request("file_descriptors", spare=3))
        assert victim.process.rlimit(FD)[1] == hard
        assert victim.ask("/opened") == "2"  # the third is the connection that asks
        assert (await board.revert(fault.id, "request")).verified
        assert victim.ask("/opened") == "100"

    on_board(tmp_path, world_of_victim(victim), test)


def test_a_process_short_of_memory_cannot_allocate_until_the_revert(victim, tmp_path):
    async def test(board):
        assert victim.ask("/allocated") == str(64 << 20)
        fault = await board.inject(request("memory", mb=16))
        assert victim.ask("/allocated") == "0"
        assert (await board.revert(fault.id, "request")).verified
        assert victim.ask("/allocated") == str(64 << 20)

    on_board(tmp_path, world_of_victim(victim), test)


def test_ballast_holds_real_memory_within_the_cap_of_the_targets_file(victim, tmp_path):
    async def test(board):
        with pytest.raises(FaultRefusedError, match="max_memory_mb of orders is 64"):
            await board.inject(request("memory", mb=65, mode="ballast"))
        fault = await board.inject(request("memory", mb=64, mode="ballast"))
        (worker,) = workers()
        assert worker.memory_info().rss >= 64 << 20
        assert (await board.revert(fault.id, "request")).verified
        assert workers() == []

    on_board(tmp_path, world_of_victim(victim), test)


def test_disk_space_is_taken_in_the_targets_folder_and_given_back(victim, tmp_path):
    async def test(board):
        fault = await board.inject(request("disk", mb=70))
        (file,) = victim.disk_folder.iterdir()
        assert file.stat().st_blocks * 512 >= 70 << 20
        assert (await board.revert(fault.id, "request")).verified
        assert not file.exists()

    on_board(tmp_path, world_of_victim(victim), test)


@pytest.mark.parametrize(("total_gb", "free_gb"), [(20, 2.05), (8, 1.05)])
def test_a_disk_is_never_filled(victim, tmp_path, monkeypatch, total_gb, free_gb):
    """10 % of 20 GiB, or 1 GiB, stay free."""
    usage = shutil._ntuple_diskusage(total_gb << 30, 0, int(free_gb * (1 << 30)))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    async def test(board):
        with pytest.raises(FaultRefusedError, match="take less"):
            await board.inject(request("disk", mb=100))
        assert records(tmp_path) == []

    on_board(tmp_path, world_of_victim(victim), test)


def test_a_disk_that_fills_up_meanwhile_stops_the_fault(victim, tmp_path, monkeypatch):
    """What was taken until then is given back."""
    asked = []

    def shrinking(_):
        asked.append(1)
        return shutil._ntuple_diskusage(20 << 30, 0, (10 << 30) if len(asked) < 4 else 1 << 30)

    monkeypatch.setattr(shutil, "disk_usage", shrinking)

    async def test(board):
        with pytest.raises(FaultRefusedError, match="take less"):
            await board.inject(request("disk", mb=300))
        assert len(asked) == 4
        assert list(victim.disk_folder.iterdir()) == []
        assert records(tmp_path) == []
        assert board.states()[0].ended_by == "failed-injection"

    on_board(tmp_path, world_of_victim(victim), test)


SUSPEND, RLIMIT, PIN = (psutil.Process, "suspend"), (psutil.Process, "rlimit"), (os, "sched_setaffinity")


@pytest.mark.parametrize(
    ("wanted", "method"),
    [
        (request("hang"), SUSPEND),
        (request("file_descriptors"), RLIMIT),
        (request("memory", mb=8), RLIMIT),
        (request("cpu", workers=1), PIN),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_without_permission_a_fault_is_refused_and_nothing_stays(victim, tmp_path, monkeypatch, wanted, method):
    """The message says whose process it must be."""

    def denied(*_):
        raise psutil.AccessDenied(victim.process.pid) if method is not PIN else PermissionError(1, "denied")

    async def test(board):
        with monkeypatch.context() as patch:
            patch.setattr(*method, denied)
            with pytest.raises(FaultRefusedError, match="run the fault daemon as the user that owns") as refused:
                await board.inject(wanted)
        assert refused.value.status == 403
        assert records(tmp_path) == []
        assert workers() == []

    on_board(tmp_path, world_of_victim(victim), test)
