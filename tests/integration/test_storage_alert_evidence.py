"""Evidence of alerts as stored."""

from datetime import UTC, datetime, timedelta

from storage.alert_evidence import evidence, evidence_bodies, save_evidence


def test_the_evidence_that_was_gathered_last_is_what_is_shown(database):
    at = datetime.now(UTC)
    save_evidence(database, "a", "{1}", "<p>1", at=at)
    save_evidence(database, "b", "{3}", "<p>3", at=at)
    save_evidence(database, "a", "{2}", "<p>2", at=at + timedelta(seconds=1))
    assert evidence(database, "a") == ("{2}", "<p>2")
    assert evidence_bodies(database, ["a", "b", "c", "a"]) == {"a": "{2}", "b": "{3}"}


def test_there_may_be_none(database):
    assert evidence(database, "a") is None
    assert evidence_bodies(database, []) == {}
