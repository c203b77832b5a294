"""Runs of the stock Chaos Toolkit: read from journals that are posted, and found in spans that arrived."""

from datetime import datetime, timedelta
from typing import Final

from api import models as m
from api.trace_tree import trace_of
from storage.client import Database
from storage.runs import load_run, save_run
from storage.traces import read_trace, toolkit_traces

LOOK_BACK: Final = timedelta(hours=1)
MOST_TRACES: Final = 50


def read_journal(content: bytes) -> m.Run:
    """Return the run that a Chaos Toolkit journal records.

    Raises:
        ValueError: it is none, or cannot be used; the message says why.
    """
    from chaos.errors import ChaosError
    from chaos.toolkit.journal_import import read_journal as read

    try:
        return read(content)
    except ChaosError as error:
        raise ValueError(str(error)) from error


class TracedRuns:
    """Stores the runs that the toolkit's tracing control tells of, so that they stand beside all others.

    A run is stored again when more of its spans have come. A journal says more than spans do: a run that is on record
    under an id of its own is left alone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stored: dict[str, int] = {}

    def store(self, now: datetime) -> list[str]:
        """Store what began in the last hour, and return the ids of the runs that are new or have changed."""
        from chaos.toolkit.run_spans import run_from_spans

        found = toolkit_traces(self._database, start=now - LOOK_BACK, end=now, limit=MOST_TRACES)
        self._stored = {trace_id: spans for trace_id, spans in self._stored.items() if trace_id in found}
        changed = []
        for trace_id in found:
            spans = read_trace(self._database, trace_id).spans
            if not spans or self._stored.get(trace_id) == len(spans):
                continue
            self._stored[trace_id] = len(spans)
            run = run_from_spans(trace_of(trace_id, spans))
            if run is not None and self._is_ours_to_store(run, trace_id):
                save_run(self._database, run.id, run.model_dump_json(), started_at=run.started_at, now=now)
                changed.append(run.id)
        return changed

    def _is_ours_to_store(self, run: m.Run, trace_id: str) -> bool:
        return trace_id in run.id or load_run(self._database, run.id) is None
