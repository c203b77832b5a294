"""Noting what the objectives promise whenever that changes."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from slo.model import Slo
from slo.revision import Revision, digest_of
from storage.client import Database
from storage.slo_revisions import LatestRevision, latest_revisions, store_revision

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 50  # each costs an insert of about 20 ms, and a tick may not take longer than 15 s


class RevisionKeeper:
    """Stores a revision of each written objective that is new or says something else than its last one.

    Drafts have none: nobody decided on them. This process stores what changed here: of two evaluators that read
    different files, none answers the other's revision with its own again and again.

    Args:
        writer: Names this process among several evaluators.
        author: Who runs it, "" if unknown.
        commit_of: Returns the commit of a file of objectives, "" if unknown.
    """

    def __init__(
        self, database: Database, *, writer: str, author: str = "", commit_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        self._database = database
        self._writer = writer
        self._author = author
        self._commit_of = commit_of
        self._known: dict[str, tuple[Slo, str]] = {}

    def update(self, slos: Iterable[Slo], now: datetime) -> int:
        """Store what changed since the last time and return how many revisions this process wrote."""
        changed = [slo for slo in slos if not slo.draft and not self._is_known(slo)]
        if not changed:
            return 0
        latest = latest_revisions(self._database)
        return sum(self._keep(slo, latest.get(slo.id), now) for slo in changed[:MOST_AT_ONCE])

    def _is_known(self, slo: Slo) -> bool:
        before, digest = self._known.get(slo.id, (None, ""))
        if before is slo:  # the catalog hands out the same objects until a file changes, and a digest is dear
            return True
        if digest_of(slo) != digest:
            return False
        self._known[slo.id] = slo, digest
        return True

    def _keep(self, slo: Slo, latest: LatestRevision | None, now: datetime) -> bool:
        digest = digest_of(slo)
        if latest is not None and latest.digest == digest:
            self._known[slo.id] = slo, digest
            return False
        number = 1 if latest is None else latest.number + 1
        revision = Revision(number, now, self._author, self._commit_of(slo.source), slo)
        if not store_revision(self._database, revision, writer=self._writer):
            return False  # another evaluator was first: what it stored is compared at the next tick
        log.info("objective %s: revision %d", slo.id, number)
        self._known[slo.id] = slo, digest
        return True
