from datetime import UTC, datetime, timedelta

from alerts.transition import AlertDetails, Transition
from evaluator.peers import stored_transitions
from storage.live_transitions import live_transitions

NOW = datetime.now(UTC).replace(microsecond=123_000)
COLUMNS = ["alert_id", "sequence", "slo_id", "severity", "state", "at", "writer", "body"]


def insert(database, *rows):
    values = [(alert_id, sequence, "a", "page", state, at, "me", body) for alert_id, sequence, state, at, body in rows]
    database.insert("alert_transitions", values, COLUMNS)


def test_the_last_transition_of_what_fires_or_changed_lately_is_live(database):
    old, lately = NOW - timedelta(days=30), NOW - timedelta(minutes=4)
    insert(
        database,
        ("fires", 1, "pending", old, "-"),
        ("fires", 2, "firing", old, "fires for long"),
        ("over", 1, "firing", old, "-"),
        ("over", 2, "resolved", old, "-"),
        ("ended", 1, "firing", old, "-"),
        ("ended", 2, "resolved", lately, "ended lately"),
        ("waits", 1, "pending", old, "-"),
    )
    assert live_transitions(database, since=NOW - timedelta(minutes=5)) == ["ended lately", "fires for long"]
    assert live_transitions(database, since=NOW) == ["fires for long"]


def test_a_stored_alert_that_cannot_be_read_hides_no_other_and_is_logged_once(database, caplog):
    details = AlertDetails("SLOErrorBudgetBurn", "a")
    firing = Transition("a-page-1", 1, "a", "shop", "prod", "page", "firing", NOW, NOW, NOW, None, "bad", details)
    insert(database, ("a-page-1", 1, "firing", NOW, firing.to_json()), ("b-page-1", 1, "firing", NOW, "{}"))
    read = stored_transitions(database)
    assert read(NOW) == read(NOW) == [firing]
    assert len([record for record in caplog.records if "no Alertmanager is told" in record.message]) == 1
