"""What the parts that alert are given by the composition root."""

from ninelives.alerting import stored_evidence
from storage.alert_evidence import save_evidence
from tests.integration.alert_past import ago, explain, firing


def test_evidence_that_cannot_be_read_is_left_out_and_hides_no_other(database, caplog):
    explain(database, firing("known", ago(5)))
    save_evidence(database, "odd", "{}", "", at=ago(5))
    assert set(stored_evidence(database, ["known", "odd", "none"])) == {"known"}
    assert "alert odd is told without its evidence" in caplog.text
