"""When the evaluator works: APScheduler jobs that may be late but are never skipped and never overlap."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

TICK_S = 15
HOUSEKEEPING_S = 300
BACKFILL_S = 5
HEARTBEAT_S = 60


class Scheduler:
    """Runs its jobs in own threads, with the present time.

    *tick*, *limit* and *peers* every 15 s, *housekeeping* every 5 minutes, *backfill* every 5 s, *heartbeat* every
    minute. None waits for another: that *tick* stalls is for *peers* and *heartbeat* to notice. *stop* ends what the
    jobs left running, within the seconds that it is given, and returns whether it did.
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
        self._stop_last = stop
        # misfire_grace_time=None: APScheduler skips a job that is over 1 s late otherwise
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        jobs = (
            (tick, TICK_S), (limit, TICK_S), (housekeeping, HOUSEKEEPING_S), (backfill, BACKFILL_S), (peers, TICK_S),
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
        stopping = threading.Thread(target=self._scheduler.shutdown, name="scheduler-stop", daemon=True)
        stopping.start()
        stopping.join(timeout_s)
        ended = self._stop_last(max(until - time.monotonic(), 0))
        return ended and not stopping.is_alive()
