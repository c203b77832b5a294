"""Undo records: on disk before the fault, readable after any crash."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.daemon.process_id import ProcessId
from chaos.daemon.undo import UndoRecord, UndoRecords
from chaos.errors import TargetsError
from chaos.faults.file_descriptors import limit_for
from chaos.wire import FaultRequest

HANG = FaultRequest(kind="hang", target="orders", lease_ms=1000)
VALUES = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text()
PLANS = st.dictionaries(st.text(), VALUES | st.lists(VALUES) | st.dictionaries(st.text(), VALUES))


@settings(max_examples=20)  # each is synced to disk
@given(plan=PLANS)
def test_a_record_is_read_as_it_was_written(tmp_path_factory, plan):
    records = UndoRecords(tmp_path_factory.mktemp("undo"))
    record = UndoRecord("f-1", HANG, plan)
    records.write(record)
    assert records.leftovers() == [record]
    records.clear("f-1")
    records.clear("f-1")
    assert records.leftovers() == []


def test_a_record_is_synced_before_write_returns(tmp_path, monkeypatch):
    """The file, and the folder that names it."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink()))
    UndoRecords(tmp_path).write(UndoRecord("f-1", HANG))
    assert [path.suffix == ".draft" for path in synced] == [True, False]
    assert synced[1] == tmp_path


def test_a_record_without_a_plan_is_one_of_an_earlier_version(tmp_path):
    document = {"fault_id": "f-1", "request": HANG.model_dump(mode="json")}
    (tmp_path / "f-1.json").write_text(json.dumps(document), encoding="utf-8")
    assert UndoRecords(tmp_path).leftovers() == [UndoRecord("f-1", HANG, {})]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"fault_id": "f-1"}',
        b'{"fault_id": "f-1", "request": {"kind": "meteor", "target": "orders", "lease_ms": 1}}',
        b'{"fault_id": "f-2", "request": {"kind": "hang", "target": "orders", "lease_ms": 1}}',
        b'{"fault_id": "f-1", "request": {"kind": "hang", "target": "orders", "lease_ms": 1}, "plan": [1]}',
    ],
)
def test_what_cannot_be_used_is_kept_for_a_person_and_hides_no_other_record(tmp_path, content, caplog):
    """The log names the file and the reason."""
    records = UndoRecords(tmp_path)
    (tmp_path / "f-1.json").write_bytes(content)
    records.write(UndoRecord("f-3", HANG))
    assert [record.fault_id for record in records.leftovers()] == ["f-3"]
    assert (tmp_path / "f-1.bad").read_bytes() == content
    assert "f-1.json cannot be used" in caplog.text


def test_a_draft_of_a_killed_daemon_is_removed(tmp_path):
    """Its fault was never injected: the record comes first."""
    (tmp_path / ".f-1.json.123.draft").write_bytes(b"{")
    assert UndoRecords(tmp_path).leftovers() == []
    assert list(tmp_path.iterdir()) == []


def test_two_daemons_never_share_their_records(tmp_path):
    """The claim of one that ended, in whatever way, is free again."""
    records = UndoRecords(tmp_path / "chaos" / "undo")
    with records.claim():
        with pytest.raises(TargetsError, match=r"another fault daemon uses \S+/chaos; stop it"):
            records.claim()
        assert records.leftovers() == []
    records.claim().close()


def test_a_process_is_known_by_its_start_and_not_by_its_pid_alone():
    own = ProcessId.of(os.getpid())
    assert own.live().pid == os.getpid()
    assert ProcessId.of(os.getpid()) == own
    assert own.model_copy(update={"started": f"{own.started}0"}).live() is None
    assert own.model_copy(update={"pid": 2**22 + 1}).live() is None


@given(used=st.frozensets(st.integers(0, 60)), spare=st.integers(0, 20))
def test_a_file_limit_leaves_exactly_the_spare_numbers(used, spare):
    """As the kernel gives them out: the lowest free one, as long as it lies below the limit."""
    limit, found = limit_for(used, spare), set(used)
    for _ in range(100):
        number = min(set(range(200)) - found)
        if number >= limit:
            break
        found.add(number)
    assert len(found) - len(used) == spare
