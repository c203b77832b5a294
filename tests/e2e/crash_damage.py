"""What a crash or a bad disk does to the files of a spool, while nobody has them open."""

import random
from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from crash_ledger import SIGNALS, Export

from collector.spool.index import ENTRY_SIZE, Entry, Index, read_index
from collector.spool.segment import checksum, digest, frame

MOST_FLIPS = 6


def segments(spool: Path) -> Iterator[tuple[Path, Path, Index]]:
    """Yield data file, index file and index of every segment that waits, of every signal."""
    for signal in SIGNALS:
        for path in sorted((spool / signal).glob("*.seg")):
            index = path.with_suffix(".idx")
            yield path, index, read_index(index)


def tear(spool: Path, groups: Iterable[Export], chance: random.Random) -> dict[str, str]:
    """Leave the open segments as a crash within a group commit does, and return what was done to each.

    The entries of a group are written before its bytes, and both before any of it is acknowledged. So nothing that was
    acknowledged can be torn; what lies behind the cut may be garbage, as of a file system that had already made room.
    """
    done = {}
    by_signal: dict[str, list[Export]] = {}
    for export in groups:
        by_signal.setdefault(export.signal, []).append(export)
    for data_file, index_file, index in segments(spool):
        group = by_signal.pop(data_file.parent.name, []) if index.size is None else []
        if group:
            done[data_file.stem] = _tear(data_file, index_file, index, group, chance)
    return done


def _tear(data_file: Path, index_file: Path, index: Index, group: list[Export], chance: random.Random) -> str:
    end = index.entries[-1].end if index.entries else 0
    frames = [frame(export.body) for export in group]
    starts = [end]
    for data in frames:
        starts.append(starts[-1] + len(data))
    entries = b"".join(
        Entry(start, len(data), export.items, checksum(data), digest(export.body)).pack()
        for (start, _), data, export in zip(pairwise(starts), frames, group, strict=True)
    )
    _cut(index_file, len(index.entries) * ENTRY_SIZE)
    _cut(data_file, end)
    if chance.random() < 0.3:
        kept = chance.randrange(len(entries))
        _append(index_file, entries[:kept])
        return f"{kept} of {len(entries)} bytes of the index of a group, none of its data"
    whole = b"".join(frames)
    kept = chance.randrange(len(whole))
    garbage = chance.choice((b"", bytes(4096), chance.randbytes(chance.randrange(1, 5000))))
    _append(index_file, entries)
    _append(data_file, whole[:kept] + garbage)
    return f"{kept} of {len(whole)} bytes of a group, then {len(garbage)} bytes of garbage"


def spoil(spool: Path, but: Container[str], chance: random.Random) -> dict[str, str]:
    """Flip bits in the data or the index of some segments, cut some sealed ones, and return what was done to each.

    The ids in *but* are left as they are.

    Never both files of a segment: who loses a request's checksum with its bytes cannot tell what is right any more.
    """
    done = {}
    for data_file, index_file, index in segments(spool):
        what = chance.choice(("data", "index", "cut", "nothing"))
        if data_file.stem in but:
            continue
        if what == "data" and data_file.stat().st_size:
            done[data_file.stem] = f"data {_flip(data_file, data_file.stat().st_size, chance)}"
        elif what == "index" and index.entries:
            done[data_file.stem] = f"index {_flip(index_file, len(index.entries) * ENTRY_SIZE, chance)}"
        elif what == "cut" and index.size is not None:
            kept = chance.randrange(index.size)
            _cut(data_file, kept)
            done[data_file.stem] = f"cut to {kept} of {index.size} bytes"
    return done


def _flip(path: Path, size: int, chance: random.Random) -> str:
    content = bytearray(path.read_bytes())
    places = [chance.randrange(size * 8) for _ in range(chance.randint(1, MOST_FLIPS))]
    for place in set(places):
        content[place // 8] ^= 1 << place % 8
    path.write_bytes(content)
    return f"bits flipped at bytes {sorted({place // 8 for place in places})} of {size}"


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def _append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)
