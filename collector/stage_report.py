"""Reports every 10 s what became of everything that this collector received, in a thread of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.intake import SIGNALS, Intake
from collector.lane import SignalStatus
from collector.spool.index import Kind, read_index
from collector.writer.dead_letters import DeadLetters, Letter, read_letter
from storage.errors import DatabaseError
from storage.ingest_alarms import LOOKBACK
from storage.ingest_stats import StageReport

log = logging.getLogger(__name__)

EVERY_S = 10.0
KEPT = 360  # reports of each signal that wait while the database is down: an hour
LOOKS = 3  # before something counts as missing: while a segment is deleted its items are in no place for a moment
PAUSE_S = 0.2

Save = Callable[[Sequence[StageReport]], None]


class StageReporter:
    """Looks at an intake from outside; the request path never waits for it.

    Make it before the intake is started: what the spool holds then was acknowledged by an earlier process. What cannot
    be stored is offered again with the next reports.

    Args:
        collector: Name of this collector, the same after a restart.
        data: The data folder of *intake*.
        save: Stores reports; raises DatabaseError.

    """

    def __init__(self, collector: str, intake: Intake, data: Path, save: Save, *, every_s: float = EVERY_S) -> None:
        self._recent: list[StageReport] = []
        self._collector = collector
        self._intake = intake
        self._spools = {signal: WaitingItems(data / "spool" / signal) for signal in SIGNALS}
        self._folder = DeadLetters(data / "dead-letter")
        self._put_aside = PutAside(data / "dead-letter")
        self._save = save
        self._every_s = every_s
        self._started_at = datetime.now(UTC).replace(microsecond=0)
        self._found = {signal: spool.count() for signal, spool in self._spools.items()}
        self._unsaved: deque[StageReport] = deque(maxlen=KEPT * len(SIGNALS))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stage-reporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Report a last time, after the intake was closed."""
        self._stop.set()
        self._thread.join(timeout_s)

    def recent(self) -> list[StageReport]:
        """Return the reports of the last minutes, the oldest first; they need no database."""
        return self._recent

    def letters(self) -> list[Letter]:
        """Return what lies in the dead-letter folder, the oldest first."""
        return self._folder.letters()

    def report(self, now: datetime, *, final: bool = False) -> list[StageReport]:
        """Take the reports of *now*, and store them with those that could not be stored before."""
        taken = self._take_calmly(now, final=final)
        self._remember(taken, now)
        self._unsaved.extend(taken)
        try:
            self._save(list(self._unsaved))
        except DatabaseError as error:
            log.debug("stage reports wait for the database: %s", error)
        else:
            self._unsaved.clear()
        return taken

    def take(self, now: datetime, *, final: bool = False) -> list[StageReport]:
        """Return a report for each signal.

        An item moves from accepted over waiting to stored or put aside, and this looks in that order: one that moves
        meanwhile may be seen twice, but is not missed.
        """
        accepted = {lane.signal: lane.accepted_items for lane in self._intake.status()}
        waiting = {signal: spool.count() for signal, spool in self._spools.items()}
        lanes = self._intake.status()
        aside = self._put_aside.count(self._started_at)
        breaker_s = self._intake.breaker.status(time.monotonic()).for_s
        return [
            self._of(
                lane,
                accepted[lane.signal],
                waiting[lane.signal],
                aside.get(lane.signal, 0),
                at=now.replace(microsecond=0),
                breaker_s=breaker_s,
                final=final,
            )
            for lane in lanes
        ]

    def _take_calmly(self, now: datetime, *, final: bool) -> list[StageReport]:
        """Look again when something seems to be missing, and keep the look that misses least."""
        best = self.take(now, final=final)
        for _ in range(LOOKS - 1):
            if not _missing(best):
                break
            time.sleep(PAUSE_S)
            best = min(best, self.take(now, final=final), key=_missing)
        return best

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self._report_safely()
        self._report_safely(final=True)

    def _report_safely(self, *, final: bool = False) -> None:
        try:
            self.report(datetime.now(UTC), final=final)
        except Exception:  # a report that fails must not end the reports
            log.exception("cannot report on the intake")

    def _remember(self, taken: list[StageReport], now: datetime) -> None:
        oldest = now - LOOKBACK - timedelta(seconds=2 * self._every_s)
        self._recent = [*(report for report in self._recent if report.at >= oldest), *taken]

    def _of(
        self,
        lane: SignalStatus,
        accepted: int,
        waiting: int,
        aside: int,
        *,
        at: datetime,
        breaker_s: float,
        final: bool,
    ) -> StageReport:
        found = self._found[lane.signal]
        unaccounted = accepted + found - waiting - lane.stored_items - aside
        return StageReport(
            collector=self._collector,
            signal=lane.signal,
            at=at,
            started_at=self._started_at,
            received_items=lane.received_items,
            accepted_items=accepted,
            rejected_items=lane.rejected_items,
            repeated_items=lane.repeated_items,
            refused_items=lane.refused_items,
            refused_requests=lane.refused_requests,
            found_items=found,
            waiting_items=waiting,
            stored_items=lane.stored_items,
            put_aside_items=aside,
            unaccounted_items=max(0, unaccounted),
            dead_letters=lane.dead_letters,
            damaged_requests=lane.damaged_requests,
            spool_bytes=lane.spool_bytes,
            spool_fill=lane.spool_fill,
            spool_oldest_s=lane.spool_oldest_s,
            shedding_level=lane.shedding_level,
            breaker=lane.breaker,
            breaker_s=breaker_s,
            last_stored_at=lane.last_stored_at.replace(microsecond=0) if lane.last_stored_at else None,
            last_error=lane.last_error,
            final=final,
        )


class WaitingItems:
    """Counts the items in a spool's folder by its indexes; one that did not grow is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, int]] = {}  # size of the index and items in it, by segment

    def count(self) -> int:
        known = {}
        for path in self._folder.glob("*.idx"):
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                continue  # stored a moment ago
            before = self._known.get(path.stem)
            known[path.stem] = before if before and before[0] == size else (size, _items(path))
        self._known = known
        return sum(items for _, items in known.values())


class PutAside:
    """Counts the items of dead letters, also of those that were sent again and are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[str, datetime, int]] = {}

    def count(self, since: datetime) -> dict[str, int]:
        """Return the items of the letters made since *since*, by signal."""
        for path in self._folder.glob("*.json"):
            if path.name not in self._seen and (letter := read_letter(path)) is not None:
                self._seen[path.name] = (letter.signal, letter.at, letter.items or 0)
        found: dict[str, int] = {}
        for signal, at, items in self._seen.values():
            if at >= since:
                found[signal] = found.get(signal, 0) + items
        return found


def _missing(reports: Sequence[StageReport]) -> int:
    return sum(report.unaccounted_items for report in reports)


def _items(path: Path) -> int:
    return sum(entry.items for entry in read_index(path).entries if entry.kind != Kind.UNFRAMED)
