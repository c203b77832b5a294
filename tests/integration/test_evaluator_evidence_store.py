"""What the parts that alert are given by the composition root."""

from alerts.message import Links
from evaluator.evidence_store import EvidenceStore
from storage.alert_evidence import save_evidence
from tests.integration.alert_past import ago, explain, firing


def test_evidence_that_cannot_be_read_is_left_out_and_hides_no_other(database, caplog):
    explain(database, firing("known", ago(5)))
    save_evidence(database, "odd", "{}", "", at=ago(5))
    assert set(EvidenceStore(database, Links()).find(["known", "odd", "none"])) == {"known"}
    assert "alert odd is told without its evidence" in caplog.text
