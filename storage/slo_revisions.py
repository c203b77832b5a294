"""What every objective promised and when, as it was stored."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slo.errors import InvalidObjective
from slo.revision import Revision, definition_text, slo_from_text
from storage.client import Database

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LatestRevision:
    """Number and digest of an objective's last revision."""

    number: int
    digest: str


def store_revision(database: Database, revision: Revision, *, writer: str) -> bool:
    """Store *revision* unless another writer was first with its number. True when *writer* owns it.

    Compare and set, as for transitions: the token `<slo>:<number>` lets one of several inserts through, and the row
    that is read back names its writer.
    """
    slo, number = revision.slo, revision.number
    row = {
        "slo_id": slo.id,
        "revision": number,
        "at": revision.at,
        "author": revision.author,
        "commit": revision.commit,
        "digest": revision.digest,
        "series": slo.indicator.series_id,
        "target": str(slo.target),
        "writer": writer,
        "definition": definition_text(slo),
    }
    database.insert("slo_revisions", [tuple(row.values())], list(row), token=f"{slo.id}:{number}")
    found = database.rows("revision_writer", {"slo_id": slo.id, "revision": number})
    return bool(found) and found[0]["writer"] == writer


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
