"""The insertion of one segment: whole under its id, in halves where the database cannot read a request of it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from collector.check.check import canonical
from collector.errors import Refused
from collector.spool.contents import Contents
from collector.spool.index import Entry, Kind
from collector.spool.segment import frame
from storage.errors import DECODE_ERROR_CODES, DatabaseError

Insert = Callable[[Path | memoryview | bytes, str], None]
Bury = Callable[[Entry, bytes, str], None]


class Insertion:
    """Stores what is sound in a segment, each request under the same tokens however often it is repeated.

    The whole segment goes under its id also when some of its requests turn out to be damaged on disk: what is left is
    a part of what an earlier attempt may have stored, so the token drops it then, and nothing is stored twice. Halves
    are made only after a decode error, which stored nothing, and of all entries, so that damage does not move their
    borders.

    Args:
        insert: Inserts bytes, or those of a file, under a token.
        bury: Puts a request aside that the database cannot read in any form, with the reason.
    """

    def __init__(self, signal: str, segment_id: str, contents: Contents, insert: Insert, bury: Bury) -> None:
        self._signal = signal
        self._id = segment_id
        self._contents = contents
        self._insert = insert
        self._bury = bury

    def run(self) -> int:
        """Return how many items were stored.

        Raises:
            DatabaseError: the outcome is unknown; repeat all of it before anything newer is inserted.
        """
        return self._insert_range(self._contents.entries, self._id)

    def _insert_range(self, entries: Sequence[Entry], token: str) -> int:
        sound = [entry for entry in entries if entry.kind == Kind.REQUEST]
        if not sound:
            return 0
        try:
            self._insert(self._contents.sound(entries), token)
        except DatabaseError as error:
            if error.code not in DECODE_ERROR_CODES:
                raise
            if len(entries) == 1:
                return self._rescue(entries[0], str(error))
            middle = len(entries) // 2
            return sum(self._insert_range(half, self._token(half)) for half in (entries[:middle], entries[middle:]))
        return sum(entry.items for entry in sound)

    def _rescue(self, entry: Entry, reason: str) -> int:
        """Try a guilty request in canonical form; put it aside when that fails too."""
        body = self._contents.body(entry)
        try:
            self._insert(frame(canonical(self._signal, body)), f"{self._id}:{entry.offset}:canonical")
        except DatabaseError as error:
            if error.code not in DECODE_ERROR_CODES:
                raise
            self._bury(entry, body, reason)
            return 0
        except Refused as refusal:
            self._bury(entry, body, f"{reason}; {refusal}")
            return 0
        return entry.items

    def _token(self, entries: Sequence[Entry]) -> str:
        """Return a token that names both ends: two ranges that shared one would be taken for each other."""
        return f"{self._id}:{entries[0].offset}-{entries[-1].end}"
