"""What every objective promised and when, as it was stored."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slo.errors import InvalidObjective
from slo.revision import Revision, definition_text, slo_from_text
from storage.append_log import append, last_batch
from storage.client import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LatestRevision:
    """Number and digest of an objective's last revision."""

    number: int
    digest: str


def last_revision_batch(database: Database) -> int:
    """Return the number of the last batch of revisions; read it before the revisions that are decided on."""
    return last_batch(database, "slo_revisions")


def append_revisions(
    database: Database, revisions: Sequence[Revision], *, writer: str, after: int, now: datetime
) -> bool:
    """Store *revisions*, at least one, as one batch; False, and nothing is stored, when another followed *after*."""
    columns = ["slo_id", "revision", "at", "author", "commit", "digest", "series", "target", "definition"]
    values = [
        (
            revision.slo.id,
            revision.number,
            revision.at,
            revision.author,
            revision.commit,
            revision.digest,
            revision.slo.indicator.series_id,
            str(revision.slo.target),
            definition_text(revision.slo),
        )
        for revision in revisions
    ]
    return append(database, "slo_revisions", values, columns, writer=writer, after=after, now=now)


def latest_revisions(database: Database) -> dict[str, LatestRevision]:
    """Return the last revision of every objective that has any, by the objective's id."""
    rows = database.rows("latest_revisions")
    return {row["slo_id"]: LatestRevision(row["number"], row["digest"]) for row in rows}


def load_revisions(database: Database, slo_ids: Iterable[str] = ()) -> Mapping[str, tuple[Revision, ...]]:
    """Return the revisions of *slo_ids* (none: of all objectives), oldest first, by id.

    One that a newer version wrote in words unknown here is left out, with a line in the log.
    """
    found: dict[str, list[Revision]] = defaultdict(list)
    for row in database.rows("slo_revisions", {"slo_ids": sorted(slo_ids)}):
        try:
            found[row["slo_id"]].append(_revision(row))
        except InvalidObjective as error:
            log.warning("revision %d of %s cannot be read: %s", row["revision"], row["slo_id"], error)
    return {slo_id: tuple(revisions) for slo_id, revisions in found.items()}


def _revision(row: Mapping[str, Any]) -> Revision:
    return Revision(row["revision"], row["at"], row["author"], row["commit"], slo_from_text(row["definition"]))
