"""Torn and damaged files: sound requests are found, what is damaged is known as such, no byte disappears silently."""

import errno
import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.spool import spool as spools
from collector.spool.contents import load
from collector.spool.index import ENTRY_SIZE, Kind, read_index
from collector.spool.recovery import recover, request_counter
from collector.spool.segment import frame
from collector.spool.spool import Spool

COUNT = request_counter("traces")
REQUESTS = 4


class Files:
    """The two files of one segment with four acknowledged requests."""

    def __init__(self, folder, bodies):
        self.folder, self.bodies = folder, bodies
        self.data = b"".join(map(frame, bodies))
        self.ends = [len(b"".join(map(frame, bodies[: number + 1]))) for number in range(len(bodies))]
        self.index_size = len(bodies) * ENTRY_SIZE

    def copy(self, into):
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(self.folder, into)
        return into


def make(folder, bodies, *, sealed):
    """Return the files of an open segment as a crash leaves them, or of a sealed one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spools, "SEAL_AFTER_S", 3600.0)
        spool = Spool(folder / "live" / "traces", limit_bytes=1 << 20)
        for number, body in enumerate(bodies):
            assert spool.append(body, body, number + 1).result(10)
        if sealed:
            spool.close()
        shutil.copytree(folder / "live" / "traces", folder / "traces")
        spool.close()
    return Files(folder / "traces", bodies)


@pytest.fixture(scope="module")
def bodies(otlp):
    return [
        otlp.traces(*[otlp.span(f"{n}/{m}", attributes={"a": "x" * 40 * n}) for m in range(n)]) for n in (1, 2, 3, 4)
    ]


@pytest.fixture(scope="module")
def torn(tmp_path_factory, bodies):
    return make(tmp_path_factory.mktemp("open"), bodies, sealed=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, bodies):
    return make(tmp_path_factory.mktemp("sealed"), bodies, sealed=True)


@pytest.fixture(params=["open", "sealed"])
def files(request, torn, whole):
    return {"open": torn, "sealed": whole}[request.param]


def path_of(folder, suffix):
    (path,) = folder.glob(f"*.{suffix}")
    return path


def flip(path, at, bits):
    data = bytearray(path.read_bytes())
    data[at] ^= bits
    path.write_bytes(data)


def found_in(folder):
    """Recover *folder*, load its one segment as the writer does, and return the contents."""
    (found,) = recover(folder)
    return load(found.segment, COUNT)


def sound_bodies(contents):
    return [contents.body(entry) for entry in contents.entries if entry.kind == Kind.REQUEST]


def assert_covered(contents, size):
    """Every byte belongs to a request or to a damage that is reported."""
    at = 0
    for entry in contents.entries:
        assert entry.offset == at
        at = entry.end
    assert at == size
    damaged = [entry for entry in contents.entries if entry.kind != Kind.REQUEST]
    assert [entry for damage in contents.damages() for entry in damage.entries] == damaged


# -- torn: the process died while it wrote


def test_a_segment_torn_anywhere_gives_exactly_the_whole_requests_back(torn, tmp_path):
    """The index is written first, so it knows of requests whose bytes are not all there: they were not acknowledged."""
    borders = {end + near for end in (0, *torn.ends) for near in (-1, 0, 1, 2, 3)}
    for size in sorted(borders & set(range(len(torn.data) + 1)) | set(range(0, len(torn.data), 11))):
        folder = torn.copy(tmp_path / "traces")
        os.truncate(path_of(folder, "seg"), size)
        found = list(recover(folder))
        wanted = [body for body, end in zip(torn.bodies, torn.ends, strict=True) if end <= size]
        contents = [load(item.segment, COUNT) for item in found]
        assert [body for item in contents for body in sound_bodies(item)] == wanted, size
        assert [list(item.damages()) for item in contents] in ([], [[]])
        left = b"".join(path.read_bytes() for path in folder.glob("*.seg"))
        assert left == b"".join(map(frame, wanted)), "what is left is what will be inserted"
        assert sum(item.cut_bytes for item in found) == (size - len(left) if wanted else 0)


def test_an_index_torn_anywhere_costs_nothing(torn, tmp_path):
    for size in range(0, torn.index_size + 1, 3):
        folder = torn.copy(tmp_path / "traces")
        os.truncate(path_of(folder, "idx"), size)
        contents = found_in(folder)
        assert sound_bodies(contents) == torn.bodies
        assert [entry.items for entry in contents.entries] == [1, 2, 3, 4]


@given(seg=st.integers(1, 1600), idx=st.integers(0, REQUESTS * ENTRY_SIZE))
def test_both_files_torn_give_every_whole_request_back(torn, tmp_path_factory, seg, idx):
    """A power cut may keep either file longer than the other."""
    size = min(seg, len(torn.data))
    folder = torn.copy(tmp_path_factory.mktemp("torn") / "traces")
    os.truncate(path_of(folder, "seg"), size)
    os.truncate(path_of(folder, "idx"), idx)
    contents = [load(found.segment, COUNT) for found in recover(folder)]
    wanted = [body for body, end in zip(torn.bodies, torn.ends, strict=True) if end <= size]
    assert [body for item in contents for body in sound_bodies(item)] == wanted
    for item in contents:
        assert_covered(item, len(item.data))


def test_a_crash_before_the_first_byte_leaves_nothing(torn, tmp_path):
    folder = torn.copy(tmp_path / "traces")
    os.truncate(path_of(folder, "seg"), 0)
    os.truncate(path_of(folder, "idx"), 0)
    assert list(recover(folder)) == []
    assert list(folder.iterdir()) == []


def test_what_was_torn_off_is_stored_when_its_client_sends_it_again(torn, tmp_path):
    """It was never acknowledged, so its digest must not be known."""
    folder = torn.copy(tmp_path / "traces")
    os.truncate(path_of(folder, "seg"), len(torn.data) - 1)
    spool = Spool(folder, limit_bytes=1 << 20)
    assert spool.cut_bytes == len(frame(torn.bodies[-1])) - 1
    assert [spool.append(body, body, 1).result(10) for body in torn.bodies] == [False, False, False, True]
    spool.close()
    assert [sound_bodies(load(segment, COUNT)) for segment in spool._sealed] == [torn.bodies[:-1], torn.bodies[-1:]]


def test_what_was_torn_off_is_not_known_even_if_the_index_cannot_be_mended_on_disk(torn, tmp_path, monkeypatch):
    folder = torn.copy(tmp_path / "traces")
    os.truncate(path_of(folder, "seg"), len(torn.data) - 1)
    flip(path_of(folder, "idx"), 3, 1)

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("collector.spool.recovery.write_index", full)
    spool = Spool(folder, limit_bytes=1 << 20)
    assert spool.append(torn.bodies[1], torn.bodies[1], 1).result(10) is False
    assert spool.append(torn.bodies[-1], torn.bodies[-1], 1).result(10) is True
    spool.close()


def test_recovered_segments_keep_their_id_and_bytes_and_come_before_new_ones(files, tmp_path):
    folder = files.copy(tmp_path / "traces")
    spool = Spool(folder, limit_bytes=1 << 20)
    spool.append(b"new", b"new", 1).result(10)
    spool.close()
    first, second = spool._sealed
    assert first.id == path_of(files.folder, "seg").stem < second.id
    assert first.path.read_bytes() == files.data


def test_recovering_twice_changes_nothing(files, tmp_path):
    folder = files.copy(tmp_path / "traces")
    first = [(found.segment, path.read_bytes()) for found in recover(folder) for path in sorted(folder.iterdir())]
    again = [(found.segment, path.read_bytes()) for found in recover(folder) for path in sorted(folder.iterdir())]
    assert again == first


# -- damaged: the disk changed what was acknowledged


@settings(max_examples=30)  # each makes and reads files
@given(at=st.integers(0, 1 << 16), bits=st.integers(1, 255))
def test_a_damaged_byte_costs_the_request_it_is_in_and_no_other(torn, whole, tmp_path_factory, at, bits):
    for files in (torn, whole):
        at %= len(files.data)
        folder = files.copy(tmp_path_factory.mktemp("damaged") / "traces")
        flip(path_of(folder, "seg"), at, bits)
        contents = found_in(folder)
        hit = next(number for number, end in enumerate(files.ends) if at < end)
        assert sound_bodies(contents) == [body for number, body in enumerate(files.bodies) if number != hit]
        assert_covered(contents, len(files.data))
        (damage,) = contents.damages()
        assert "checksum" in damage.reason
        assert len(damage.body) == len(files.bodies[hit])
        differing = sum(a != b for a, b in zip(damage.body, files.bodies[hit], strict=True))
        assert differing <= 1, "its bytes are kept as they are"


@settings(max_examples=30)  # each makes and reads files
@given(at=st.integers(0, 1 << 16), bits=st.integers(1, 255))
def test_a_damaged_byte_of_the_index_costs_nothing(torn, whole, tmp_path_factory, at, bits):
    for files in (torn, whole):
        folder = files.copy(tmp_path_factory.mktemp("damaged") / "traces")
        index = path_of(folder, "idx")
        flip(index, at % index.stat().st_size, bits)
        contents = found_in(folder)
        assert sound_bodies(contents) == files.bodies
        assert [entry.items for entry in contents.entries] == [1, 2, 3, 4]


@settings(max_examples=60)  # each makes and reads files
@given(hit=st.integers(0, REQUESTS - 1), places=st.tuples(st.integers(0, 1 << 16), st.integers(0, ENTRY_SIZE - 1)))
def test_a_request_whose_entry_is_damaged_as_well_is_not_taken_for_sound(torn, whole, tmp_path_factory, hit, places):
    """Its framing may still be right: only a sum tells that its bytes are not those that were acknowledged."""
    for files in (torn, whole):
        folder = files.copy(tmp_path_factory.mktemp("damaged") / "traces")
        start = files.ends[hit - 1] if hit else 0
        flip(path_of(folder, "seg"), start + places[0] % (files.ends[hit] - start), 1)
        flip(path_of(folder, "idx"), hit * ENTRY_SIZE + places[1], 1)
        contents = found_in(folder)
        assert set(sound_bodies(contents)) <= set(files.bodies)
        assert set(files.bodies[:hit]) <= set(sound_bodies(contents))
        assert_covered(contents, len(files.data))
        assert list(contents.damages())


def test_a_missing_index_costs_nothing(files, tmp_path):
    folder = files.copy(tmp_path / "traces")
    path_of(folder, "idx").unlink()
    spool = Spool(folder, limit_bytes=1 << 20)
    assert spool.mended_entries == REQUESTS
    assert [spool.append(body, body, 1).result(10) for body in files.bodies] == [False] * REQUESTS, "digests are known"
    spool.close()
    assert sound_bodies(load(spool.next_sealed(0), COUNT)) == files.bodies


def test_a_full_disk_holds_back_only_what_is_damaged_beyond_its_index(whole, tmp_path, monkeypatch):
    """A request that is put aside has to be marked first; an index alone can be done without."""
    folder = whole.copy(tmp_path / "traces")
    (found,) = recover(folder)

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("collector.spool.contents.write_index", full)
    flip(path_of(folder, "idx"), 3, 1)
    assert sound_bodies(load(found.segment, COUNT)) == whole.bodies
    flip(path_of(folder, "seg"), 5, 1)
    flip(path_of(folder, "idx"), 3, 1)
    with pytest.raises(OSError, match="No space left"):
        load(found.segment, COUNT)


@given(
    flips=st.lists(st.tuples(st.sampled_from(["seg", "idx"]), st.integers(0, 1 << 16), st.integers(1, 255)), max_size=6)
)
def test_whatever_is_damaged_no_byte_disappears_and_no_request_is_taken_for_sound_that_is_not(
    whole, tmp_path_factory, flips
):
    folder = whole.copy(tmp_path_factory.mktemp("damaged") / "traces")
    hit = set()
    for suffix, anywhere, bits in flips:
        path = path_of(folder, suffix)
        at = anywhere % path.stat().st_size
        flip(path, at, bits)
        if suffix == "seg":
            hit.add(at)
    contents = found_in(folder)
    assert_covered(contents, len(whole.data))
    for number, (body, end) in enumerate(zip(whole.bodies, whole.ends, strict=True)):
        begin = whole.ends[number - 1] if number else 0
        if not any(suffix == "idx" for suffix, _, _ in flips) and not any(begin <= at < end for at in hit):
            assert body in sound_bodies(contents)
    if not any(suffix == "idx" for suffix, _, _ in flips):
        assert set(sound_bodies(contents)) <= set(whole.bodies)


def test_a_sealed_segment_that_became_shorter_names_what_is_gone(whole, tmp_path):
    folder = whole.copy(tmp_path / "traces")
    os.truncate(path_of(folder, "seg"), whole.ends[1] + 5)
    contents = found_in(folder)
    assert sound_bodies(contents) == whole.bodies[:2]
    half, gone = contents.damages()
    assert half.body == frame(whole.bodies[2])[:5]
    assert (gone.body, [entry.items for entry in gone.entries]) == (b"", [4])
    assert "gone" in gone.reason


def test_a_segment_whose_bytes_were_deleted_is_not_taken_for_stored(files, tmp_path):
    folder = files.copy(tmp_path / "traces")
    path_of(folder, "seg").unlink()
    contents = found_in(folder)
    (damage,) = contents.damages()
    assert (damage.body, sum(entry.items for entry in damage.entries)) == (b"", 1 + 2 + 3 + 4)
    assert damage.reason == "damaged on disk: the bytes of 4 request(s) are gone"


def test_bytes_behind_a_damaged_index_that_are_no_requests_are_kept_as_they_are(whole, tmp_path):
    """Index and framing both damaged at the same place: what lies there is one block, what is around it is sound."""
    folder = whole.copy(tmp_path / "traces")
    flip(path_of(folder, "seg"), whole.ends[0], 0x10)  # the second request's length
    flip(path_of(folder, "idx"), ENTRY_SIZE + 3, 1)
    contents = found_in(folder)
    assert sound_bodies(contents) == [whole.bodies[0], *whole.bodies[2:]]
    (damage,) = contents.damages()
    assert damage.body == path_of(folder, "seg").read_bytes()[whole.ends[0] : whole.ends[1]]
    assert "no request" in damage.reason


def test_a_run_of_zeros_is_not_taken_for_empty_requests(torn, tmp_path):
    """A zero is a whole frame with an empty body; a power cut may leave thousands."""
    folder = torn.copy(tmp_path / "traces")
    with path_of(folder, "seg").open("ab") as file:
        file.write(bytes(500))
    contents = found_in(folder)
    assert sound_bodies(contents) == torn.bodies
    assert [damage.body for damage in contents.damages()] == [bytes(500)]


def test_what_was_damaged_once_stays_damaged_even_if_the_disk_recovers(whole, tmp_path):
    """Its letter is written already, and a retry must insert the same rows."""
    folder = whole.copy(tmp_path / "traces")
    path = path_of(folder, "seg")
    good = path.read_bytes()
    flip(path, whole.ends[0] + 5, 1)
    assert len(sound_bodies(found_in(folder))) == 3
    path.write_bytes(good)
    assert sound_bodies(found_in(folder)) == [whole.bodies[0], *whole.bodies[2:]]
    kinds = [entry.kind for entry in read_index(path_of(folder, "idx")).entries]
    assert kinds == [Kind.REQUEST, Kind.DAMAGED, Kind.REQUEST, Kind.REQUEST]


def test_the_digest_of_a_damaged_request_is_forgotten_so_that_its_client_may_send_it_again(whole, tmp_path):
    folder = whole.copy(tmp_path / "traces")
    flip(path_of(folder, "seg"), 5, 1)
    found_in(folder)
    spool = Spool(folder, limit_bytes=1 << 20)
    assert [spool.append(body, body, 1).result(10) for body in whole.bodies] == [True, False, False, False]
    spool.close()


def test_a_sector_that_cannot_be_read_costs_only_the_requests_in_it(whole, tmp_path, monkeypatch):
    folder = whole.copy(tmp_path / "traces")
    (found,) = recover(folder)
    monkeypatch.setattr("collector.spool.segment.PAGE", 64)
    bad_page = whole.ends[1] // 64 * 64
    real = os.pread

    def pread(descriptor, size, offset):
        if offset <= bad_page < offset + size:
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, size, offset)

    class Unreadable:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def fileno(self):
            return self._file.fileno()

        def read(self, _size):
            raise OSError(errno.EIO, "Input/output error")

    real_open = type(found.segment.path).open
    monkeypatch.setattr("collector.spool.segment.os.pread", pread)
    monkeypatch.setattr(
        "collector.spool.segment.Path.open",
        lambda path, mode, **options: (
            Unreadable(real_open(path, mode, **options)) if path.suffix == ".seg" else real_open(path, mode, **options)
        ),
    )
    contents = load(found.segment, COUNT)
    lost = [
        number
        for number, end in enumerate(whole.ends)
        if (whole.ends[number - 1] if number else 0) < bad_page + 64 and end > bad_page
    ]
    assert lost
    assert sound_bodies(contents) == [body for number, body in enumerate(whole.bodies) if number not in lost]
    assert len(list(contents.damages())) == len(lost)


def test_an_index_entry_survives_packing():
    from collector.spool.index import Entry, _unpack

    entry = Entry(2**40, 2**31, 7, 2**64 - 1, bytes(range(16)), Kind.DAMAGED)
    assert _unpack(entry.pack()) == entry
    assert len(entry.pack()) == ENTRY_SIZE
