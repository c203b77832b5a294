from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from api.client import ApiClient, ApiError
from api.models import Run, RunState
from chaos.runner.body_size import shortened
from chaos.runner.run_store import write_run

LOST_AFTER_MISSES = 3


class Recorder:
    """Saves a run's states: to the local journal always, to the API when it answers, cut to what it takes.

    Heartbeats go out on a thread of their own and are waited for at most *patience_s*, so that an API that hangs
    cannot keep the runner from renewing its lease. `api_lost` after three misses in a row.
    """

    def __init__(self, api: ApiClient, data_dir: Path, *, patience_s: float) -> None:
        self._api = api
        self._data_dir = data_dir
        self._patience_s = patience_s
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chaos-heartbeat")
        self._pending: Future[RunState] | None = None
        self._misses = 0

    @property
    def api_lost(self) -> bool:
        return self._misses >= LOST_AFTER_MISSES

    def heartbeat(self, run: Run) -> str:
        """Save *run*; return who asked it to stop, and why, or "" while nobody did or nobody answered."""
        write_run(self._data_dir, run)
        if self._pending is None or self._pending.done():
            self._pending = self._threads.submit(self._api.save_run, shortened(run))
        try:
            state = self._pending.result(self._patience_s)
        except (ApiError, FutureTimeoutError):
            self._misses += 1
            return ""
        self._misses = 0
        return state.stop_reason

    def final(self, run: Run) -> bool:
        """Save the last state, after any heartbeat still on its way; returns whether the API has it."""
        write_run(self._data_dir, run)
        self._threads.shutdown(wait=True)  # an older state must not arrive after the last one
        try:
            self._api.save_run(shortened(run))
        except ApiError:
            return False
        return True
