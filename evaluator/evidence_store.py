"""Evidence between the alert domain and the database: stored with its page, read for messages."""

import logging
from collections.abc import Sequence

from alerts.errors import InvalidAlert
from alerts.evidence import Evidence
from alerts.evidence_page import evidence_page
from alerts.message import Links
from alerts.transition import Transition
from storage.alert_evidence import evidence_bodies, save_evidence
from storage.client import Database

log = logging.getLogger(__name__)


class EvidenceStore:
    """*links* are where those of the pages lead."""

    def __init__(self, database: Database, links: Links) -> None:
        self._database = database
        self._links = links

    def keep(self, transition: Transition, evidence: Evidence) -> None:
        """Store what was gathered for *transition*, and the page that shows it, as it will stay."""
        page = evidence_page(transition, evidence, self._links)
        save_evidence(self._database, transition.alert_id, evidence.to_json(), page, at=evidence.gathered_at)

    def find(self, alert_ids: Sequence[str]) -> dict[str, Evidence]:
        """Return the evidence of those of *alert_ids* that have some; what cannot be read costs nobody a message."""
        found = {}
        for alert_id, body in evidence_bodies(self._database, alert_ids).items():
            try:
                found[alert_id] = Evidence.from_json(body)
            except InvalidAlert as error:
                log.warning("alert %s is told without its evidence: %s", alert_id, str(error)[:300])
        return found
