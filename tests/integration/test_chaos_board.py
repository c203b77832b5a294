"""The board in this process: limits, the emergency stop, and faults that end while they begin."""

import asyncio
import json
import sys

import psutil
import pytest

from chaos.daemon.pid_file import PidFile
from chaos.daemon.targets import CommandEntry, Limits
from chaos.daemon.world import VictimProcess, World
from chaos.errors import FaultRefusedError
from chaos.wire import EmergencyStopRequest
from tests.integration.chaos_victim import Victim, becomes, new_board, on_board, records, request, world_of_victim


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    victim = Victim(tmp_path_factory.mktemp("victim"))
    yield victim
    victim.die()


def python(code):
    return [sys.executable, "-S", "-c", code]


def marker_command(folder, *, inject="pass", undo="pass"):
    """A command whose fault is the file "broken"."""
    return CommandEntry(
        name="marker",
        inject=python(f"open('broken', 'w').close(); {inject}"),
        undo=python(f"import os; {undo}; os.path.exists('broken') and os.remove('broken')"),
        check=python("import os; raise SystemExit(os.path.exists('broken'))"),
        timeout_s=20,
    )


def marker_world(victim, folder, **parts):
    return world_of_victim(victim, commands={"marker": marker_command(folder, **parts)}, folder=folder)


def test_a_target_is_broken_once_in_each_way(victim, tmp_path):
    """The same kind again is a conflict, another kind is not."""

    async def test(board):
        first = await board.inject(request("file_descriptors", spare=5))
        with pytest.raises(FaultRefusedError, match=rf"already broken by {first.id} \(active\)") as refused:
            await board.inject(request("file_descriptors", spare=6))
        assert refused.value.status == 409
        await board.inject(request("memory", mb=64))
        assert {state.verified for state in await board.revert_all("request")} == {True}
        assert (await board.inject(request("file_descriptors"))).phase == "active"

    on_board(tmp_path, world_of_victim(victim), test)


def test_no_more_faults_than_the_targets_file_allows(victim, tmp_path):
    """A reverted one makes room."""

    async def test(board):
        first = await board.inject(request("file_descriptors", spare=5))
        with pytest.raises(FaultRefusedError, match=rf"{first.id} make 1 .*max_faults .* is 1") as refused:
            await board.inject(request("hang"))
        assert refused.value.status == 409
        await board.revert(first.id, "request")
        assert (await board.inject(request("hang"))).phase == "active"

    on_board(tmp_path, world_of_victim(victim, limits=Limits(max_faults=1)), test)


def test_no_longer_lease_than_the_targets_file_allows(victim, tmp_path):
    """Neither at once nor by renewal, which leaves the old one."""

    async def test(board):
        with pytest.raises(FaultRefusedError, match=r"lease_ms is 2001, .* is 2000; ask for less and renew it"):
            await board.inject(request("hang", lease_ms=2001))
        fault = await board.inject(request("file_descriptors", lease_ms=2000))
        with pytest.raises(FaultRefusedError, match="lease_ms is 60000"):
            board.renew(fault.id, 60_000)
        assert board.state(fault.id).lease_ms == 2000

    on_board(tmp_path, world_of_victim(victim, limits=Limits(max_lease_ms=2000)), test)


def test_the_emergency_stop_ends_all_and_locks_until_it_is_released_also_after_a_restart(victim, tmp_path):
    """The refusal says who, when, why, and how to go on; a second stop does not hide the first."""

    async def stop(board):
        await board.inject(request("hang"))
        ended = await board.stop_all(EmergencyStopRequest(by="ann", reason="customers call"))
        assert [(state.ended_by, state.verified) for state in ended] == [("emergency-stop", True)]
        assert victim.ask() == "ok"
        await board.stop_all(EmergencyStopRequest(by="ben"))
        assert board.emergency_stop.state.by == "ann"

    async def go_on(board):
        said = r"by ann at 20\S+Z \(customers call\): .* DELETE /emergency-stop"
        with pytest.raises(FaultRefusedError, match=said) as refused:
            await board.inject(request("hang"))
        assert refused.value.status == 423
        assert board.states() == []
        board.emergency_stop.release()
        assert (await board.inject(request("hang"))).phase == "active"

    async def stay_released(board):
        assert not board.emergency_stop.state.locked

    for test in (stop, go_on, stay_released):
        on_board(tmp_path, world_of_victim(victim), test)


def test_an_emergency_stop_that_cannot_be_read_locks(victim, tmp_path):
    (tmp_path / "emergency-stop.json").write_text("{", encoding="utf-8")

    async def test(board):
        with pytest.raises(FaultRefusedError, match=r"emergency-stop.json cannot be read"):
            await board.inject(request("hang"))

    on_board(tmp_path, world_of_victim(victim), test)


def test_an_emergency_stop_that_cannot_be_written_stops_all_the_same(victim, tmp_path):
    """Only the restart would forget it, and the caller is told so by the error."""

    async def test(board):
        fault = await board.inject(request("hang"))
        (tmp_path / "emergency-stop.json").mkdir()
        with pytest.raises(OSError, match="emergency-stop"):
            await board.stop_all(EmergencyStopRequest())
        assert board.state(fault.id).verified
        with pytest.raises(FaultRefusedError, match="emergency stop by unknown"):
            await board.inject(request("hang"))

    on_board(tmp_path, world_of_victim(victim), test)


@pytest.mark.parametrize("ended_by", ["lease", "emergency-stop"])
def test_a_fault_that_is_ended_during_its_injection_is_undone_at_once(victim, tmp_path, ended_by):
    """The command that still runs is killed; what it did already is undone."""

    async def test(board):
        lease_ms = 500 if ended_by == "lease" else 60_000
        injecting = asyncio.create_task(board.inject(request("command", "marker", lease_ms=lease_ms)))
        while not (tmp_path / "broken").exists():
            await asyncio.sleep(0.01)
            if injecting.done():
                break
        if ended_by == "emergency-stop":
            await board.stop_all(EmergencyStopRequest())
        with pytest.raises(FaultRefusedError, match=f"ended by {ended_by} while it was injected"):
            await asyncio.wait_for(injecting, 10)
        (fault,) = board.states()
        state, _ = await becomes(board, fault.id, "reverted")
        assert (state.ended_by, state.verified) == (ended_by, True)
        assert not (tmp_path / "broken").exists()
        assert records(tmp_path) == []

    on_board(tmp_path, marker_world(victim, tmp_path, inject="import time; time.sleep(60)"), test)


def test_a_revert_that_no_probe_confirms_is_visible_and_tried_again(victim, tmp_path, monkeypatch):
    """The record stays, the state says why, and a retry ends it, soon after the first failure."""
    stuck = "os.path.exists('stuck') and os._exit(7)"

    async def test(board):
        fault = await board.inject(request("command", "marker"))
        (tmp_path / "stuck").touch()
        state = await board.revert(fault.id, "request")
        assert (state.phase, state.verified) == ("unverified", False)
        assert "undo failed (exit code 7" in state.detail
        assert records(tmp_path) == [f"{fault.id}.json"]
        assert board.states() == [state]
        (tmp_path / "stuck").unlink()
        state, _ = await becomes(board, fault.id, "reverted")
        assert (state.ended_by, state.verified, state.detail) == ("request", True, "")
        assert records(tmp_path) == []

    on_board(tmp_path, marker_world(victim, tmp_path, undo=stuck), test)


def test_an_unexpected_error_of_a_revert_is_not_the_end_of_it(victim, tmp_path, monkeypatch):
    async def test(board):
        fault = await board.inject(request("hang"))
        with monkeypatch.context() as patch:
            patch.setattr("chaos.faults.hang.until", None)
            state = await board.revert(fault.id, "request")
        assert state.phase == "unverified"
        await becomes(board, fault.id, "reverted")

    on_board(tmp_path, world_of_victim(victim), test)


def test_an_injection_that_fails_is_undone_and_says_why(victim, tmp_path):
    """With the end of what the command said."""
    inject = "print('line one'); print('no such index'); raise SystemExit(3)"

    async def test(board):
        with pytest.raises(FaultRefusedError, match=r"exit code 3, output: line one\nno such index"):
            await board.inject(request("command", "marker"))
        (state,) = board.states()
        assert (state.phase, state.ended_by) == ("reverted", "failed-injection")
        assert not (tmp_path / "broken").exists()

    on_board(tmp_path, marker_world(victim, tmp_path, inject=inject), test)


def test_the_daemon_does_not_break_itself(tmp_path):
    """Nobody would be left to mend it."""
    own = psutil.Process()
    pid_file = tmp_path / "own.json"
    pid_file.write_text(json.dumps({"pid": own.pid, "create_time": own.create_time()}), encoding="utf-8")
    world = World(processes={"orders": VictimProcess("orders", "", PidFile(pid_file))})

    async def test(board):
        for kind in ("hang", "kill", "cpu", "file_descriptors"):
            with pytest.raises(FaultRefusedError, match="names the fault daemon itself"):
                await board.inject(request(kind))

    on_board(tmp_path, world, test)


def test_without_a_record_on_disk_nothing_is_injected(victim, tmp_path):
    """A full or read-only disk: the target is never touched."""

    async def test():
        board = new_board(tmp_path, world_of_victim(victim))
        (tmp_path / "undo").write_text("not a folder", encoding="utf-8")
        with pytest.raises(OSError, match="undo"):
            await board.inject(request("hang"))
        assert victim.ask() == "ok"

    asyncio.run(test())
