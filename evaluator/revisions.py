"""Noting what the objectives promise whenever that changes."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from slo.model import Slo
from slo.revision import Revision, digest_of
from storage.client import Database
from storage.slo_revisions import LatestRevision, append_revisions, last_revision_batch, latest_revisions

log = logging.getLogger(__name__)


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
        """Store what changed since the last time, as one batch, and return how many revisions this process wrote.

        None when another evaluator was first: what it stored is compared at the next tick.
        """
        changed = [slo for slo in slos if not slo.draft and not self._is_known(slo)]
        if not changed:
            return 0
        batch = last_revision_batch(self._database)  # first: what is stored meanwhile makes the append fail
        latest = latest_revisions(self._database)
        said = {slo.id: (slo, digest_of(slo)) for slo in changed}
        stored = {slo_id: revision.digest for slo_id, revision in latest.items()}
        new = [
            self._next(slo, latest.get(slo_id), now)
            for slo_id, (slo, digest) in said.items()
            if stored.get(slo_id) != digest
        ]
        if new and not append_revisions(self._database, new, writer=self._writer, after=batch, now=now):
            return 0
        for revision in new:
            log.info("objective %s: revision %d", revision.slo.id, revision.number)
        self._known |= said
        return len(new)

    def _is_known(self, slo: Slo) -> bool:
        before, digest = self._known.get(slo.id, (None, ""))
        if before is slo:  # the catalog hands out the same objects until a file changes, and a digest is dear
            return True
        if digest_of(slo) != digest:
            return False
        self._known[slo.id] = slo, digest
        return True

    def _next(self, slo: Slo, latest: LatestRevision | None, now: datetime) -> Revision:
        number = 1 if latest is None else latest.number + 1
        return Revision(number, now, self._author, self._commit_of(slo.source), slo)
