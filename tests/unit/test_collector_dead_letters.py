"""Dead letters: nothing is lost, nothing is doubled, everything is named."""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from api import models as m
from collector.writer.dead_letters import DeadLetters, read_letter
from ninelives.cli import main
from ninelives.commands.doctor import _findings

REASON = "Code: 36. DB::Exception: cannot decode"


@pytest.fixture
def letters(tmp_path):
    return DeadLetters(tmp_path / "dead-letter")


def bury(letters, *, signal="traces", segment="0001-ab", offset=0, body=b"body", reason=REASON, items=3):
    return letters.bury(signal, segment, offset, body, reason, items=items)


def run(tmp_path, *arguments):
    return CliRunner().invoke(main, ["collector", *arguments, "--data", str(tmp_path)])


def test_a_letter_keeps_the_bytes_and_says_why(letters):
    before = datetime.now(UTC)
    bury(letters, body=b"\x00\xff as they are")
    (letter,) = letters.letters()
    assert letter.path.read_bytes() == b"\x00\xff as they are"
    assert (letter.signal, letter.items, letter.size_bytes, letter.reason) == ("traces", 3, 14, REASON)
    assert before <= letter.at <= datetime.now(UTC)


def test_what_is_buried_again_after_a_retry_is_one_letter(letters):
    first = bury(letters)
    assert bury(letters, reason="another") is None
    assert letters.letters() == [first]
    assert bury(letters, offset=7) is not None
    assert bury(letters, segment="0002-ab") is not None
    assert bury(letters, signal="metrics") is not None
    assert len(letters.letters()) == 4


def test_letters_are_listed_oldest_first_and_counted_by_signal(letters):
    for number in range(5):
        bury(letters, segment=f"000{9 - number}-ab", body=b"x" * number)
    bury(letters, signal="metrics")
    assert [letter.size_bytes for letter in letters.letters()] == [0, 1, 2, 3, 4, 4]
    assert (letters.count("traces"), letters.count("metrics"), letters.count("logs")) == (5, 1, 0)
    assert letters.size_bytes() == 14


def test_there_are_none_before_the_first(letters):
    assert (letters.letters(), letters.count("traces"), letters.size_bytes()) == ([], 0, 0)
    assert not letters.folder.exists()


def test_the_count_follows_what_others_do_to_the_folder(letters):
    """Another process sends them again and removes them, perhaps within one tick of the file system's clock."""
    for number in range(3):
        bury(letters, offset=number)
        assert letters.count("traces") == number + 1
    past = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
    os.utime(letters.folder, (past, past))
    assert letters.count("traces") == 3
    other = DeadLetters(letters.folder)
    other.discard(other.letters()[0])
    assert letters.count("traces") == 2


def test_a_discarded_letter_leaves_nothing_behind(letters):
    letters.discard(bury(letters))
    assert list(letters.folder.iterdir()) == []
    assert letters.letters() == []


def test_a_letter_is_synced_before_bury_returns(letters, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(Path(f"/proc/self/fd/{fd}").readlink()), real(fd)))
    letter = bury(letters)
    assert [path.name for path in synced] == [
        f"{letter.path.stem}.pb.tmp",
        f"{letter.path.stem}.json.tmp",
        "dead-letter",
    ]


@pytest.mark.parametrize("failing_sync", [1, 2, 3])
def test_a_disk_that_is_full_leaves_no_half_letter_and_the_next_attempt_finishes_it(letters, monkeypatch, failing_sync):
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == failing_sync:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        bury(letters)
    bury(letters)
    (letter,) = letters.letters()
    assert (letter.path.read_bytes(), letter.reason) == (b"body", REASON)


@pytest.mark.parametrize("note", [None, b"", b"{not json", b"[]", b'{"signal": "traces"}', b"\xff"])
def test_a_letter_whose_note_is_damaged_is_listed_all_the_same(letters, note):
    path = bury(letters).path
    if note is None:
        path.with_suffix(".json").unlink()
    else:
        path.with_suffix(".json").write_bytes(note)
    (letter,) = letters.letters()
    assert (letter.signal, letter.items, letter.size_bytes) == ("traces", None, 4)
    assert "note" in letter.reason
    assert letters.count("traces") == 1


def test_a_letter_is_found_by_either_of_its_files(letters):
    letter = bury(letters)
    assert read_letter(letter.path) == read_letter(letter.path.with_suffix(".json")) == letter
    assert read_letter(letters.folder / "traces-none.pb") is None


def test_a_reason_is_cut_to_a_length_that_can_be_read(letters):
    assert len(bury(letters, reason="x" * 100_000).reason) == len(letters.letters()[0].reason) == 2000


# -- ninelives collector dead-letters


def test_the_command_shows_each_letter_with_its_file(letters, tmp_path):
    letter = bury(letters, reason="first line\nsecond\x1b[31m line", items=1234)
    bury(letters, signal="metrics", items=None)
    found = run(tmp_path, "dead-letters")
    assert found.exit_code == 0
    assert str(letter.path) in found.output
    assert "first line second?[31m line" in found.output, "a request must not move the terminal's cursor"
    assert "1,234" in found.output
    assert "unknown" in found.output
    assert "2 dead letter(s); 'ninelives collector replay' sends them again" in found.output


def test_the_command_says_that_there_are_none(tmp_path):
    assert run(tmp_path, "dead-letters").output == "no dead letters\n"
    assert json.loads(run(tmp_path, "dead-letters", "--json").output) == []


def test_the_command_prints_json(letters, tmp_path):
    letter = bury(letters)
    (found,) = json.loads(run(tmp_path, "dead-letters", "--json").output)
    assert found == {
        "signal": "traces",
        "at": letter.at.isoformat(),
        "items": 3,
        "bytes": 4,
        "reason": REASON,
        "file": str(letter.path),
    }


@pytest.mark.parametrize("name", ["traces-none.pb", "notes.txt"])
def test_replaying_what_is_no_letter_is_misuse(letters, tmp_path, name):
    bury(letters)
    (letters.folder / "notes.txt").write_text("not a letter")
    found = run(tmp_path, "replay", str(letters.folder / name))
    assert found.exit_code == 2
    assert f"{name}: no dead letter; 'ninelives collector dead-letters' shows their files" in found.output


def test_replaying_to_what_is_no_url_is_misuse(letters, tmp_path):
    bury(letters)
    found = run(tmp_path, "replay", "--otlp-http", "localhost:4318")
    assert found.exit_code == 2
    assert "use a URL such as http://127.0.0.1:4318" in found.output
    assert len(letters.letters()) == 1


def test_replaying_nothing_is_fine(tmp_path):
    found = run(tmp_path, "replay", "--otlp-http", "http://127.0.0.1:9")
    assert (found.exit_code, found.output) == (0, "0 of 0 dead letter(s) sent again\n")


# -- ninelives doctor


def test_the_doctor_names_dead_letters_and_the_remedy():
    lanes = [m.IngestStatus.model_construct(signal=name, dead_letters=n) for name, n in (("traces", 2), ("logs", 0))]
    status = m.Status.model_construct(
        ingest=lanes, notices=[], slo_errors=[], last_tick_at=datetime.now(UTC), spans_stored=1, addresses={}
    )
    (finding,) = _findings(status, datetime.now(UTC))
    assert finding == (
        "2 dead letter(s) of traces: 'ninelives collector dead-letters' shows why, "
        "'ninelives collector replay' sends them again"
    )
