"""Tables that several writers append to, each only if nobody did since it last looked.

A batch of rows has the next number, and its insert's token is that number: of two writers that saw the same last batch
one is let through, whole, and the other stores nothing and looks again. So what was decided on a past is stored only
while that is still the past.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from storage.client import Database

Log = Literal["alert_transitions", "notifications", "slo_revisions"]


def last_batch(database: Database, log: Log) -> int:
    """Return the number of the last batch, 0 of an empty log."""
    return int(database.rows("log_last_batch", log=log)[0]["batch"])


def append(
    database: Database,
    log: Log,
    rows: Sequence[Sequence[Any]],
    columns: Sequence[str],
    *,
    writer: str,
    after: int,
    now: datetime,
) -> bool:
    """Store *rows* as one batch; False, and nothing is stored, when someone appended after the batch *after*.

    Args:
        database: where.
        log: the table; it has the columns batch and writer, and a deduplication window.
        rows: at least one, without batch and writer.
        columns: their names.
        writer: names this process among all of them, and this start of it; it appends to a log in one thread at a time.
        after: the last batch that the rows were decided on, by `last_batch`.
        now: the present.
    """
    batch = after + 1
    # rows are deleted by age, and tokens are not: an emptied log counts from 1 again, under tokens of another month
    era = f":{now:%Y-%m}" if after == 0 else ""
    stored = [(batch, writer, *row) for row in rows]
    database.insert(log, stored, ["batch", "writer", *columns], token=f"{log}:{batch}{era}")
    owners = database.rows("log_batch_owner", {"batch": batch}, log=log)
    return [owner["writer"] for owner in owners] == [writer]
