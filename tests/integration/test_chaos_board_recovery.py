"""What a daemon does at its start with the faults of one that was killed."""

import asyncio
import json
import sys

import psutil
import pytest

from chaos.daemon.targets import CommandEntry
from chaos.daemon.world import World
from tests.integration.chaos_victim import Victim, becomes, new_board, records, request, workers, world_of_victim

FD, AS = psutil.RLIMIT_NOFILE, psutil.RLIMIT_AS
REQUESTS = [
    request("hang"),
    request("cpu", workers=2),
    request("memory", mb=16),
    request("memory", mb=16, mode="ballast"),
    request("file_descriptors", spare=1),
    request("disk", mb=1),
    request("command", "marker"),
]


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    victim = Victim(tmp_path_factory.mktemp("victim"))
    yield victim
    victim.die()


def condition(victim):
    """Return all that a fault may change, and what it may leave behind."""
    process = victim.process
    return {
        "stopped": process.status() == psutil.STATUS_STOPPED,
        "limits": [process.rlimit(FD), process.rlimit(AS)],
        "cores": process.cpu_affinity(),
        "files": sorted(path.name for path in victim.disk_folder.iterdir()),
        "workers": workers(),
    }


def world(victim):
    file = str(victim.disk_folder / "broken")
    marker = CommandEntry(
        name="marker",
        inject=[sys.executable, "-S", "-c", f"open({file!r}, 'w').close()"],
        undo=[sys.executable, "-S", "-c", f"import os; os.path.exists({file!r}) and os.remove({file!r})"],
    )
    return world_of_victim(victim, commands={"marker": marker})


def killed(board):
    """Forget a board as kill -9 would: no timer of it ever fires."""
    for entry in board._entries.values():
        entry.cancel_timer()


async def reap(board):
    """Bury the ended workers of a forgotten board, as init would after kill -9."""
    for entry in board._entries.values():
        if hasattr(entry.fault, "_workers"):
            await entry.fault._workers.end()


@pytest.mark.parametrize("targets", ["known", "forgotten"])
@pytest.mark.parametrize("wanted", REQUESTS, ids=lambda each: f"{each.kind}-{each.attributes.get('mode', '')}")
def test_a_restarted_daemon_reverts_each_kind_of_fault_and_proves_it(victim, tmp_path, wanted, targets):
    """By the record alone: also when the targets file no longer knows the target."""

    async def test():
        before = condition(victim)
        first = new_board(tmp_path, world(victim))
        fault = await first.inject(wanted)
        assert condition(victim) != before
        killed(first)
        second = new_board(tmp_path, world(victim) if targets == "known" else World())
        assert second.recover() == 1
        state, _ = await becomes(second, fault.id, "reverted")
        assert (state.ended_by, state.verified, state.detail) == ("recovery", True, "")
        assert condition(victim) == before
        assert records(tmp_path) == []
        assert second.recover() == 0
        await reap(first)

    asyncio.run(test())


@pytest.mark.parametrize("wanted", REQUESTS[:6], ids=lambda each: f"{each.kind}-{each.attributes.get('mode', '')}")
def test_a_fault_that_was_on_record_but_never_injected_is_reverted_without_harm(victim, tmp_path, wanted, monkeypatch):
    """Killed between the record and the fault."""

    async def test():
        before = condition(victim)
        first = new_board(tmp_path, world(victim))
        fault = await first.inject(wanted)
        on_record = {path: path.read_bytes() for path in (tmp_path / "undo").iterdir()}
        await first.revert(fault.id, "request")
        for path, content in on_record.items():
            path.write_bytes(content)
        second = new_board(tmp_path, world(victim))
        second.recover()
        state, _ = await becomes(second, fault.id, "reverted")
        assert state.verified
        assert condition(victim) == before

    asyncio.run(test())


@pytest.mark.parametrize(
    "wanted", [request("hang"), request("file_descriptors"), request("cpu", workers=1)], ids=lambda each: each.kind
)
def test_a_pid_that_belongs_to_another_process_by_now_is_left_alone(victim, tmp_path, wanted):
    """The record names another start: the process stays as it is, whoever stopped or limited it."""

    async def test():
        first = new_board(tmp_path, world(victim))
        fault = await first.inject(wanted)
        during = condition(victim) | {"workers": []}
        killed(first)
        path = tmp_path / "undo" / f"{fault.id}.json"
        true = path.read_text(encoding="utf-8")
        document = json.loads(true)
        found = document["plan"]["process"]
        found["started"] = found["started"][:-1] + ("1" if found["started"][-1] != "1" else "2")
        path.write_text(json.dumps(document), encoding="utf-8")
        second = new_board(tmp_path, world(victim))
        second.recover()
        state, _ = await becomes(second, fault.id, "reverted")
        assert "nothing left to restore" in state.detail
        assert condition(victim) == during
        path.write_text(true, encoding="utf-8")
        third = new_board(tmp_path, world(victim))
        third.recover()
        await becomes(third, fault.id, "reverted")
        await reap(first)

    asyncio.run(test())


def test_a_damaged_plan_is_set_aside_and_stops_no_other_recovery(victim, tmp_path):
    """One record without its process, one that names a file of somebody else's."""
    precious = tmp_path / "precious"
    precious.touch()

    async def test():
        first = new_board(tmp_path, world(victim))
        hang, disk = await first.inject(request("hang")), await first.inject(request("disk", mb=1))
        good = await first.inject(request("file_descriptors"))
        killed(first)
        folder = tmp_path / "undo"
        documents = {each: json.loads((folder / f"{each}.json").read_text()) for each in (hang.id, disk.id)}
        (folder / f"{hang.id}.json").write_text(json.dumps(documents[hang.id] | {"plan": {}}))
        (folder / f"{disk.id}.json").write_text(json.dumps(documents[disk.id] | {"plan": {"path": str(precious)}}))
        second = new_board(tmp_path, world(victim))
        second.recover()
        await becomes(second, good.id, "reverted")
        state, _ = await becomes(second, disk.id, "unverified")
        assert "no file of this fault" in state.detail
        assert precious.exists()
        assert records(tmp_path) == sorted([f"{hang.id}.bad", f"{disk.id}.json"])
        killed(second)

    asyncio.run(test())
    victim.process.resume()
    for file in victim.disk_folder.iterdir():
        file.unlink()
