"""When the evaluator works: APScheduler jobs that may be late but are never skipped and never overlap."""

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

TICK_S = 15
HOUSEKEEPING_S = 300


class Scheduler:
    """Runs *tick* every 15 s and *housekeeping* every 5 minutes, both with the present time, in own threads."""

    def __init__(self, tick: Callable[[datetime], None], housekeeping: Callable[[datetime], None]) -> None:
        # misfire_grace_time=None: APScheduler skips a job that is over 1 s late otherwise
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for job, seconds in ((tick, TICK_S), (housekeeping, HOUSEKEEPING_S)):
            self._scheduler.add_job(
                lambda job=job: job(datetime.now(UTC)), "interval", seconds=seconds, next_run_time=datetime.now(UTC)
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Start no further job and wait for the running one."""
        self._scheduler.shutdown(wait=True)
