"""Recent bodies: what was acknowledged in the last 10 minutes, so that a client's retry is not stored twice."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from collector.spool.index import Kind, read_index

log = logging.getLogger(__name__)

REMEMBER_S = 600.0
LOOK_EVERY_S = 30.0


class RecentBodies:
    """The digests of one spool's bodies, and the folder's indexes, which bring them through a restart.

    Not thread-safe: the spool calls it under its lock. Times (`now`) are Unix seconds.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[bytes, float] = {}  # digest -> when it was acknowledged, oldest first
        self._next_look = 0.0

    def load(self, now: float, sizes: Mapping[str, int]) -> None:
        """Read the digests of the requests that are stored or will be; one that was put aside may come again.

        *sizes* of the waiting segments: what lies behind them was never acknowledged.
        """
        for path in sorted((*self._folder.glob("*.stored"), *self._folder.glob("*.idx"))):
            written = path.stat().st_mtime
            if now - written < REMEMBER_S:
                entries = read_index(path).entries
                end = sizes.get(path.stem, entries[-1].end if entries else 0)
                known = (entry for entry in entries if entry.kind == Kind.REQUEST and entry.end <= end)
                self._known.update((entry.digest, written) for entry in known)

    def knows(self, mark: bytes, now: float) -> bool:
        return now - self._known.get(mark, 0.0) < REMEMBER_S

    def remember(self, marks: Iterable[bytes], now: float) -> None:
        for mark in marks:
            self._known.pop(mark, None)  # a dict keeps an old key's place: oldest first
            self._known[mark] = now

    def forget(self, marks: Iterable[bytes]) -> None:
        """Forget bodies that could not be stored: the next time they come they are new."""
        for mark in marks:
            self._known.pop(mark, None)

    def expire(self, now: float) -> None:
        """Drop what is older than 10 minutes; looks at most twice a minute."""
        if now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY_S
        while self._known:
            mark, at = next(iter(self._known.items()))
            if now - at < REMEMBER_S:
                break
            del self._known[mark]
        try:
            for path in self._folder.glob("*.stored"):
                if now - path.stat().st_mtime >= REMEMBER_S:
                    path.unlink(missing_ok=True)
        except OSError:
            log.exception("cannot remove old indexes in %s", self._folder)
