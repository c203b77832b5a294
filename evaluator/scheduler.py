"""When the evaluator works: APScheduler jobs that may be late but are never skipped and never overlap."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from storage.slo_windows import LATENESS

TICK_S = 15
# the first tick of a minute begins when the spans of the minute before are final: then its verdict waits for nothing
_FINAL_S: Final = LATENESS["spans"] // timedelta(seconds=1)
TICKS: Final = CronTrigger(
    second=",".join(str(second) for second in sorted((_FINAL_S + start) % 60 for start in range(0, 60, TICK_S))),
    timezone=UTC,
)
HOUSEKEEPING_S = 300
BACKFILL_S = 5
HEARTBEAT_S = 60


class Scheduler:
    """Runs its jobs in own threads, with the present time.

    *tick* at once and then at `TICKS`; *limit* and *peers* every 15 s, *housekeeping* every 5 minutes, *backfill* every
    5 s, *heartbeat* every minute. None waits for another: that *tick* stalls is for *peers* and *heartbeat* to notice.
    *stop* ends what the jobs left running, within the seconds that it is given, and returns whether it did.
    """

    def __init__(
        self,
        tick: Callable[[datetime], None],
        limit: Callable[[datetime], None],
        housekeeping: Callable[[datetime], None],
        backfill: Callable[[datetime], None] = lambda _now: None,
        *,
        peers: Callable[[datetime], None] = lambda _now: None,
        heartbeat: Callable[[datetime], None] = lambda _now: None,
        stop: Callable[[float], bool] = lambda _timeout_s: True,
    ) -> None:
        self._tick = tick
        self._stop_last = stop
        self._stopped = threading.Event()
        # misfire_grace_time=None: APScheduler skips a job that is over 1 s late otherwise
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._scheduler.add_job(self._tick_until_due, TICKS, next_run_time=datetime.now(UTC))
        jobs = (
            (limit, TICK_S), (housekeeping, HOUSEKEEPING_S), (backfill, BACKFILL_S), (peers, TICK_S),
            (heartbeat, HEARTBEAT_S),
        )  # fmt: skip
        for job, seconds in jobs:
            self._scheduler.add_job(
                lambda job=job: job(datetime.now(UTC)), "interval", seconds=seconds, next_run_time=datetime.now(UTC)
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self, timeout_s: float) -> bool:
        """Start no further job and wait for the running one, but not longer than *timeout_s*: False when it still runs.

        A message may be on its way to a receiver that does not answer; what is not marked as sent is sent again.
        """
        until = time.monotonic() + timeout_s
        self._stopped.set()
        stopping = threading.Thread(target=self._scheduler.shutdown, name="scheduler-stop", daemon=True)
        stopping.start()
        stopping.join(timeout_s)
        ended = self._stop_last(max(until - time.monotonic(), 0))
        return ended and not stopping.is_alive()

    def _tick_until_due(self) -> None:
        """Tick, and once more at once when a tick came due meanwhile: APScheduler leaves that one out."""
        while True:
            began = datetime.now(UTC)
            self._tick(began)
            if self._stopped.is_set() or datetime.now(UTC) < next_tick(began):
                return


def next_tick(after: datetime) -> datetime:
    """Return when the first tick after *after* is due.

    >>> from datetime import UTC, datetime
    >>> f"{next_tick(datetime(2026, 3, 1, 12, 0, 55, tzinfo=UTC)):%H:%M:%S}"
    '12:01:10'
    """
    due: datetime = TICKS.get_next_fire_time(None, after + timedelta(microseconds=1))
    return due
